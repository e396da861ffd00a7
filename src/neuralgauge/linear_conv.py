"""Linear convolutional networks with a flattened readout: the network and its training problem [9]-[12]."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from scipy import fft

from ._array import Array, balanced_rows, frozen
from .errors import InvalidInputError
from .losses import Loss
from .patches import PatchGeometry, full_circle
from .problem import TrainingProblem
from .spectrum import Spectrum, price_frequencies

Shift = Array | float


@dataclass(frozen=True)
class LinearConvNetwork:
    r"""f(x) = sum_j sum_k (x_k^T u_j) alpha_{j,k} + b over the patches x_k of an image: filters, then output weights.

    Parameters
    ----------
    U : array of shape (d, m)
        Filters, one a column, entries in the order of `geometry`.
    A : array of shape (m, K, c)
        Output weights of each filter at each position; (m, K) is taken as c = 1.
    geometry : PatchGeometry
        Where the filters sit.
    offset : float or array of shape (c,)
        Output offset b, 0 by default; weight decay does not charge for it.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> geometry = ng.PatchGeometry((4, 1), filter_size=2)
    >>> net = ng.LinearConvNetwork([[-1.0], [1.0]], [[1.0, 1.0, 2.0]], geometry)
    >>> net.predict([[0.0, 1.0, 2.0, 5.0]]).tolist(), net.weight_decay()
    ([8.0], 4.0)
    """

    U: Array
    A: Array
    geometry: PatchGeometry
    offset: Shift = 0.0

    def __post_init__(self) -> None:
        U, A = np.array(self.U, dtype=np.float64, order="C"), np.array(self.A, dtype=np.float64, order="C")
        A = A[:, :, None] if A.ndim == 2 else A
        d, K = self.geometry.d, self.geometry.n_positions
        if U.ndim != 2 or A.ndim != 3 or U.shape[0] != d or A.shape[:2] != (U.shape[1], K):
            raise InvalidInputError(
                f"`U` must have shape (d, m) = ({d}, m) and `A` (m, K) or (m, K, c) with K = {K} positions, "
                f"got {U.shape} and {A.shape}; columns of U are filters, transpose if yours are rows."
            )
        offset = np.array(self.offset, dtype=np.float64).ravel()
        if offset.size not in (1, A.shape[2]):
            raise InvalidInputError(f"`offset` must be a number or have {A.shape[2]} entries, got {offset.size}.")
        if not (np.isfinite(U).all() and np.isfinite(A).all() and np.isfinite(offset).all()):
            raise InvalidInputError("`U`, `A` and `offset` must be finite, got NaN or infinite weights.")
        object.__setattr__(self, "U", frozen(U))
        object.__setattr__(self, "A", frozen(A))
        object.__setattr__(self, "offset", frozen(np.broadcast_to(offset, A.shape[2:]).copy()))

    @classmethod
    def of_matrix(cls, Z: Array, geometry: PatchGeometry, offset: Shift = 0.0) -> LinearConvNetwork:
        """The balanced network of Z = sum_j s_j p_j q_j^T (d, K c): u_j = sqrt(s_j) p_j, alpha_j = sqrt(s_j) q_j.

        Its weight decay is the nuclear norm of Z, the least of all networks with this function [11].
        """
        P, s, Qt = np.linalg.svd(Z, full_matrices=False)
        alive = s > max(Z.shape) * np.finfo(float).eps * np.max(s, initial=0.0)  # below, zeros are rounded
        root = np.sqrt(s[alive])
        A = (root[:, None] * Qt[alive]).reshape(len(root), geometry.n_positions, Z.shape[1] // geometry.n_positions)
        return cls(P[:, alive] * root, A, geometry, offset)

    @property
    def n_neurons(self) -> int:
        """m, the number of filters."""
        return self.U.shape[1]

    @property
    def n_outputs(self) -> int:
        """c."""
        return self.A.shape[2]

    @property
    def filters(self) -> Array:
        """The filters as images, (m, *filter_size, channels)."""
        return self.U.T.reshape(-1, *self.geometry.filters, self.geometry.channels)

    @property
    def matrix(self) -> Array:
        """Z = U A (d, K c), which decides the outputs."""
        result: Array = self.U @ self.A.reshape(self.n_neurons, self.A.shape[1] * self.A.shape[2])
        return result

    @property
    def pixels(self) -> Array:
        """theta (n_pixels, c): the network is the linear map x^T theta + b of whole images."""
        if full_circle(self.geometry):
            return self._cyclic_pixels()
        Z = self.matrix.reshape(len(self.U), *self.A.shape[1:])
        return self.geometry.spread(Z.transpose(1, 0, 2))

    def _cyclic_pixels(self) -> Array:
        """The same by the convolution theorem where filters meet every cyclic shift: no matrix of K^2 entries."""
        geometry, (m, _, c) = self.geometry, self.A.shape
        spatial, axes = geometry.spatial_shape, tuple(range(1, len(geometry.shape)))
        U_hat = fft.rfftn(self.U.T.reshape(m, *geometry.shape), axes=axes)
        A_hat = fft.rfftn(self.A.reshape(m, *spatial, c), axes=axes)
        product = np.einsum("m...a,m...c->...ac", U_hat, A_hat).reshape(*U_hat.shape[1:-1], geometry.channels * c)
        axes = tuple(range(len(spatial)))
        theta = fft.irfftn(product, s=spatial, axes=axes)
        # Position k holds the patch that begins `before` pixels ahead of pixel k.
        return np.roll(theta, [-before for before, _ in geometry.pads], axis=axes).reshape(geometry.n_pixels, c)

    def predict(self, images: Any) -> Array:
        """Outputs for images (n, *geometry.shape): (n,) for c = 1, else (n, c). No patches are copied."""
        values = self.geometry.images(images)
        outputs: Array = values.reshape(len(values), -1) @ self.pixels + self.offset
        return outputs[:, 0] if self.n_outputs == 1 else outputs

    def weight_decay(self) -> float:
        """(|U|^2 + |A|^2) / 2, the penalty of [9] without its beta."""
        with np.errstate(over="ignore"):
            return 0.5 * float(np.sum(self.U**2) + np.sum(self.A**2))

    def balanced(self) -> LinearConvNetwork:
        """The same function with |u_j| = |alpha_j|; filters that do nothing, |u_j| |alpha_j| < 1e-300, are dropped."""
        columns, rows, alive = balanced_rows(self.U.T, self.A.reshape(self.n_neurons, -1))
        A = rows.reshape(int(alive.sum()), *self.A.shape[1:])
        return LinearConvNetwork(columns.T, A, self.geometry, self.offset)


class LinearConvProblem:
    r"""Weight-decay training of a linear convolutional network with a flattened readout [9].

    .. math:: p(U, \alpha, b) = \sum_i s_i\,\ell(f(x_i), y_i)
              + \tfrac\beta2 \sum_j \left(\|u_j\|_2^2 + \|\alpha_j\|_2^2\right), \qquad
              f(x) = \sum_j \sum_k (x_k^T u_j)\, \alpha_{j,k} + b

    over the patches x_k of an image, k = 1, ..., K. With min(d, K c) filters or more, and by [11] no more are of use,
    its minimum is that of a convex program, the loss plus beta times the nuclear norm of a matrix (d, K c).

    Parameters
    ----------
    images : array of shape (n, height, width, channels), (n, length, channels) or (n, length)
        Channels come last. Gray images (n, height, width) are taken if `filter_size` is a pair.
    y : array of shape (n,) or (n, c)
        Targets as in `TrainingProblem`.
    beta : float
        Penalty, > 0.
    filter_size, stride, padding, padding_mode
        As in `PatchGeometry`.
    loss, offset, sample_weight
        As in `TrainingProblem`.

    Attributes
    ----------
    X : array of shape (n, n_pixels)
        The images as rows; patches are never formed.
    d, n_positions : int
        Filter entries, and positions K.
    geometry : PatchGeometry
    dense : TrainingProblem
        Targets, loss and penalty; its neurons play no part.

    Raises
    ------
    InvalidInputError
        For filters that do not fit, images of another shape or not finite, or what `TrainingProblem` refuses.

    Notes
    -----
    Source: section 4.2 and [9]-[12] of Pilanci & Ergen (2020); c outputs and losses other than the squared one ours.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> signals = [[0.0, 1.0, 3.0, 0.0], [0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 0.0], [1.0, 0.0, 0.0, 1.0]]
    >>> problem = ng.LinearConvProblem(signals, [1, 1, -1, -1], beta=0.1, filter_size=2)
    >>> problem.d, problem.n_positions, round(problem.beta_max(), 4)
    (2, 3, 3.1623)
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
        loss: str | Loss = "squared",
        offset: bool = False,
        sample_weight: Any = None,
    ) -> None:
        self.geometry = PatchGeometry.of(images, filter_size, stride, padding, padding_mode)
        rows = self.geometry.images(images).reshape(-1, self.geometry.n_pixels)
        self.dense = TrainingProblem(
            rows, y, beta=beta, loss=loss, bias=False, offset=offset, sample_weight=sample_weight
        )

    @property
    def X(self) -> Array:
        """The images as rows, (n, n_pixels)."""
        return self.dense.X

    @property
    def y(self) -> Array:
        """Targets, (n,) or (n, c)."""
        return self.dense.y

    @property
    def beta(self) -> float:
        """Penalty."""
        return self.dense.beta

    @property
    def loss(self) -> Loss:
        """Loss."""
        return self.dense.loss

    @property
    def offset(self) -> bool:
        """Whether the outputs have an offset."""
        return self.dense.offset

    @property
    def sample_weight(self) -> Array:
        """s, (n,)."""
        return self.dense.sample_weight

    @property
    def n(self) -> int:
        """Samples."""
        return self.dense.n

    @property
    def c(self) -> int:
        """Outputs."""
        return self.dense.c

    @property
    def d(self) -> int:
        """Filter entries."""
        return self.geometry.d

    @property
    def n_positions(self) -> int:
        """K."""
        return self.geometry.n_positions

    def with_beta(self, beta: float) -> LinearConvProblem:
        """The same images and loss with another penalty."""
        other = copy.copy(self)
        other.dense = self.dense.with_beta(beta)
        return other

    def with_full_filters(self) -> LinearConvProblem:
        r"""The relaxation [14]: filters as long as the image, at each of its cyclic shifts.

        A filter of this problem, padded by zeros, is one of those, with the same function and weight decay: the optimum
        of the relaxation is a lower bound of this one. It is no more than that, for its filters are waves that fill the
        image. Filters that already do so give the problem itself.

        Raises
        ------
        InvalidInputError
            If filters meet padding by zeros, a pixel or a shift twice: then the bound does not hold.
        """
        geometry = self.geometry
        axes = zip(geometry.spatial_shape, geometry.filters, geometry.output_shape, geometry.strides, strict=True)
        once = all(size <= length and (K - 1) * step < length for length, size, K, step in axes)
        if not once or (geometry.padding_mode == "zeros" and any(map(any, geometry.pads))):
            raise InvalidInputError(
                f"the circular relaxation needs filters that meet each pixel and each cyclic shift at most once and no "
                f"zeros around the image, got filters {geometry.filters}, padding {geometry.padding!r}, "
                f"{geometry.padding_mode!r}; use padding=0, or "
                'padding="same" with padding_mode="circular".'
            )
        other = LinearConvProblem.__new__(LinearConvProblem)
        other.geometry = PatchGeometry(geometry.shape, geometry.spatial_shape, 1, "same", "circular")
        other.dense = self.dense
        return other

    def objective(self, network: LinearConvNetwork) -> float:
        """The weight-decay objective [9] of a network, from its own outputs and weights."""
        f = self.X @ network.pixels + network.offset
        return self.dense.loss_value(f.reshape(self.y.shape)) + self.beta * network.weight_decay()

    def empty_network(self) -> LinearConvNetwork:
        """The best network without filters: outputs zero, or with `offset` the best constant."""
        U, A = np.zeros((self.d, 0)), np.zeros((0, self.n_positions, self.c))
        return LinearConvNetwork(U, A, self.geometry, self.dense.empty_network().offset)

    def adjoint(self, v: Array) -> Array:
        """[X_1^T v, ..., X_K^T v], (d, K c): what a filter gains at each position."""
        gathered = self.geometry.gather(self.X.T @ v.reshape(self.n, -1))
        return gathered.transpose(1, 0, 2).reshape(self.d, -1)

    def gauge(self, v: Array) -> tuple[float, float]:
        r"""G(v) = sigma_max([X_1^T v, ..., X_K^T v]), [12]: its value, and an upper bound on it.

        In closed form, by the eigenvalues of the smaller Gram; the bound adds what rounding can have taken away.
        """
        if full_circle(self.geometry):
            pull, bound = price_frequencies(self.X, v.reshape(self.n, -1), Spectrum.of(self.geometry.shape))
            return float(pull.max()), bound
        T = self.adjoint(v)
        G = T @ T.T if T.shape[0] <= T.shape[1] else T.T @ T
        square, energy = float(np.linalg.eigvalsh(G)[-1]), float(np.sum(T * T))
        eps = float(np.finfo(float).eps)
        # Of the Gram max(T.shape) products are added up, of X^T v n of them; the rest is the eigenvalue's.
        rounded = max(square, 0.0) + (max(T.shape) + 10 * min(T.shape)) * eps * energy
        slack = (self.n + 2) * eps * self.size * float(np.linalg.norm(v))
        return float(np.sqrt(max(square, 0.0))), float(np.sqrt(rounded)) + slack

    @cached_property
    def cover(self) -> int:
        """The most patches that one pixel is seen in."""
        geometry = self.geometry
        return int(geometry.spread(np.ones((geometry.n_positions, geometry.d, 1))).max())

    @cached_property
    def size(self) -> float:
        """A bound on the Frobenius norm of all patches of all images."""
        return float(np.sqrt(self.cover) * np.linalg.norm(self.X))

    def beta_max(self) -> float:
        """G(-grad L) at the empty network: at or above it that network is globally optimal."""
        v = self.dense.empty_dual()
        return self.gauge(v)[0] if np.any(v) else 0.0
