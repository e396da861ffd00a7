"""scikit-learn estimators around the training pipeline: checking, encoding and warnings, no mathematics."""

from .classifier import ReLUClassifier, ReLUClassifierCV
from .conv import ReLUConvClassifier, ReLUConvClassifierCV, ReLUConvRegressor, ReLUConvRegressorCV
from .linear_conv import LinearConvClassifier, LinearConvRegressor
from .quantile import ReLUQuantileRegressor
from .regressor import ReLURegressor, ReLURegressorCV

__all__ = [
    "LinearConvClassifier",
    "LinearConvRegressor",
    "ReLUClassifier",
    "ReLUClassifierCV",
    "ReLUConvClassifier",
    "ReLUConvClassifierCV",
    "ReLUConvRegressor",
    "ReLUConvRegressorCV",
    "ReLUQuantileRegressor",
    "ReLURegressor",
    "ReLURegressorCV",
]
