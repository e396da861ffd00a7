"""LinearConvRegressor and LinearConvClassifier: images and signals for scikit-learn."""

from __future__ import annotations

from .base import Penalised
from .classifier import Classification
from .images import LinearImageEstimator
from .parameters import estimator
from .regressor import Regression


@estimator
class LinearConvRegressor(Regression, Penalised, LinearImageEstimator):
    r"""Two-layer linear convolutional network for numbers that belong to images or signals, trained to a certified gap.

    `ReLUConvRegressor` without the ReLU and with an output weight for each position,
    :math:`f(x) = \sum_j \sum_k (x_k^T u_j) \alpha_{jk} + b` [9]: linear regression on whole images whose weights the
    penalty keeps to few filters. The number of filters is a result. Pixels are taken as they are: divide bytes by 255,
    or centre and scale as for any penalised model.

    Examples
    --------
    The step in the middle of a signal:

    >>> from neuralgauge import LinearConvRegressor
    >>> X = [[0, 1, 0, 1], [0, 0, 1, 1], [1, 1, 0, 0], [0, 1, 1, 0], [1, 0, 0, 1]]
    >>> model = LinearConvRegressor(filter_size=2, beta=1e-3).fit(X, [-1, 1, -1, 0, 0])
    >>> model.predict([[0, 0, 2, 0]]).round(1).tolist(), model.certificate_.scope
    ([2.0], 'exact')
    """

    _counterpart = "LinearConvClassifier"


@estimator
class LinearConvClassifier(Classification, Penalised, LinearImageEstimator):
    r"""Two-layer linear convolutional network for two or more classes of images or signals, trained to a certified gap.

    `ReLUConvClassifier` without the ReLU and with an output weight for each position,
    :math:`f(x) = \sum_j \sum_k (x_k^T u_j) \alpha_{jk} + b` [9]: a linear classifier of whole images whose weights the
    penalty keeps to few filters. The number of filters is a result. Pixels are taken as they are: divide bytes by 255,
    or centre and scale as for any penalised model.

    Examples
    --------
    A step up or a step down:

    >>> from neuralgauge import LinearConvClassifier
    >>> X = [[0, 0, 1, 1], [0, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]]
    >>> model = LinearConvClassifier(filter_size=2, beta=0.01).fit(X, ["up", "up", "down", "down"])
    >>> model.predict([[0, 0, 0, 1], [1, 1, 1, 0]]).tolist(), model.filters_.shape[1:]
    (['up', 'down'], (2, 1))
    """

    _counterpart = "LinearConvRegressor"
