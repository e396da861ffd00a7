"""ReLUConvRegressor and ReLUConvClassifier: images and signals for scikit-learn."""

from __future__ import annotations

from .classifier import ReLUClassification
from .images import ReLUImageEstimator
from .parameters import estimator
from .regressor import Regression


@estimator
class ReLUConvRegressor(Regression, ReLUImageEstimator):
    r"""Two-layer convolutional ReLU network for numbers that belong to images or signals, trained to a certified gap.

    `ReLURegressor` with a network that runs its neurons, now filters, over the patches x_k of an image and reads out
    what they see, :math:`f(x) = \sum_j \sum_k s_k (x_k^T u_j)_+ \alpha_{j,p(k)} + b` [4.1]. The number of filters is a
    result. Pixels are taken as they are: divide bytes by 255, or scale as for any penalised model.

    Examples
    --------
    The number of rising steps in a signal:

    >>> from neuralgauge import ReLUConvRegressor
    >>> X = [[0, 1, 0, 1], [0, 0, 1, 1], [1, 1, 0, 0], [0, 1, 1, 0], [1, 0, 0, 1]]
    >>> model = ReLUConvRegressor(filter_size=2, beta=1e-3).fit(X, [2, 1, 0, 1, 1])
    >>> model.predict([[1, 0, 1, 0], [1, 1, 1, 1]]).round(1).tolist()
    [1.0, 0.0]
    """

    _counterpart = "ReLUConvClassifier"


@estimator
class ReLUConvClassifier(ReLUClassification, ReLUImageEstimator):
    r"""Two-layer convolutional ReLU network for two or more classes of images or signals, trained to a certified gap.

    `ReLUClassifier` with a network that runs its neurons, now filters, over the patches x_k of an image and reads out
    what they see, :math:`f(x) = \sum_j \sum_k s_k (x_k^T u_j)_+ \alpha_{j,p(k)} + b` [4.1]. The number of filters is a
    result. Pixels are taken as they are: divide bytes by 255, or scale as for any penalised model.

    Examples
    --------
    A step up or a step down, wherever it is:

    >>> from neuralgauge import ReLUConvClassifier
    >>> X = [[0, 0, 1, 1], [0, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]]
    >>> model = ReLUConvClassifier(filter_size=2, beta=0.01).fit(X, ["up", "up", "down", "down"])
    >>> model.predict([[0, 0, 0, 1], [1, 1, 1, 0]]).tolist(), model.filters_.shape[1:]
    (['up', 'down'], (2, 1))
    """

    _counterpart = "ReLUConvRegressor"
