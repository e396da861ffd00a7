"""scikit-learn's own contract, whole, for every estimator, with its default parameters."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from neuralgauge.estimators import ReLUClassifier, ReLURegressor


@parametrize_with_checks([ReLURegressor(), ReLUClassifier(), ReLUClassifier(loss="hinge")])
def test_scikit_learn_check(estimator, check):
    check(estimator)
