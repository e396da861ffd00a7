"""Several classes and targets, every loss, output offsets: what the estimators encode and what comes back."""

import pickle
from itertools import product

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.exceptions import DataConversionWarning
from sklearn.multiclass import OneVsRestClassifier

import neuralgauge as ng
from neuralgauge.errors import InvalidInputError
from neuralgauge.estimators import ReLUClassifier, ReLURegressor
from neuralgauge.losses import LOSSES
from neuralgauge.training.one_vs_rest import train_one_vs_rest


@pytest.fixture(scope="module")
def blobs():
    X, y = make_blobs(n_samples=45, centers=3, n_features=6, cluster_std=1.5, center_box=(-4, 4), random_state=3)
    return X / X.std(axis=0), np.array(["blue", "green", "red"])[y]


@pytest.fixture(scope="module")
def targets():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 6))
    return X, np.column_stack([np.abs(X[:, 0]), np.abs(X[:, 0]) - X[:, 1], 1.0 + X[:, 2]])


def decay_objective(model, X, y_of_loss, beta):
    """[2] of the fitted network, whatever it was trained by."""
    problem = ng.TrainingProblem(X, y_of_loss, beta=beta, loss=model.loss_)
    return problem.objective(model.network_.balance())


@pytest.mark.parametrize(
    ("loss", "multi_class"),
    [("softmax", "joint"), *product(["logistic", "hinge", "squared_hinge"], ["joint", "one_vs_rest"])],
)
def test_three_classes(loss, multi_class, blobs):
    X, y = blobs
    model = ReLUClassifier(loss=loss, multi_class=multi_class, beta=0.5, gap=0.05).fit(X, y)
    decision = model.decision_function(X)
    assert model.classes_.tolist() == ["blue", "green", "red"]
    assert decision.shape == (45, 3)
    assert model.network_.n_outputs == 3
    assert model.certificate_.gap <= 0.05
    assert model.score(X, y) > 0.95
    np.testing.assert_array_equal(model.predict(X), model.classes_[decision.argmax(axis=1)])
    assert hasattr(model, "predict_proba") == (loss in ("logistic", "softmax"))


def test_logistic_of_three_classes_is_softmax(blobs):
    X, y = blobs
    logistic = ReLUClassifier(beta=0.5, gap=0.05).fit(X, y)
    softmax = ReLUClassifier(loss="softmax", beta=0.5, gap=0.05).fit(X, y)
    assert logistic.loss_ == softmax.loss_ == ng.Softmax()
    np.testing.assert_array_equal(logistic.network_.U, softmax.network_.U)
    probability = logistic.predict_proba(X)
    np.testing.assert_allclose(probability.sum(axis=1), 1.0)
    expected = np.exp(logistic.decision_function(X))
    np.testing.assert_allclose(probability, expected / expected.sum(axis=1, keepdims=True))


def test_softmax_of_two_classes_has_two_outputs_and_one_decision(blobs):
    X, y = blobs
    X, y = X[y != "red"], y[y != "red"]
    model = ReLUClassifier(loss="softmax", beta=0.5, gap=0.05).fit(X, y)
    decision, probability = model.decision_function(X), model.predict_proba(X)
    assert (model.network_.n_outputs, decision.shape, probability.shape) == (2, (30,), (30, 2))
    np.testing.assert_allclose(np.log(probability[:, 1] / probability[:, 0]), decision, atol=1e-9)
    np.testing.assert_array_equal(model.predict(X), np.where(decision > 0, "green", "blue"))


@pytest.mark.parametrize("loss", ["logistic", "hinge"])
def test_one_vs_rest_is_what_separate_fits_give(loss, blobs):
    X, y = blobs
    options = {"loss": loss, "beta": 1.0, "gap": 1e-3, "offset": True, "standardize": False}
    model = ReLUClassifier(multi_class="one_vs_rest", **options).fit(X, y)
    parts = [ReLUClassifier(**options).fit(X, y == label) for label in model.classes_]
    assert model.certificate_.upper == pytest.approx(sum(part.certificate_.upper for part in parts), rel=1e-3)
    assert np.all(np.sum(model.network_.A != 0.0, axis=1) == 1)
    indicator = np.where(y[:, None] == model.classes_, 1.0, -1.0)
    problem = ng.TrainingProblem(X, indicator, beta=1.0, loss=loss, offset=True)
    assert problem.objective(model.network_) == pytest.approx(model.certificate_.upper, rel=1e-9)
    assert (
        np.mean(
            np.argmax([part.decision_function(X) for part in parts], axis=0) == model.decision_function(X).argmax(1)
        )
        > 0.95
    )


def test_one_vs_rest_probabilities_are_those_of_scikit_learn(blobs):
    X, y = blobs
    model = ReLUClassifier(multi_class="one_vs_rest", beta=1.0, gap=1e-5).fit(X, y)
    theirs = OneVsRestClassifier(ReLUClassifier(beta=1.0, gap=1e-5)).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), theirs.predict_proba(X), atol=0.01)
    far = model.predict_proba(-1e6 * X)
    np.testing.assert_allclose(far.sum(axis=1), 1.0)


def test_joint_hinge_is_never_worse_than_one_vs_rest(blobs):
    X, y = blobs
    joint, apart = (
        ReLUClassifier(loss="hinge", multi_class=how, beta=1.0, gap=1e-4, standardize=False).fit(X, y)
        for how in ("joint", "one_vs_rest")
    )
    indicator = np.where(y[:, None] == joint.classes_, 1.0, -1.0)
    ours, theirs = (decay_objective(model, X, indicator, 1.0) for model in (joint, apart))
    assert ours == pytest.approx(joint.certificate_.upper, rel=1e-9)
    assert ours <= theirs * (1 + 1e-4)
    assert joint.certificate_.lower <= theirs


def test_joint_targets_are_never_worse_than_single_fits(targets):
    X, Y = targets
    options = {"beta": 2.0, "gap": 1e-4, "standardize": False}
    joint = ReLURegressor(**options).fit(X, Y)
    singles = [ReLURegressor(**options).fit(X, Y[:, k]) for k in range(3)]
    together = sum(single.certificate_.upper for single in singles)
    assert joint.certificate_.upper <= together * (1 + 1e-4)
    assert joint.certificate_.upper < 0.98 * together  # the first two targets share a neuron
    assert joint.predict(X).shape == Y.shape
    apart = train_one_vs_rest(ng.TrainingProblem(X, Y, beta=2.0), 1e-4)
    assert apart.certificate.upper == pytest.approx(together, rel=1e-3)


@pytest.mark.parametrize("loss", [name for name, loss in LOSSES.items() if loss.targets in ("real", "count")])
def test_every_regression_loss_by_name(loss, targets):
    X, Y = targets
    y = np.round(np.exp(Y[:, 0])) if loss == "poisson" else Y[:, 0]
    model = ReLURegressor(loss=loss, beta=0.5, gap=0.02).fit(X, y)
    assert model.loss_ == LOSSES[loss]
    assert model.certificate_.gap <= 0.02
    f = model.network_.predict(X)
    np.testing.assert_allclose(model.predict(X), np.exp(f) if loss == "poisson" else f)


def test_loss_objects_and_quantiles(targets):
    X = np.zeros((21, 1))
    y = np.arange(21.0)
    for level, quantile in ((0.25, 5.0), (0.75, 15.0)):
        model = ReLURegressor(loss=ng.Quantile(level=level), beta=0.01, gap=1e-4, offset=True).fit(X, y)
        assert model.predict([[0.0]])[0] == pytest.approx(quantile, abs=0.1)
    assert clone(model).loss == ng.Quantile(level=0.75)
    assert ReLURegressor(loss=ng.Huber(delta=2.0)).fit(*(part[:20] for part in targets)).loss_.delta == 2.0


def test_poisson_predicts_means_and_locates_negative_targets():
    X = np.arange(12.0).reshape(-1, 1) / 6.0
    y = np.round(np.exp(2.0 * X[:, 0]))
    model = ReLURegressor(loss="poisson", beta=1e-2, offset=True).fit(X, y)
    np.testing.assert_allclose(model.predict(X), y, rtol=0.2)
    with pytest.raises(InvalidInputError, match=r"`y` must be >= 0 for the poisson loss, got -1\.0 in row 7"):
        ReLURegressor(loss="poisson").fit(X, np.where(np.arange(12) == 7, -1.0, y))


def test_offset_follows_a_shift_of_the_targets(targets):
    X, Y = targets
    near = ReLURegressor(beta=1.0, gap=1e-4, offset=True).fit(X, Y)
    far = ReLURegressor(beta=1.0, gap=1e-4, offset=True).fit(X, Y + 100.0)
    assert far.certificate_.upper == pytest.approx(near.certificate_.upper, rel=2e-4)
    np.testing.assert_allclose(far.predict(X), near.predict(X) + 100.0, atol=0.1)
    without = ReLURegressor(beta=1.0, gap=1e-2).fit(X, Y + 100.0)
    assert without.certificate_.lower > far.certificate_.upper


def test_offset_gives_the_frequencies_of_the_classes():
    X = np.zeros((10, 1))
    y = np.repeat(["a", "b", "c"], [5, 3, 2])
    model = ReLUClassifier(beta=0.1, bias=False, offset=True).fit(X, y)
    np.testing.assert_allclose(model.predict_proba([[0.0]])[0], [0.5, 0.3, 0.2], atol=1e-3)
    assert not model.network_.n_neurons


@pytest.mark.parametrize(
    "estimator",
    [
        ReLUClassifier(beta=0.5, gap=0.05),
        ReLUClassifier(beta=0.5, gap=0.05, loss="hinge"),
        ReLUClassifier(beta=0.5, gap=0.05, multi_class="one_vs_rest", offset=True),
        ReLURegressor(beta=0.5, gap=0.05),
    ],
)
def test_weights_are_repeated_rows_to_the_last_bit(estimator, blobs):
    X, y = blobs
    X, y = X[:20].round(1), y[:20]
    if isinstance(estimator, ReLURegressor):
        y = (y[:, None] == np.unique(y)).astype(float)
    weight = np.arange(20) % 3
    repeated = np.random.default_rng(1).permutation(np.repeat(np.arange(20), weight))
    weighted = clone(estimator).fit(X, y, sample_weight=weight)
    listed = clone(estimator).fit(X[repeated], y[repeated])
    np.testing.assert_array_equal(weighted.network_.U, listed.network_.U)
    np.testing.assert_array_equal(weighted.network_.A, listed.network_.A)


def test_column_of_targets_warns_and_is_a_vector(targets):
    X, Y = targets
    with pytest.warns(DataConversionWarning, match="column-vector"):
        model = ReLURegressor(beta=5.0).fit(X, Y[:, :1])
    np.testing.assert_array_equal(model.predict(X), ReLURegressor(beta=5.0).fit(X, Y[:, 0]).predict(X))


@pytest.mark.parametrize("multi_class", ["joint", "one_vs_rest"])
def test_copies(multi_class, blobs):
    X, y = blobs
    model = ReLUClassifier(loss="squared_hinge", multi_class=multi_class, beta=2.0, gap=0.05, offset=True)
    assert clone(model).get_params() == model.get_params()
    model.fit(X, y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"multi_class": "ovr"}, "`multi_class` must be 'joint' or 'one_vs_rest', got 'ovr'"),
        ({"multi_class": "one_vs_rest", "loss": "softmax"}, "one network a class, which loss='softmax' does not allow"),
        ({"loss": "poisson"}, "got 'poisson', which belongs to ReLURegressor"),
    ],
)
def test_parameters_that_do_not_fit_are_named(parameters, message, blobs):
    with pytest.raises(InvalidInputError, match=message):
        ReLUClassifier(**parameters).fit(*blobs)


def test_targets_of_another_kind_are_refused(blobs):
    X, y = blobs
    with pytest.raises(ValueError, match="Unknown label type"):
        ReLUClassifier().fit(X, X[:, 0])
    with pytest.raises(InvalidInputError, match="got 'softmax', which belongs to ReLUClassifier"):
        ReLURegressor(loss="softmax").fit(X, X[:, :2])
    with pytest.raises(InvalidInputError, match="two classes among the rows of positive weight, got one class"):
        ReLUClassifier().fit(X, y, sample_weight=(y == "red").astype(float))
