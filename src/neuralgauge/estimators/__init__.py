"""scikit-learn estimators around the training pipeline: checking, encoding and warnings, no mathematics."""

from .classifier import ReLUClassifier
from .classifier_cv import ReLUClassifierCV
from .conv_classifier import ReLUConvClassifier
from .conv_regressor import ReLUConvRegressor
from .linear_conv_classifier import LinearConvClassifier
from .linear_conv_regressor import LinearConvRegressor
from .regressor import ReLURegressor
from .regressor_cv import ReLURegressorCV

__all__ = [
    "LinearConvClassifier",
    "LinearConvRegressor",
    "ReLUClassifier",
    "ReLUClassifierCV",
    "ReLUConvClassifier",
    "ReLUConvRegressor",
    "ReLURegressor",
    "ReLURegressorCV",
]
