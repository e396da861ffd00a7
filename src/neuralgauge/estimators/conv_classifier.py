"""ReLUConvClassifier: classification of images and signals for scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from ..features.readouts import Regions
from ..losses import Loss
from ..solvers.solution import Record
from .classifier import Classification, MultiClass
from .images import ReLUImageEstimator


class ReLUConvClassifier(ReLUImageEstimator, Classification):
    r"""Two-layer convolutional ReLU network for two or more classes of images or signals, trained to a certified gap.

    `ReLUClassifier` with a network that runs its neurons, now filters, over the patches x_k of an image and reads out
    what they see, :math:`f(x) = \sum_j \sum_k s_k (x_k^T u_j)_+ \alpha_{j,p(k)} + b` [4.1]. The number of filters is a
    result. Pixels are taken as they are: divide bytes by 255, or scale as for any penalised model.

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
    readout : {"pooled", "flattened", "separable"} or tuple of int, default="pooled"
        How outputs come from the activations at all positions. "pooled": their mean, one output weight a filter and
        class. "flattened": an output weight for each position. A tuple: the means in so many regions along each axis.
        "separable": every patch is trained to tell the class of its image, which beta is weighed against then, and the
        scores of an image are the means over its patches.
    loss : str or Loss, default="logistic"
        As for `ReLUClassifier`; only "logistic" and "softmax" give probabilities.
    multi_class : {"joint", "one_vs_rest"}, default="joint"
        As for `ReLUClassifier`.
    beta : float or None, default=None
        Penalty, > 0, never rescaled. None takes 1 % of the smallest beta that gives the empty network.
    bias : bool, default=True
        Whether filters have a bias, penalised like any weight.
    offset : bool, default=False
        Whether outputs have an offset, which is not penalised: useful for unequal classes.
    gap : float, default=1e-3
        Relative gap between objective and lower bound at which training stops, > 0.
    time_limit : float or None, default=None
        Seconds after which the best network so far is taken, with a `ConvergenceWarning`.
    random_state : int, RandomState instance or None, default=0
        Seed of the searches; the optimum does not depend on it.
    verbose : bool or callable, default=False
        True prints a line an iteration to stderr; a callable gets each `Record`.

    Attributes
    ----------
    classes_ : array of shape (c,)
        The labels, sorted.
    filters_ : array of shape (m, *filter_size, channels)
    network_ : ReLUConvNetwork
        With outputs as `ReLUClassifier` has them; for "separable" those of each patch.
    geometry_ : PatchGeometry
        Where the filters sit.
    image_shape_ : tuple of int
        (height, width, channels) or (length, channels) of one image or signal; others are refused when predicting.
    n_features_in_ : int
        Numbers in one image.
    certificate_, solution_, beta_, loss_, n_iter_
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
    X has shape (n, height, width, channels), (n, height, width), (n, length, channels) or (n, length). scikit-learn's
    own checks of estimators are for tables; what they ask holds here where it is not about columns. As for the other
    estimators the order of the samples does not matter, and an integer weight is the same as that many copies.

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

    def __init__(
        self,
        *,
        filter_size: int | tuple[int, ...] = 3,
        stride: int | tuple[int, ...] = 1,
        padding: int | tuple[int, ...] | Literal["same"] = 0,
        padding_mode: Literal["zeros", "circular"] = "zeros",
        readout: Regions = "pooled",
        loss: str | Loss = "logistic",
        multi_class: MultiClass = "joint",
        beta: float | None = None,
        bias: bool = True,
        offset: bool = False,
        gap: float = 1e-3,
        time_limit: float | None = None,
        random_state: Any = 0,
        verbose: bool | Callable[[Record], None] = False,
    ) -> None:
        self.filter_size = filter_size
        self.stride = stride
        self.padding = padding
        self.padding_mode = padding_mode
        self.readout = readout
        self.loss = loss
        self.multi_class = multi_class
        self.beta = beta
        self.bias = bias
        self.offset = offset
        self.gap = gap
        self.time_limit = time_limit
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> ReLUConvClassifier:
        """Train on images X, n >= 2, and labels y of shape (n,), with weights >= 0 or None."""
        self._fit_at(self.beta, self._checked_data(X, y, sample_weight))
        return self
