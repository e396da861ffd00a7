"""scikit-learn's own contract, whole, for every estimator; those that choose beta from a short path at loose gaps."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from neuralgauge.estimators import ReLUClassifier, ReLUClassifierCV, ReLURegressor, ReLURegressorCV

SHORT_PATH = {"n_betas": 2, "beta_min_ratio": 0.2, "cv": 2, "gap_path": 0.3, "gap": 0.3}


@parametrize_with_checks(
    [
        ReLURegressor(),
        ReLUClassifier(),
        ReLUClassifier(loss="hinge"),
        ReLURegressorCV(**SHORT_PATH),
        ReLUClassifierCV(**SHORT_PATH),
    ]
)
def test_scikit_learn_check(estimator, check):
    check(estimator)
