"""scikit-learn's own contract, whole, for every estimator.

The contract asks nothing of the optimum, so loose gaps will do, and a short path for estimators that choose beta;
`make test-all` checks the defaults too.
"""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from neuralgauge.estimators import (
    LinearConvClassifier,
    LinearConvRegressor,
    ReLUClassifier,
    ReLUClassifierCV,
    ReLUConvClassifier,
    ReLUConvClassifierCV,
    ReLUConvRegressor,
    ReLUConvRegressorCV,
    ReLUQuantileRegressor,
    ReLURegressor,
    ReLURegressorCV,
)
from neuralgauge.estimators.images import ImageEstimator

LOOSE = {"gap": 0.1}
SHORT_PATH = {"n_betas": 2, "beta_min_ratio": 0.2, "cv": 2, "gap_path": 0.3, "gap": 0.3}
# The tables of the checks are signals of one to ten numbers here, whose positions a flattened readout tells apart.
NARROW = {"filter_size": 1, "readout": "flattened", "gap": 0.3}
NARROW_PATH = {**NARROW, **SHORT_PATH}
PADDED = {"filter_size": 2, "padding": "same"}

# Checks that fail, and why they do.
EXPECTED_FAILURES = {
    ImageEstimator: {
        "check_n_features_in_after_fitting": "The message for other data gives the shape of the images, not a number "
        "of columns.",
        "check_fit2d_predict1d": "The message for a single signal says to give X[None]: a table of one column, which "
        "the check wants to be named, would be as many signals.",
    },
    LinearConvClassifier: {
        "check_class_weight_classifiers": "Without an offset the classes of a linear function meet at the origin, so "
        "that no weights give all rows to one of them. With one, weights seven orders of magnitude apart give all rows "
        "to one class, but dual points of the softmax loss are then too rough for a bound.",
    },
}


def expected_failures(estimator):
    """The reasons by the names of the checks."""
    return {
        check: reason
        for kind, checks in EXPECTED_FAILURES.items()
        if isinstance(estimator, kind)
        for check, reason in checks.items()
    }


@parametrize_with_checks(
    [
        ReLURegressor(**LOOSE),
        ReLUClassifier(**LOOSE),
        ReLUClassifier(loss="hinge", **LOOSE),
        ReLUQuantileRegressor(levels=(0.25, 0.5), gap=0.5),
        ReLURegressorCV(**SHORT_PATH),
        ReLUClassifierCV(**SHORT_PATH),
        ReLUConvRegressor(**NARROW),
        ReLUConvClassifier(**NARROW),
        ReLUConvRegressorCV(**NARROW_PATH),
        ReLUConvClassifierCV(**NARROW_PATH),
        LinearConvRegressor(**PADDED),
        LinearConvClassifier(**PADDED),
        LinearConvClassifier(offset=True, **PADDED),
    ],
    expected_failed_checks=expected_failures,
)
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks([ReLURegressor(), ReLUClassifier(), ReLUClassifier(loss="hinge")])
def test_scikit_learn_check_of_the_defaults(estimator, check):
    check(estimator)
