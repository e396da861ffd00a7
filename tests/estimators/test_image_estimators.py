"""Estimators on images and signals: what they train, what of scikit-learn's contract is not about tables, messages."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import neuralgauge as ng
from neuralgauge.estimators import LinearConvClassifier, LinearConvRegressor, ReLUConvClassifier, ReLUConvRegressor


def images(n=16, shape=(3, 4, 2), seed=0):
    return np.random.default_rng(seed).integers(0, 4, size=(n, *shape)).astype(np.float64)


def stripes(n=18, classes=2):
    """Signals with a step up, a step down or a bump, somewhere."""
    rng = np.random.default_rng(0)
    shapes = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    y = np.arange(n) % classes
    X = np.zeros((n, 6))
    for row, kind in zip(X, y, strict=True):
        first = rng.integers(0, 4)
        row[:first], row[first + 3 :] = shapes[kind, 0], shapes[kind, 2]
        row[first : first + 3] = shapes[kind]
    return X, np.array(["up", "down", "bump"])[y]


QUICK = {"beta": 0.5, "gap": 0.05, "filter_size": 2}
ESTIMATORS = [
    ReLUConvRegressor(**QUICK),
    ReLUConvClassifier(**QUICK),
    ReLUConvClassifier(**QUICK, readout="flattened", loss="hinge"),
    ReLUConvRegressor(**QUICK, readout=(2, 3)),
    LinearConvRegressor(**QUICK),
    LinearConvClassifier(**QUICK),
]
NAMES = ["regressor", "classifier", "flattened hinge", "regions", "linear regressor", "linear classifier"]


@pytest.mark.parametrize("readout", ["pooled", "flattened", (1, 3)])
def test_what_is_trained_is_the_problem(readout):
    X = images()
    y = X[:, 0, 0, 0] - X[:, 1, 1, 1] + np.arange(16) % 3
    model = ReLUConvRegressor(filter_size=2, readout=readout, beta=0.5, gap=1e-2, offset=True).fit(X, y)
    problem = ng.ReLUConvProblem(X, y, beta=0.5, filter_size=2, readout=readout, offset=True)
    assert problem.objective(model.network_) == pytest.approx(model.certificate_.upper, rel=1e-10)
    assert model.certificate_.gap <= 1e-2
    assert ng.train(problem, gap=1e-2).certificate.lower <= model.certificate_.upper * (1 + 1e-12)
    np.testing.assert_array_equal(model.predict(X), model.network_.predict(X))
    assert model.filters_.shape == (model.network_.n_neurons, 2, 2, 2)
    assert model.image_shape_ == (3, 4, 2)
    assert model.n_features_in_ == 24
    assert model.geometry_.n_positions == 6


def test_linear_networks_are_those_of_the_problem():
    X = images()
    y = np.column_stack([X[:, 0, 0, 0] - X[:, 1, 1, 1], np.arange(16) % 3])
    model = LinearConvRegressor(filter_size=2, beta=0.5, offset=True).fit(X, y)
    problem = ng.LinearConvProblem(X, y, beta=0.5, filter_size=2, offset=True)
    assert problem.objective(model.network_) == pytest.approx(model.certificate_.upper, rel=1e-10)
    assert model.certificate_.gap <= 1e-4
    assert model.certificate_.scope == "exact"
    assert model.filters_.shape == (model.network_.n_neurons, 2, 2, 2)
    np.testing.assert_array_equal(model.predict(X), model.network_.predict(X))
    assert LinearConvRegressor(filter_size=2).fit(X, y).beta_ == pytest.approx(
        0.01 * ng.beta_max(ng.LinearConvProblem(X, y, beta=1.0, filter_size=2))
    )


def test_linear_classes():
    X, y = stripes(classes=3)
    model = LinearConvClassifier(filter_size=3, beta=0.01, offset=True).fit(X, y)
    assert model.decision_function(X).shape == (18, 3)
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)
    assert model.score(X, y) > 0.6
    with pytest.raises(ng.InvalidInputError, match="'squared', which belongs to LinearConvRegressor"):
        LinearConvClassifier(loss="squared").fit(X, y)


def test_linear_gap_not_reached_warns():
    with pytest.warns(ConvergenceWarning, match="LinearConvRegressor reached a relative gap of"):
        LinearConvRegressor(filter_size=2, beta=0.01, gap=1e-13, time_limit=1e-6).fit(images(), np.arange(16.0))


def test_beta_none_is_one_percent_of_beta_max():
    X, y = stripes()
    expected = 0.01 * ng.beta_max(
        ng.ReLUConvProblem(X, np.where(y == "up", 1.0, -1.0), beta=1.0, filter_size=2, loss="logistic")
    )
    assert ReLUConvClassifier(filter_size=2, gap=0.1).fit(X, y).beta_ == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("loss", ["logistic", "hinge"])
def test_three_classes(loss):
    X, y = stripes(classes=3)
    model = ReLUConvClassifier(filter_size=3, loss=loss, beta=0.05, gap=0.05).fit(X, y)
    assert model.classes_.tolist() == ["bump", "down", "up"]
    scores = model.decision_function(X)
    assert scores.shape == (18, 3)
    np.testing.assert_array_equal(model.predict(X), model.classes_[scores.argmax(axis=1)])
    assert model.score(X, y) == 1.0
    assert hasattr(model, "predict_proba") == (loss == "logistic")
    if loss == "logistic":
        ratio = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(model.predict_proba(X), ratio, rtol=1e-10)


def test_one_network_a_class():
    """The stacked network is the three that were trained alone, with their output weights in the right regions."""
    X, y = stripes(classes=3)
    options = {"filter_size": 2, "readout": (2,), "beta": 0.3, "gap": 0.05, "bias": False}
    model = ReLUConvClassifier(multi_class="one_vs_rest", **options).fit(X, y)
    scores = model.decision_function(X)
    alone = [ReLUConvClassifier(**options).fit(X, y == name) for name in model.classes_]
    for k, single in enumerate(alone):
        np.testing.assert_allclose(scores[:, k], single.decision_function(X), atol=1e-9)
    assert model.certificate_.upper == pytest.approx(sum(single.certificate_.upper for single in alone))
    assert model.certificate_.separate
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)


SEPARABLE = {"readout": "separable", "bias": False, "beta": 0.5, "gap": 0.05}


def test_separable_scores_are_means_over_patches():
    X, y = stripes()
    model = ReLUConvClassifier(filter_size=3, **SEPARABLE).fit(X, y)
    patches = model.network_.predict(X)
    assert patches.shape == (18, 4)
    np.testing.assert_array_equal(model.decision_function(X), patches.mean(axis=1))
    regressor = ReLUConvRegressor(filter_size=3, **SEPARABLE).fit(X, X.sum(axis=1))
    np.testing.assert_array_equal(regressor.predict(X), regressor.network_.predict(X).mean(axis=1))


def test_separable_with_as_many_classes_as_patches():
    X, y = stripes(classes=3)
    model = ReLUConvClassifier(filter_size=2, stride=2, **SEPARABLE).fit(X, y)
    labels = np.searchsorted(model.classes_, y)
    problem = ng.ReLUConvProblem(
        X,
        np.repeat(labels[:, None], 3, axis=1),
        beta=0.5,
        filter_size=2,
        stride=2,
        readout="separable",
        loss="softmax",
        bias=False,
    )
    assert problem.objective(model.network_) == pytest.approx(model.certificate_.upper, rel=1e-10)
    assert model.decision_function(X).shape == (18, 3)


def test_several_targets():
    X = images()
    y = np.column_stack([X[:, 0, 0, 0], X[:, 1, 1, 1]])
    model = ReLUConvRegressor(**QUICK).fit(X, y)
    assert model.predict(X).shape == (16, 2)
    counts = ReLUConvRegressor(**QUICK, loss="poisson").fit(X, X[:, 0, 0, 0])
    np.testing.assert_array_equal(counts.predict(X), np.exp(counts.network_.predict(X)))


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=NAMES)
def test_images_in_any_order_and_weights_as_repeats_fit_to_the_last_bit(estimator):
    X = images(10)
    y = (X[:, 0, 0, 0] > 1).astype(float)
    weight = np.arange(10) % 4
    repeated = np.random.default_rng(1).permutation(np.repeat(np.arange(10), weight))
    weighted = clone(estimator).fit(X, y, sample_weight=weight)
    listed = clone(estimator).fit(np.where(X[repeated] == 0.0, -0.0, X[repeated]), y[repeated])
    np.testing.assert_array_equal(weighted.network_.U, listed.network_.U)
    np.testing.assert_array_equal(weighted.network_.A, listed.network_.A)
    np.testing.assert_array_equal(weighted.predict(X), listed.predict(X))


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=NAMES)
def test_contract_of_scikit_learn(estimator):
    X = images(10)
    y = (X[:, 0, 0, 0] > 1).astype(float)
    before = X.copy()
    X.setflags(write=False)
    model = clone(estimator)
    parameters = model.get_params()
    with pytest.raises(NotFittedError, match="not fitted yet"):
        model.predict(X)
    assert not hasattr(model, "filters_")
    assert model.fit(X, y) is model
    assert model.get_params() == parameters
    np.testing.assert_array_equal(X, before)
    np.testing.assert_array_equal(model.predict(X), clone(estimator).fit(X, y).predict(X))
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict(X), model.predict(X))
    assert model.set_params(filter_size=(1, 2)).fit(X, y).filters_.shape[1:] == (1, 2, 2)
    assert repr(estimator) in (repr(clone(estimator)), str(estimator))
    assert is_classifier(estimator) != is_regressor(estimator)


def test_a_failed_fit_leaves_it_unfitted():
    model = ReLUConvClassifier(filter_size=9)
    with pytest.raises(ng.InvalidInputError):
        model.fit(*stripes())
    with pytest.raises(NotFittedError):
        model.predict(stripes()[0])


def test_pipeline_and_grid_search():
    X, y = stripes(24)
    pipeline = make_pipeline(FunctionTransformer(lambda X: 2.0 * X), ReLUConvClassifier(beta=0.2, gap=0.1))
    search = GridSearchCV(pipeline, {"reluconvclassifier__filter_size": [1, 2, (3,)]}, cv=2, error_score="raise")
    search.fit(X, y)
    # A filter of one number cannot tell up from down.
    assert search.best_params_["reluconvclassifier__filter_size"] != 1
    assert search.best_score_ > search.cv_results_["mean_test_score"][0]
    assert search.predict(X).shape == (24,)
    gray = images(12, (4, 4))
    scores = cross_val_score(ReLUConvRegressor(filter_size=(2, 2), beta=1.0, gap=0.1), gray, gray[:, 0, 0], cv=2)
    assert scores.shape == (2,)


def test_gray_images_signals_and_bytes():
    X = images(12, (4, 4, 1))
    y = X[:, 0, 0, 0]
    expected = ReLUConvRegressor(**QUICK).fit(X, y).predict(X)
    gray = ReLUConvRegressor(**{**QUICK, "filter_size": (2, 2)}).fit(X[..., 0].astype(np.uint8), y)
    np.testing.assert_array_equal(gray.predict(X[..., 0].tolist()), expected)
    np.testing.assert_array_equal(gray.predict(X), expected)
    signals = X[:, :, :, 0]
    model = ReLUConvRegressor(**{**QUICK, "filter_size": (2,)}).fit(signals, y)
    assert model.image_shape_ == (4, 4)
    assert model.filters_.shape[1:] == (2, 4)
    assert ReLUConvRegressor(**QUICK).fit(signals[:, 0], y).filters_.shape[1:] == (2, 1)


@pytest.mark.parametrize("bias", [True, False])
def test_constant_images(bias):
    X = np.full((4, 3, 3, 1), 2.0)
    model = ReLUConvRegressor(filter_size=2, beta=0.01, bias=bias).fit(X, [3.0, 3.0, 3.0, 3.0])
    np.testing.assert_allclose(model.predict(X), 3.0, rtol=0.1)
    zero = ReLUConvRegressor(filter_size=2, bias=bias).fit(0.0 * X, [0.0, 0.0, 0.0, 0.0])
    np.testing.assert_allclose(zero.predict(X), 0.0, atol=1e-6)


def test_dropped_pixels_are_said_once():
    with pytest.warns(ng.DroppedPixelsWarning) as caught:
        ReLUConvRegressor(filter_size=2, stride=2, beta=1.0, gap=0.1).fit(images(8, (5, 4, 1)), np.arange(8.0))
    assert len(caught) == 1


def test_gap_not_reached_warns_where_fit_was_called():
    with pytest.warns(ConvergenceWarning, match=r"ReLUConvRegressor reached a relative gap of .*time limit") as caught:
        ReLUConvRegressor(filter_size=2, beta=0.01, gap=1e-13, time_limit=1e-3).fit(images(), np.arange(16.0))
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("estimator", "X", "message"),
    [
        (ReLUConvRegressor(), images(4, (3, 8, 8)), r"channels last, got shape \(4, 3, 8, 8\).*np\.moveaxis"),
        (ReLUConvRegressor(), images(4, (1, 8, 8)), r"channels last, got shape \(4, 1, 8, 8\)"),
        (ReLUConvRegressor(), images(4, (8, 8)), "may be gray images or signals with channels"),
        (ReLUConvRegressor(filter_size=5), images(4, (4, 4, 1)), "`filter_size` must be at most the size"),
        (ReLUConvRegressor(filter_size=0), images(4, (4, 4, 1)), "`filter_size` must hold whole numbers >= 1, got 0"),
        (ReLUConvRegressor(readout="max"), images(4, (4, 4, 1)), '`readout` must be "pooled".*got .max'),
        (ReLUConvRegressor(readout=(9, 9)), images(4, (4, 4, 1)), "1 to"),
        (ReLUConvRegressor(padding_mode="mirror"), images(4, (4, 4, 1)), "`padding_mode` must be .*got 'mirror'"),
        (ReLUConvRegressor(beta=-1.0), images(4, (4, 4, 1)), r"`beta` must be finite and > 0, got -1\.0"),
        (ReLUConvRegressor(loss="hinge"), images(4, (4, 4, 1)), "'hinge', which belongs to ReLUConvClassifier"),
        (ReLUConvRegressor(), np.where(images(4, (4, 4, 1)) == 3.0, np.nan, 1.0), "`X` must be finite, got NaN"),
        (ReLUConvRegressor(), images(4, (4, 4, 1)).astype(complex), "Complex data not supported"),
        (ReLUConvRegressor(), images(4, (4, 4, 1)).astype(str), "`X` must hold real numbers"),
        (ReLUConvRegressor(), images(1, (4, 4, 1)), "minimum of 2"),
        (ReLUConvRegressor(), images(5, (4, 4, 1)), "inconsistent numbers of samples"),
    ],
)
def test_refused_when_fitting(estimator, X, message):
    y = np.arange(4.0) if len(X) > 1 else [1.0]
    with pytest.raises(ValueError, match=message):
        estimator.fit(X, y)


def test_refused_when_predicting():
    X = images(8, (4, 5, 2))
    model = ReLUConvClassifier(**QUICK).fit(X, np.arange(8) % 2)
    for wrong, message in [
        (images(2, (5, 5, 2)), r"`X` must have shape \(n, height, width, channels\) = \(n, 4, 5, 2\)"),
        (np.moveaxis(X, -1, 1), r"channels come last: np\.moveaxis\(X, 1, -1\)"),
        (X[0], r"give a single one as X\[None\]"),
        (X.reshape(8, -1), r"unflatten them: X\.reshape\(-1, 4, 5, 2\)"),
    ]:
        with pytest.raises(ng.InvalidInputError, match=message):
            model.predict(wrong)


def test_one_class_is_refused():
    with pytest.raises(ng.InvalidInputError, match="must have two classes"):
        ReLUConvClassifier().fit(images(4, (4, 4, 1)), [1, 1, 1, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        weighted = ReLUConvClassifier(**QUICK).fit(images(4, (4, 4, 1)), [0, 1, 1, 2], sample_weight=[1, 1, 1, 0])
    assert weighted.classes_.tolist() == [0, 1, 2]
