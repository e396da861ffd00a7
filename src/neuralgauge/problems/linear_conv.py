"""The training problem of a linear convolutional network with a flattened readout [9]-[12]."""

from __future__ import annotations

import copy
from functools import cached_property
from typing import Any, Literal

import numpy as np

from .._array import Array
from ..errors import InvalidInputError
from ..features.patches import PatchGeometry, full_circle
from ..features.spectrum import Spectrum, price_frequencies
from ..losses import Loss
from ..networks.linear_conv import LinearConvNetwork
from .training import TrainingProblem


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
