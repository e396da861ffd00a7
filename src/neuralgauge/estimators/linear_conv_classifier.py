"""LinearConvClassifier: classification of images and signals for scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from ..losses import Loss
from ..solvers.solution import Record
from .classifier import Classification
from .images import LinearImageEstimator


class LinearConvClassifier(LinearImageEstimator, Classification):
    r"""Two-layer linear convolutional network for two or more classes of images or signals, trained to a certified gap.

    `ReLUConvClassifier` without the ReLU and with an output weight for each position,
    :math:`f(x) = \sum_j \sum_k (x_k^T u_j) \alpha_{jk} + b` [9]: a linear classifier of whole images whose weights the
    penalty keeps to few filters. The number of filters is a result. Pixels are taken as they are: divide bytes by 255,
    or centre and scale as for any penalised model.

    Parameters
    ----------
    filter_size : int or tuple of int, default=3
        Of a filter along each spatial axis; filters span all channels. Three axes of X are taken as gray images if it
        is a pair, as signals with channels if it is a tuple of one number.
    stride : int or tuple of int, default=1
        Steps from one position of the filters to the next.
    padding : int, tuple of int or "same", default=0
        Pixels added on both sides, of `padding_mode` "zeros" (the default) or "circular"; see `PatchGeometry`.
    padding_mode : {"zeros", "circular"}, default="zeros"
    loss : str or Loss, default="logistic"
        As for `ReLUClassifier`; only "logistic" and "softmax" give probabilities.
    beta : float or None, default=None
        Penalty, > 0, never rescaled. None takes 1 % of the smallest beta that gives the empty network.
    offset : bool, default=False
        Whether outputs have an offset, which is not penalised: useful for unequal classes.
    gap : float, default=1e-4
        Relative gap between objective and lower bound at which training stops, > 0.
    time_limit : float or None, default=None
        Seconds after which the best network so far is taken, with a `ConvergenceWarning`.
    verbose : bool or callable, default=False
        True prints a line an iteration to stderr; a callable gets each `Record`.

    Attributes
    ----------
    classes_ : array of shape (c,)
        The labels, sorted.
    filters_ : array of shape (m, *filter_size, channels)
    network_ : LinearConvNetwork
        With one output for two classes (two for the softmax loss), else one a class.
    geometry_ : PatchGeometry
        Where the filters sit.
    image_shape_ : tuple of int
        (height, width, channels) or (length, channels) of one image or signal; others are refused when predicting.
    n_features_in_ : int
        Numbers in one image.
    certificate_ : Certificate
        Objective, lower bound and relative gap; always "exact": the bound holds for every number of filters.
    solution_, beta_, loss_, n_iter_
        As for `ReLUClassifier`.

    Raises
    ------
    InvalidInputError
        For images of different sizes, with channels first or not finite, and filters that do not fit.

    Warns
    -----
    ConvergenceWarning
        When training stopped before the requested gap; the message gives the gap that was reached.
    DroppedPixelsWarning
        If strides and padding leave some pixels out.

    Notes
    -----
    X as for `ReLUConvClassifier`. Nothing is drawn at random. Training is a convex program over all filters at
    once; see `train_linear_conv` for its cost.

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

    def __init__(
        self,
        *,
        filter_size: int | tuple[int, ...] = 3,
        stride: int | tuple[int, ...] = 1,
        padding: int | tuple[int, ...] | Literal["same"] = 0,
        padding_mode: Literal["zeros", "circular"] = "zeros",
        loss: str | Loss = "logistic",
        beta: float | None = None,
        offset: bool = False,
        gap: float = 1e-4,
        time_limit: float | None = None,
        verbose: bool | Callable[[Record], None] = False,
    ) -> None:
        self.filter_size = filter_size
        self.stride = stride
        self.padding = padding
        self.padding_mode = padding_mode
        self.loss = loss
        self.beta = beta
        self.offset = offset
        self.gap = gap
        self.time_limit = time_limit
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LinearConvClassifier:
        """Train on images X, n >= 2, and labels y of shape (n,), with weights >= 0 or None."""
        self._fit_at(self.beta, self._checked_data(X, y, sample_weight))
        return self
