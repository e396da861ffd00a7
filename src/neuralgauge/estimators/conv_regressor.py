"""ReLUConvRegressor: regression on images and signals for scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from ..features.readouts import Regions
from ..losses import Loss
from ..solvers.solution import Record
from .images import ReLUImageEstimator
from .regressor import Regression


class ReLUConvRegressor(ReLUImageEstimator, Regression):
    r"""Two-layer convolutional ReLU network for numbers that belong to images or signals, trained to a certified gap.

    `ReLURegressor` with a network that runs its neurons, now filters, over the patches x_k of an image and reads out
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
        target. "flattened": an output weight for each position. A tuple: the means in so many regions along each axis.
        "separable": every patch is trained to tell the target of its image, which beta is weighed against then, and
        the output f of an image is the mean over its patches.
    loss : str or Loss, default="squared"
        As for `ReLURegressor`.
    beta : float or None, default=None
        Penalty, > 0, never rescaled. None takes 1 % of the smallest beta that gives the empty network.
    bias : bool, default=True
        Whether filters have a bias, penalised like any weight.
    offset : bool, default=False
        Whether outputs have an offset, which is not penalised: predictions then follow a shift of y.
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
    filters_ : array of shape (m, *filter_size, channels)
    network_ : ReLUConvNetwork
        Its outputs are f, for the Poisson loss too, and for "separable" those of each patch.
    geometry_ : PatchGeometry
        Where the filters sit.
    image_shape_ : tuple of int
        (height, width, channels) or (length, channels) of one image or signal; others are refused when predicting.
    n_features_in_ : int
        Numbers in one image.
    certificate_, solution_, beta_, loss_, n_iter_
        As for `ReLURegressor`.

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
    X has shape (n, height, width, channels), (n, height, width), (n, length, channels) or (n, length), and y (n,) or
    (n, c). The rest is as for `ReLUConvClassifier`.

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

    def __init__(
        self,
        *,
        filter_size: int | tuple[int, ...] = 3,
        stride: int | tuple[int, ...] = 1,
        padding: int | tuple[int, ...] | Literal["same"] = 0,
        padding_mode: Literal["zeros", "circular"] = "zeros",
        readout: Regions = "pooled",
        loss: str | Loss = "squared",
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
        self.beta = beta
        self.bias = bias
        self.offset = offset
        self.gap = gap
        self.time_limit = time_limit
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> ReLUConvRegressor:
        """Train on images X, n >= 2, and y of shape (n,) or (n, c), with weights >= 0 or None."""
        self._fit_at(self.beta, self._checked_data(X, y, sample_weight))
        return self
