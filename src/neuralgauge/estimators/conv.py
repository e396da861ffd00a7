"""Convolutional ReLU networks for scikit-learn: images and signals, beta given or chosen by cross-validation."""

from __future__ import annotations

from .base import Penalised
from .classifier import ReLUClassification
from .cross_validation import CrossValidated
from .images import ReLUImageEstimator
from .parameters import estimator
from .regressor import Regression


@estimator
class ReLUConvRegressor(Regression, Penalised, ReLUImageEstimator):
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
class ReLUConvClassifier(ReLUClassification, Penalised, ReLUImageEstimator):
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


@estimator
class ReLUConvRegressorCV(Regression, CrossValidated, ReLUImageEstimator):
    r"""`ReLUConvRegressor` with beta chosen by cross-validation over images.

    All folds descend one sequence of penalties together, each fold's training starting from its network at the penalty
    before; the penalty of the best mean score is then used on all images.

    Examples
    --------
    Where a signal rises, by how much:

    >>> from neuralgauge import ReLUConvRegressorCV
    >>> X = [[0, 0, k, k] if k % 2 else [0, k, k, 0] for k in range(12)]
    >>> model = ReLUConvRegressorCV(filter_size=2, n_betas=4, cv=3).fit(X, range(12))
    >>> model.betas_.shape[0] >= 4, model.scores_.shape[1], round(model.score(X, range(12)), 1)
    (True, 3, 1.0)
    """

    _counterpart = "ReLUConvClassifierCV"


@estimator
class ReLUConvClassifierCV(ReLUClassification, CrossValidated, ReLUImageEstimator):
    r"""`ReLUConvClassifier` with beta chosen by cross-validation over images.

    All folds descend one sequence of penalties together, each fold's training starting from its network at the penalty
    before; the penalty of the best mean score is then used on all images.

    Examples
    --------
    >>> from neuralgauge import ReLUConvClassifierCV
    >>> X = [[0, 0, 1, 1], [0, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]] * 3
    >>> y = ["up", "up", "down", "down"] * 3
    >>> model = ReLUConvClassifierCV(filter_size=2, n_betas=4, cv=3).fit(X, y)
    >>> model.predict([[0, 0, 0, 1], [1, 1, 1, 0]]).tolist(), float(model.mean_scores_.max())
    (['up', 'down'], 1.0)
    """

    _counterpart = "ReLUConvRegressorCV"
