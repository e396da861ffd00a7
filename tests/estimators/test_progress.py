"""What estimators say while they train, and to whom; threads and folds at a time."""

import logging

import numpy as np
import pytest

from neuralgauge.errors import InvalidInputError
from neuralgauge.estimators import ReLURegressor, ReLURegressorCV

X = np.random.default_rng(0).normal(size=(40, 3))
Y = np.abs(X[:, 0])
PATH = {"n_betas": 2, "beta_min_ratio": 0.1, "cv": 2, "gap": 0.1}


def test_verbose_goes_to_stderr_where_nothing_listens(capsys):
    ReLURegressor(beta=0.5, verbose=True).fit(X, Y)
    shown = capsys.readouterr()
    assert "lower bound" in shown.err
    assert shown.out == ""


def test_verbose_goes_to_the_log_where_it_is_set_up(caplog, capsys):
    with caplog.at_level(logging.INFO, logger="neuralgauge"):
        ReLURegressorCV(verbose=True, **PATH).fit(X, Y)
    lines = [record.getMessage() for record in caplog.records if record.name == "neuralgauge"]
    assert sum(line.startswith("beta ") for line in lines) == 2
    assert any("lower bound" in line for line in lines)
    assert {record.levelno for record in caplog.records} == {logging.INFO}
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("level", "some"), [(logging.DEBUG, True), (logging.INFO, False)])
def test_without_verbose_only_a_debugging_log_hears(level, some, caplog, capsys):
    with caplog.at_level(level, logger="neuralgauge"):
        ReLURegressorCV(**PATH).fit(X, Y)
    assert bool(caplog.records) == some
    assert capsys.readouterr().err == ""


def test_a_callable_gets_records_and_the_log_nothing(caplog):
    records = []
    with caplog.at_level(logging.DEBUG, logger="neuralgauge"):
        ReLURegressor(beta=0.5, verbose=records.append).fit(X, Y)
    assert records[-1].objective >= records[-1].lower_bound
    assert not caplog.records


def test_threads_change_nothing_and_none_are_refused():
    one, two = (ReLURegressor(beta=0.1, n_jobs=n_jobs).fit(X, Y) for n_jobs in (1, 2))
    np.testing.assert_array_equal(one.network_.U, two.network_.U)
    with pytest.raises(InvalidInputError, match="`n_jobs` must be a whole number of threads"):
        ReLURegressor(n_jobs=0).fit(X, Y)
