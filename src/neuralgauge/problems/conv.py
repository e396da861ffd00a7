"""The training problem of a convolutional network: images cut into patches, and a readout."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from .._array import Array, check_size, with_ones
from ..errors import InvalidInputError
from ..features.patches import PatchGeometry
from ..features.readouts import Index, PatchReadout, Readout, Regions, regions_of
from ..features.rows import DenseFeatures
from ..losses import Loss
from ..losses.datafit import DataFit
from ..networks.conv import GatedConvNetwork, ReLUConvNetwork
from ..networks.dense import TwoLayerNetwork
from ..networks.foreign import network_of
from ..networks.gated import GatedNetwork
from .training import TrainingProblem


class ReLUConvProblem(TrainingProblem):
    r"""Weight-decay training of a two-layer convolutional ReLU network, section 4 of the paper.

    .. math:: p(U, A, b) = \sum_i s_i\,\ell(f(x_i), y_i)
              + \tfrac\beta2 \sum_j \left(\|u_j\|_2^2 + \|\alpha_j\|_2^2\right), \qquad
              f(x) = \sum_j \sum_k s_k\,(x_k^T u_j)_+ \alpha_{j,p(k)} + b

    over the patches x_k of an image, k = 1, ..., K, each with the output weights of its region p(k). `train`,
    `solve_program`, `relu_path`, `beta_max` and `certify` take it as any other problem.

    Parameters
    ----------
    images : array of shape (n, height, width, channels), (n, length, channels) or (n, length)
        Channels come last. Gray images (n, height, width) are taken if `filter_size` is a pair.
    y : array of shape (n,) or (n, c)
        Targets as in `TrainingProblem`. For the "separable" readout one a patch, (n, K) or (n, K, c), or one an image,
        which all its patches share.
    filter_size, stride, padding, padding_mode
        As in `PatchGeometry`.
    readout : {"pooled", "flattened", "separable"} or tuple of int
        "pooled": one output weight a filter, activations averaged over all positions (s_k = 1/K). "flattened": an
        output weight for each position (s_k = 1). A tuple: so many regions along each axis, averaged within, with
        output weights of their own. "separable": every patch is a sample of its own [4.1].
    beta, loss, bias, offset, sample_weight
        As in `TrainingProblem`; `bias` is a hidden bias a filter.

    Attributes
    ----------
    X : array of shape (N, d)
        The stacked patches, one a row, with the column of ones if `bias`. Equal patches of one sample and region are
        one row that counts several times, and zero patches without `bias` none: N <= n K.
    n, d, c, q : int
        Samples, filter entries with the bias, outputs, output weights of a filter (c times the regions).
    geometry : PatchGeometry
    regions : str or tuple
        `readout` as given.

    Raises
    ------
    InvalidInputError
        For filters that do not fit, images of another shape or not finite, or what `TrainingProblem` refuses.

    Notes
    -----
    Memory: N (d + 1) floats for the patches, which training visits many times; everything else of a convolution works
    on views. Pricing is exact where d, with the bias, is at most 3 (for one output weight a filter 5), as for dense
    networks. Source: section 4 of Pilanci & Ergen (2020).

    Examples
    --------
    >>> import numpy as np
    >>> import neuralgauge as ng
    >>> signals = np.array([[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0], [1.0, 0.0, 0.0, 1.0]])
    >>> problem = ng.ReLUConvProblem(signals, [1, 1, -1, -1], beta=0.01, filter_size=2)
    >>> problem.X.shape, problem.q
    ((12, 3), 1)
    >>> solution = ng.train(problem)
    >>> solution.certificate.scope, solution.network.filters.shape[1:]
    ('exact', (2, 1))
    """

    def __init__(
        self,
        images: Any,
        y: Any,
        *,
        beta: float,
        filter_size: int | tuple[int, ...],
        stride: int | tuple[int, ...] = 1,
        padding: int | tuple[int, ...] | Literal["same"] = 0,
        padding_mode: Literal["zeros", "circular"] = "zeros",
        readout: Regions = "pooled",
        loss: str | Loss = "squared",
        bias: bool = True,
        offset: bool = False,
        sample_weight: Any = None,
    ) -> None:
        self.geometry = PatchGeometry.of(images, filter_size, stride, padding, padding_mode)
        self.regions: Regions = readout
        self.bias = bool(bias)
        self._set_images(images)
        K = self.geometry.n_positions
        if readout == "separable":
            y = _per_patch(y, len(images), K)
            sample_weight = None if sample_weight is None else np.repeat(np.asarray(sample_weight), K)
        self._set(DataFit.of(y, self.features.n, loss, offset, sample_weight), beta)
        check_size("X", self.X)

    def _set_images(self, images: Any) -> None:
        geometry = self.geometry
        rows = geometry.stack(geometry.images(images))
        region, weight, n_regions = regions_of(self.regions, geometry.output_shape)
        readout: Readout | None = None
        if self.regions != "separable":
            n = len(rows) // geometry.n_positions
            sample = np.repeat(np.arange(n), geometry.n_positions)
            first, counts = _distinct(rows, sample, np.tile(region, n), np.tile(weight, n), self.bias)
            rows = rows[first]
            readout = PatchReadout(sample[first], np.tile(region, n)[first], counts, n, n_regions)
        self.features = DenseFeatures(with_ones(rows) if self.bias else rows, readout)

    def with_data(self, X: Any, y: Any) -> ReLUConvProblem:
        """Other images and targets, unweighted, under the same loss, penalty, outputs and geometry."""
        other = ReLUConvProblem.__new__(ReLUConvProblem)
        other.geometry, other.regions, other.bias = self.geometry, self.regions, self.bias
        other._set_images(X)
        y = self.fit.targets_like(
            _per_patch(y, len(X), self.geometry.n_positions) if self.regions == "separable" else y
        )
        other._set(DataFit.of(y, other.features.n, self.loss, self.offset), self.beta)
        return other

    def empty_network(self) -> ReLUConvNetwork:
        """The best network without filters: outputs zero, or with `offset` the best constant."""
        U, A = np.zeros((self.d, 0)), np.zeros((0, self.q))
        return ReLUConvNetwork(U, A, self.bias, self.fit.constant, geometry=self.geometry, readout=self.regions)

    def network_of(self, model: Any) -> TwoLayerNetwork:
        """Return a model as a network of this problem; `networks.foreign.network_of` lists what is taken."""
        return self._fitting(network_of(model, self.bias, self.offset, self.geometry, self.regions))

    def gated_network(self, W: Array, gates: Array | None, directions: Array, offset: Array) -> GatedNetwork:
        """The gated network of blocks W (m, d), gates (m, d) and directions (m, q)."""
        return GatedConvNetwork(W, gates, self.bias, directions, offset, geometry=self.geometry, readout=self.regions)


def _per_patch(y: Any, n: int, K: int) -> Any:
    """Targets of stacked patches, from one an image or one a patch."""
    values = np.asarray(y)
    if values.shape[:1] != (n,):
        raise InvalidInputError(f"`y` must have one row per image ({n}), got {values.shape[:1]}.")
    if values.ndim >= 2 and values.shape[1] == K:
        return values.reshape(n * K, *values.shape[2:])
    return np.repeat(values, K, axis=0)


def _distinct(rows: Array, sample: Index, region: Index, weight: Array, bias: bool) -> tuple[Index, Array]:
    """One row of those that are equal in a sample and region, in order, and the sum of their weights."""
    # Whole numbers wrap around exactly, so equal rows have equal keys; what shares a key is compared.
    factors = np.random.default_rng(0).integers(1, 2**63, rows.shape[1], dtype=np.uint64) | np.uint64(1)
    bits = (rows + 0.0).view(np.uint64)
    key = (bits ^ (bits >> np.uint64(32))) @ factors  # of whole numbers all but a dozen high bits are 0
    order = np.lexsort((key, region, sample))
    ahead, behind = order[1:], order[:-1]
    same = (sample[ahead] == sample[behind]) & (region[ahead] == region[behind]) & (key[ahead] == key[behind])
    same[same] = np.all(rows[ahead[same]] == rows[behind[same]], axis=1)
    group = np.concatenate([[0], np.cumsum(~same)])
    first = order[np.concatenate([[True], ~same])]
    counts: Array = np.bincount(group, weight[order]).astype(np.float64, copy=False)
    if not bias and np.any(used := np.any(rows[first] != 0.0, axis=1)):
        first, counts = first[used], counts[used]
    back = np.argsort(first)
    return first[back], counts[back]
