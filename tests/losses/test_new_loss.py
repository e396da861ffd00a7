"""The loss that docs/architecture.md adds to the package: its file and its line, from training to the command line."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import neuralgauge as ng
from neuralgauge import losses
from neuralgauge.cli import application

TEXT = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text(encoding="utf-8")


@pytest.fixture
def expectile(tmp_path, monkeypatch):
    """The page's class, in a package that has its file and its line; taken out again at the end."""
    code, line = re.findall(r"^```python\n(.*?)^```$", TEXT, flags=re.DOTALL | re.MULTILINE)
    (tmp_path / "expectile.py").write_text(code, encoding="utf-8")
    monkeypatch.setattr(losses, "__path__", [*losses.__path__, str(tmp_path)])
    names = dict(losses.LOSSES)
    exec(line, vars(losses))
    yield losses.Expectile
    losses.LOSSES.clear()
    losses.LOSSES.update(names)
    del losses.Expectile, losses.expectile, sys.modules["neuralgauge.losses.expectile"]


@pytest.fixture
def data(rng):
    X = rng.uniform(-1.0, 1.0, (30, 2))
    return X, np.abs(X[:, 0]) - X[:, 1] + 0.3 * rng.standard_normal(30)


def test_it_trains_and_is_certified(expectile, data):
    problem = ng.TrainingProblem(*data, beta=0.1, loss="expectile")
    solution = ng.train(problem, gap=1e-6)
    assert solution.status is ng.Status.SOLVED
    assert solution.certificate.scope == "exact"
    certificate = ng.certify(solution.network, problem, gap=1e-6)
    assert certificate.upper == pytest.approx(solution.certificate.upper, rel=1e-12)
    assert certificate.gap <= 1e-5
    mean = ng.train(ng.TrainingProblem(*data, beta=0.1, loss=expectile(level=0.5)), gap=1e-6).certificate
    half = ng.train(ng.TrainingProblem(*data, beta=0.2), gap=1e-6).certificate
    assert mean.upper == pytest.approx(0.5 * half.upper, rel=3e-6), "at level 0.5 it is half the squared loss"


def test_estimators_and_model_files_know_it(expectile, data, tmp_path):
    model = ng.ReLURegressor(loss=expectile(level=0.9), beta=0.1).fit(*data)
    ng.save_model(model, tmp_path / "model")
    loaded = ng.load_model(tmp_path / "model")
    assert loaded.training_loss == expectile(level=0.9)
    np.testing.assert_array_equal(loaded.predict(data[0]), model.predict(data[0]))


def test_the_command_line_knows_it(expectile, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = np.column_stack(data)
    np.savetxt("table.csv", table, delimiter=",", header="a,b,y", comments="")
    options = ["--target", "y", "--loss", "expectile", "--beta", "0.1", "--output", "m"]
    for command in (["train", "table.csv", *options], ["certify", "m", "table.csv"]):
        outcome = CliRunner().invoke(application(command), command)
        assert outcome.exit_code == 0, outcome.output
        assert "expectile" in outcome.output
