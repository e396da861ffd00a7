"""scikit-learn estimators around the training pipeline: checking, encoding and warnings, no mathematics."""

from .classifier import ReLUClassifier
from .regressor import ReLURegressor

__all__ = ["ReLUClassifier", "ReLURegressor"]
