"""Two-layer convolutional networks: filters applied to every patch of an image, and a readout of the activations."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from .._array import Array
from ..errors import InvalidInputError
from ..features.patches import PatchGeometry
from ..features.readouts import Regions, region_grid, regions_of
from .dense import TwoLayerNetwork
from .gated import GatedNetwork

PREDICTED_AT_A_TIME = 2**21  # activations in memory at a time, 16 MiB


@dataclass(frozen=True, kw_only=True)
class ReLUConvNetwork(TwoLayerNetwork):
    r"""f(x) = sum_p sum_{k in p} s_p sum_j (x_k^T u_j)_+ alpha_{j,p} + b over the patches x_k of an image.

    Parameters
    ----------
    U : array of shape (d, m)
        Filters, one a column, entries in the order of `geometry`; with `bias` the last row multiplies a constant one.
    A : array of shape (m, P c)
        Output weights, for each region p all c outputs.
    bias, offset : bool, float or array of shape (c,)
        As in `TwoLayerNetwork`.
    geometry : PatchGeometry
        Where the filters sit.
    readout : {"pooled", "flattened", "separable"} or tuple of int
        How positions make regions; see `ReLUConvProblem`. "separable" reads every patch alone, so that outputs have
        shape (n, K) or (n, K, c).

    Examples
    --------
    Two edges of a signal, averaged over its positions:

    >>> import neuralgauge as ng
    >>> geometry = ng.PatchGeometry((4, 1), filter_size=2)
    >>> net = ng.ReLUConvNetwork([[-1.0, 1.0], [1.0, -1.0]], [3.0, -3.0], bias=False, geometry=geometry)
    >>> net.predict([[0.0, 1.0, 2.0, 0.0]]).round(12).tolist()
    [0.0]
    """

    geometry: PatchGeometry
    readout: Regions = "pooled"

    def __post_init__(self) -> None:
        super().__post_init__()
        expected = self.geometry.d + int(self.bias)
        if self.U.shape[0] != expected:
            ones = " and one for the bias" if self.bias else ""
            raise InvalidInputError(
                f"`U` must have one row per filter entry ({self.geometry.d}){ones}, got {self.U.shape[0]}."
            )

    def _outputs_of(self, A: Array) -> int:
        n_regions = math.prod(region_grid(self.readout, self.geometry.output_shape))
        if A.shape[1] % n_regions:
            raise InvalidInputError(
                f"`A` must have the outputs of each of {n_regions} regions as columns, got {A.shape[1]}; "
                "that is not a multiple."
            )
        return A.shape[1] // n_regions

    @property
    def filters(self) -> Array:
        """Filters without biases, (m, *filter_size, channels)."""
        geometry = self.geometry
        return self.U[: geometry.d].T.reshape(-1, *geometry.filters, geometry.channels)

    def forward(self, design: Array) -> Array:
        """Outputs for stacked patches (n K, d), with the column of ones if `bias`."""
        H = np.maximum(design @ self.U, 0.0)
        return self._squeezed(_read(H.reshape(-1, self.geometry.n_positions, self.n_neurons), self.A, self._regions))

    def predict(self, X: Any) -> Array:
        """Outputs for images (n, *geometry.shape): (n,) for c = 1, else (n, c); "separable" has (n, K) first."""

        def activations(pre: Array) -> Array:
            if self.bias:
                pre += self.U[-1]
            return np.maximum(pre, 0.0, out=pre)

        return self._squeezed(_predict(self.geometry, X, self.U[: self.geometry.d], activations, self.A, self._regions))

    def predict_images(self, X: Any) -> Array:
        """Outputs for whole images, (n,) or (n, c): those of `predict`, of "separable" their means over patches."""
        outputs = self.predict(X)
        return outputs.mean(axis=1) if self.readout == "separable" else outputs

    @property
    def _regions(self) -> Array | csr_array | None:
        return _region_sums(self.readout, self.geometry)

    def _squeezed(self, f: Array) -> Array:
        f = f + self.offset
        return f[..., 0] if self.n_outputs == 1 else f


@dataclass(frozen=True, kw_only=True)
class GatedConvNetwork(GatedNetwork):
    """The gated network over patches: 1[x_k^T h_j >= 0] (x_k^T w_j) in the place of (x_k^T u_j)_+.

    Parameters
    ----------
    W, gates, bias, offset
        As in `GatedNetwork`, of shape (m, d).
    directions : array of shape (m, P c)
        Output directions g_j.
    geometry, readout
        As in `ReLUConvNetwork`.

    Examples
    --------
    One gate that is always open, so that the network is linear:

    >>> import numpy as np
    >>> import neuralgauge as ng
    >>> geometry = ng.PatchGeometry((4, 1), filter_size=2)
    >>> weights = dict(W=np.array([[3.0, 0.0]]), gates=np.zeros((1, 2)), directions=np.ones((1, 1)))
    >>> net = ng.GatedConvNetwork(**weights, bias=False, geometry=geometry)
    >>> net.predict([[-1.0, 1.0, 2.0, 5.0]]).round(12).tolist()
    [2.0]
    """

    geometry: PatchGeometry
    readout: Regions = "pooled"

    def predict(self, X: Any) -> Array:
        """Outputs for images (n, *geometry.shape)."""
        if self.gates is None:
            return super().predict(X)  # raises the error
        assert self.directions is not None
        both, m = np.vstack([self.gates, self.W]).T, len(self.W)

        def activations(pre: Array) -> Array:
            if self.bias:
                pre += both[-1]
            return (pre[..., :m] >= 0) * pre[..., m:]

        regions = _region_sums(self.readout, self.geometry)
        f = _predict(self.geometry, X, both[: self.geometry.d], activations, self.directions, regions) + self.offset
        return f[..., 0] if f.shape[-1] == 1 else f


def _region_sums(readout: Regions, geometry: PatchGeometry) -> Array | csr_array | None:
    """(P, K): the weights of the positions in each region; None where every position is read alone."""
    if readout == "separable":
        return None
    region, weight, n_regions = regions_of(readout, geometry.output_shape)
    # K entries that are not zero: a network that is flattened has as many regions as positions.
    sums = csr_array((weight, (region, np.arange(len(region)))), shape=(n_regions, len(region)))
    return sums if n_regions > 1 else sums.toarray()


def _read(H: Array, A: Array, sums: Array | csr_array | None) -> Array:
    """(n, c), or (n, K, c) where positions are read alone, from activations (n, K, m)."""
    if sums is None:
        return H @ A
    (n, K, m), (P, q) = H.shape, (sums.shape[0], A.shape[1])
    weights = A.reshape(m, P, q // P).transpose(1, 0, 2).reshape(P * m, q // P)
    if isinstance(sums, csr_array):
        pooled = (sums @ H.transpose(1, 0, 2).reshape(K, n * m)).reshape(P, n, m).transpose(1, 0, 2)
    else:
        pooled = np.matmul(sums, H)
    return pooled.reshape(n, P * m) @ weights


def _predict(
    geometry: PatchGeometry,
    images: Any,
    filters: Array,
    activations: Callable[[Array], Array],
    A: Array,
    sums: Array | csr_array | None,
) -> Array:
    values = geometry.images(images, "X")
    step = max(1, PREDICTED_AT_A_TIME // max(1, geometry.n_positions * filters.shape[1]))
    parts = [
        _read(activations(geometry.hidden(values[first : first + step], filters)), A, sums)
        for first in range(0, len(values), step)
    ]
    return np.concatenate(parts)
