"""Weights of classes: the same as weights of samples, for every classifier."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.class_weight import compute_sample_weight

import neuralgauge as ng
from neuralgauge.estimators import LinearConvClassifier, ReLUClassifier, ReLUClassifierCV, ReLUConvClassifier

CLASSIFIERS = [
    ReLUClassifier(beta=0.3),
    ReLUClassifier(beta=0.3, loss="hinge"),
    ReLUClassifier(beta=0.3, multi_class="one_vs_rest"),
    ReLUClassifierCV(n_betas=3, cv=2, gap=1e-2),
    ReLUConvClassifier(beta=0.3, filter_size=2, gap=1e-2),
    LinearConvClassifier(beta=0.3, filter_size=2),
]


@pytest.fixture(scope="module")
def unbalanced():
    """Overlapping classes, most rows of one."""
    rng = np.random.default_rng(0)
    index = np.repeat([0, 1, 2], [30, 8, 6])
    X = rng.normal(size=(44, 4)) + 1.5 * np.eye(4)[index]
    return X, np.array(["many", "few", "rare"])[index]


def assert_same_networks(first, second):
    np.testing.assert_array_equal(first.network_.U, second.network_.U)
    np.testing.assert_array_equal(first.network_.A, second.network_.A)
    assert first.beta_ == second.beta_


@pytest.mark.parametrize("model", CLASSIFIERS, ids=lambda model: type(model).__name__)
@pytest.mark.parametrize(
    "class_weight", ["balanced", {"many": 0.25, "few": 2.0, "rare": 3.0}], ids=["balanced", "dict"]
)
def test_weights_of_classes_are_weights_of_samples(model, class_weight, unbalanced):
    X, y = unbalanced
    weighted = clone(model).set_params(class_weight=class_weight).fit(X, y)
    listed = clone(model).fit(X, y, sample_weight=compute_sample_weight(class_weight, y))
    assert_same_networks(weighted, listed)


def test_they_multiply_the_weights_of_samples(unbalanced):
    X, y = unbalanced
    weight = np.arange(44) % 3
    model = ReLUClassifier(beta=0.3, class_weight="balanced")
    repeated = np.repeat(np.arange(44), weight)
    np.testing.assert_allclose(
        clone(model).fit(X, y, weight).decision_function(X),
        clone(model).fit(X[repeated], y[repeated]).decision_function(X),
        atol=1e-2,
    )
    kept = weight > 0
    total = [weight[y == name].sum() for name in np.unique(y)]
    factors = dict(zip(np.unique(y), sum(total) / (3 * np.array(total)), strict=True))
    by_hand = ReLUClassifier(beta=0.3).fit(X[kept], y[kept], weight[kept] * [factors[name] for name in y[kept]])
    np.testing.assert_allclose(model.fit(X, y, weight).decision_function(X), by_hand.decision_function(X), atol=1e-2)


def test_balanced_classes_raise_the_recall_of_the_rare_one(unbalanced):
    X, y = unbalanced
    plain, balanced = (ReLUClassifier(beta=2.0, class_weight=w).fit(X, y) for w in (None, "balanced"))
    found = [np.mean(model.predict(X)[y == "rare"] == "rare") for model in (plain, balanced)]
    assert found[1] > found[0]


def test_a_label_left_out_has_weight_one_and_weight_zero_leaves_a_class_out(unbalanced):
    X, y = unbalanced
    once = ReLUClassifier(beta=0.3, class_weight={"rare": 2.0, "few": 1.0}).fit(X, y)
    assert_same_networks(once, ReLUClassifier(beta=0.3, class_weight={"rare": 2.0, "few": 1.0, "many": 1.0}).fit(X, y))
    with pytest.raises(ng.InvalidInputError, match="two classes among the rows of positive weight, got one class, 'b'"):
        ReLUClassifier(class_weight={"a": 0.0, "b": 1.0}).fit([[0.0], [1.0], [2.0]], ["a", "b", "b"])


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ("even", "`class_weight` must be a dict, 'balanced' or None, got 'even'"),
        ({"many": -1.0}, "`class_weight` must have finite weights >= 0, got"),
        ({"mayn": 2.0}, r"`class_weight` must have the labels of y for keys, got others: .*\['few', 'many', 'rare'\]"),
    ],
)
def test_other_weights_are_refused(class_weight, message, unbalanced):
    with pytest.raises(ng.InvalidInputError, match=message):
        ReLUClassifier(class_weight=class_weight).fit(*unbalanced)
