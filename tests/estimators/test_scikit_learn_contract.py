"""scikit-learn's own contract, whole, for every estimator.

The contract asks nothing of the optimum, so loose gaps will do, and a short path for estimators that choose beta;
`make test-all` checks the defaults too.
"""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from neuralgauge.estimators import ReLUClassifier, ReLUClassifierCV, ReLURegressor, ReLURegressorCV

LOOSE = {"gap": 0.1}
SHORT_PATH = {"n_betas": 2, "beta_min_ratio": 0.2, "cv": 2, "gap_path": 0.3, "gap": 0.3}


@parametrize_with_checks(
    [
        ReLURegressor(**LOOSE),
        ReLUClassifier(**LOOSE),
        ReLUClassifier(loss="hinge", **LOOSE),
        ReLURegressorCV(**SHORT_PATH),
        ReLUClassifierCV(**SHORT_PATH),
    ]
)
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks([ReLURegressor(), ReLUClassifier(), ReLUClassifier(loss="hinge")])
def test_scikit_learn_check_of_the_defaults(estimator, check):
    check(estimator)
