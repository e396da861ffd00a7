"""Fitting again from the network of the fit before."""

import numpy as np
import pytest
from sklearn.base import clone

import neuralgauge as ng
from neuralgauge.estimators import LinearConvRegressor, ReLUClassifier, ReLUConvClassifier, ReLURegressor
from neuralgauge.solvers.solution import Status


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 6))
    return X, np.abs(X[:, 0]) + 0.5 * X[:, 1] + 0.1 * rng.normal(size=80)


MODELS = [
    ReLURegressor(beta=0.5),
    ReLURegressor(beta=0.5, loss="absolute"),
    ReLURegressor(beta=0.5, offset=True),
    ReLUClassifier(beta=0.2),
    ReLUClassifier(beta=0.2, multi_class="one_vs_rest"),
    ReLUConvClassifier(beta=0.2, filter_size=3, gap=1e-2),
]


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_the_same_data_again_take_hardly_an_iteration(model, table):
    X, y = table
    if not isinstance(model, ReLURegressor):
        y = np.digitize(y, [0.3, 1.0])
    model = clone(model).set_params(warm_start=True).fit(X, y)
    first, iterations = model.certificate_, model.n_iter_
    model.fit(X, y)
    # Rounds that smooth a loss with kinks look for its multipliers anew.
    assert model.n_iter_ < iterations if model.loss == "absolute" else model.n_iter_ <= 3
    assert model.certificate_.upper <= first.upper * (1.0 + 1e-12)
    assert model.certificate_.gap <= model.gap


def test_a_nearby_beta_takes_fewer_iterations_and_ends_at_the_same_optimum(table):
    fresh = [ReLURegressor(beta=beta).fit(*table) for beta in (0.5, 0.45)]
    model = ReLURegressor(beta=0.5, warm_start=True).fit(*table)
    model.set_params(beta=0.45).fit(*table)
    assert model.n_iter_ < fresh[1].n_iter_
    assert model.certificate_.upper == pytest.approx(fresh[1].certificate_.upper, rel=2e-3)
    assert model.certificate_.lower <= fresh[1].certificate_.upper
    assert model.beta_ == 0.45


def test_more_samples_and_others_begin_from_it_too(table):
    X, y = table
    model = ReLURegressor(beta=0.5, warm_start=True, time_limit=1e-9)
    with pytest.warns(UserWarning, match="time limit"):
        model.fit(X[:60], y[:60])
    trained = ReLURegressor(beta=0.5).fit(X[:60], y[:60])
    model.solution_, model.beta_ = trained.solution_, trained.beta_
    with pytest.warns(UserWarning, match="time limit"):
        model.fit(X, y)
    problem = ng.TrainingProblem(X, y, beta=0.5)
    # No time for anything but the start: whatever comes out is no worse than it.
    assert model.certificate_.upper <= problem.objective(trained.solution_.network) * (1.0 + 1e-12)
    assert model.certificate_.upper < problem.objective(problem.empty_network())


def test_without_it_a_fit_forgets(table):
    model = ReLURegressor(beta=0.5).fit(*table)
    once = model.network_
    np.testing.assert_array_equal(model.fit(*table).network_.U, once.U)
    assert model.n_iter_ > 1


def test_linear_networks_are_no_worse_than_the_one_before():
    X = np.random.default_rng(0).normal(size=(20, 8))
    model = LinearConvRegressor(filter_size=3, beta=0.5, warm_start=True).fit(X, X[:, 0] - X[:, 3])
    before = model.certificate_
    model.fit(X, X[:, 0] - X[:, 3])
    assert model.solution_.status is Status.SOLVED
    assert model.certificate_.upper <= before.upper * (1.0 + 1e-12)


def test_data_of_another_shape_are_refused_with_the_remedy(table):
    X, y = table
    model = ReLURegressor(beta=0.5, warm_start=True).fit(X, y)
    with pytest.raises(ng.InvalidInputError, match=r"`warm_start` needs data like those of the last `fit`.*clone"):
        model.fit(X[:, :3], y)
    with pytest.raises(ng.InvalidInputError, match=r"`warm_start` needs data like those"):
        model.fit(X, np.column_stack([y, y]))
