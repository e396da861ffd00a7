"""scikit-learn's own contract, whole, for every estimator; loose gaps, since it is not about them."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from neuralgauge.estimators import ReLUClassifier, ReLUClassifierCV, ReLURegressor, ReLURegressorCV

SHORT_PATH = {"n_betas": 2, "beta_min_ratio": 0.2, "cv": 2, "gap_path": 0.3, "gap": 0.3}


@parametrize_with_checks(
    [
        ReLURegressor(gap=0.3),
        ReLUClassifier(gap=0.3),
        ReLUClassifier(loss="hinge", gap=0.3),
        ReLURegressorCV(**SHORT_PATH),
        ReLUClassifierCV(**SHORT_PATH),
    ]
)
def test_scikit_learn_check(estimator, check):
    check(estimator)
