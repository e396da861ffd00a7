"""The training problem of a linear convolutional network with a flattened readout [9]-[12]."""

from __future__ import annotations

import copy
from typing import Any, Literal

import numpy as np

from .._array import Array, check_size
from ..errors import InvalidInputError
from ..features.images import Images
from ..features.patches import PatchGeometry
from ..losses import Loss
from ..losses.datafit import DataFit
from ..networks.linear_conv import LinearConvNetwork
from .base import Problem
from .polar import Polar


class LinearConvProblem(Problem[LinearConvNetwork]):
    r"""Weight-decay training of a linear convolutional network with a flattened readout [9].

    .. math:: p(U, \alpha, b) = \sum_i s_i\,\ell(f(x_i), y_i)
              + \tfrac\beta2 \sum_j \left(\|u_j\|_2^2 + \|\alpha_j\|_2^2\right), \qquad
              f(x) = \sum_j \sum_k (x_k^T u_j)\, \alpha_{j,k} + b

    over the patches x_k of an image, k = 1, ..., K. With min(d, K c) filters or more, and by [11] no more are of use,
    its minimum is that of a convex program, the loss plus beta times the nuclear norm of a matrix (d, K c).

    Parameters
    ----------
    images, filter_size, stride, padding, padding_mode
        As in `ReLUConvProblem`.
    y, beta, loss, offset, sample_weight
        As in `TrainingProblem`.

    Attributes
    ----------
    X : array of shape (n, n_pixels)
        The images as rows; patches are never formed.
    d, n_positions : int
        Filter entries, and positions K.
    geometry : PatchGeometry

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
    >>> problem.d, problem.n_positions, round(ng.beta_max(problem), 4)
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
        geometry = PatchGeometry.of(images, filter_size, stride, padding, padding_mode)
        rows = geometry.images(images).reshape(-1, geometry.n_pixels)
        self._set(DataFit.of(y, len(rows), loss, offset, sample_weight), beta)
        self.images = Images(rows, geometry)
        check_size("X", rows)

    @property
    def geometry(self) -> PatchGeometry:
        """Where the filters sit."""
        return self.images.geometry

    @property
    def X(self) -> Array:
        """The images as rows, (n, n_pixels), read-only."""
        return self.images.X

    @property
    def d(self) -> int:
        """Filter entries."""
        return self.geometry.d

    @property
    def n_positions(self) -> int:
        """K."""
        return self.geometry.n_positions

    @property
    def reach(self) -> float:
        """Bound on |f| of one sample for one atom: the norm of all its patches together."""
        return self.images.reach

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
        other = copy.copy(self)
        circle = PatchGeometry(geometry.shape, geometry.spatial_shape, 1, "same", "circular")
        other.images = Images(self.X, circle)
        return other

    def centred(self) -> tuple[LinearConvProblem, Array]:
        """The problem of the images less their mean, and that mean (n_pixels,).

        With an offset both have the same networks and bounds: b there is b + mean^T theta here.
        """
        mean, other = self.X.mean(axis=0), copy.copy(self)
        other.images = Images(self.X - mean, self.geometry)
        return other, mean

    def outputs(self, network: LinearConvNetwork) -> Array:
        """The network's own outputs on the samples, of y's shape."""
        return (self.images.outputs(network.pixels) + network.offset).reshape(self.y.shape)

    def empty_network(self) -> LinearConvNetwork:
        """The best network without filters: outputs zero, or with `offset` the best constant."""
        U, A = np.zeros((self.d, 0)), np.zeros((0, self.n_positions, self.c))
        return LinearConvNetwork(U, A, self.geometry, self.fit.constant)

    def network_of(self, model: Any) -> LinearConvNetwork:
        """Return a LinearConvNetwork, or weight arrays (U, A) or (U, A, offset), as a network of this problem."""
        if isinstance(model, tuple) and len(model) in (2, 3):
            model = LinearConvNetwork(model[0], model[1], self.geometry, *model[2:])
        if not isinstance(model, LinearConvNetwork):
            raise InvalidInputError(
                "`network` must be a LinearConvNetwork or a tuple (U, A) or (U, A, offset) for a LinearConvProblem, "
                f"got {type(model).__name__}; ReLU networks belong to ReLUConvProblem."
            )
        for name, found, wanted in (
            ("geometry", model.geometry.places, self.geometry.places),
            ("number of outputs", model.n_outputs, self.c),
        ):
            if found != wanted:
                raise InvalidInputError(f"the network must have the {name} of the problem, {wanted}, got {found}.")
        if np.any(model.offset) and not self.offset:
            raise InvalidInputError(
                "the network has an output offset and the problem has none; use LinearConvProblem(..., offset=True)."
            )
        return model

    def with_data(self, X: Any, y: Any) -> LinearConvProblem:
        """Other images and targets, unweighted, under the same loss, penalty, outputs and geometry."""
        other = copy.copy(self)
        rows = self.geometry.images(X).reshape(-1, self.geometry.n_pixels)
        other.images = Images(rows, self.geometry)
        other._set(DataFit.of(self.fit.targets_like(y), len(rows), self.loss, self.offset), self.beta)
        return other

    def attained(self, v: Array, network: LinearConvNetwork) -> float:
        """The largest score of the network's own filters at v: never above G(v)."""
        norms = np.linalg.norm(network.U.T @ self.images.patched_adjoint(v.reshape(self.n, -1)), axis=1)
        return float(np.max(norms / np.linalg.norm(network.U, axis=0), initial=0.0))

    def polar(self, v: Array, random_state: int = 0) -> Polar:
        r"""The polar gauge G(v) = sigma_max([X_1^T v, ..., X_K^T v]), [12], in closed form."""
        return Polar(*self.images.largest_singular_value(v.reshape(self.n, -1)), "exact")
