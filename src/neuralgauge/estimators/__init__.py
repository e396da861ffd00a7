"""scikit-learn estimators around the training pipeline: checking, encoding and warnings, no mathematics."""

from .classifier import ReLUClassifier
from .classifier_cv import ReLUClassifierCV
from .regressor import ReLURegressor
from .regressor_cv import ReLURegressorCV

__all__ = ["ReLUClassifier", "ReLUClassifierCV", "ReLURegressor", "ReLURegressorCV"]
