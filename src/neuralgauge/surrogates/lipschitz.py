"""`lipschitz`: the exact Lipschitz constant of a network on a box."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .._array import Array, BoolArray, as_positive
from ..errors import InvalidInputError
from .box import EPS, NetworkOnBox
from .linear_program import linear_maximum
from .models import dense_network
from .norms import Estimate, largest_stretch, sum_of_entries
from .regions import THINNEST, Regions, Signs
from .search import Search

OFF_KINKS = 1e-3  # share of a point inside that takes the end of a linear program off the kinks


@dataclass(frozen=True)
class LipschitzBound:
    """The largest norm of a network's Jacobian over a box, as `lipschitz` returns it.

    Attributes
    ----------
    value : float
        The norm of `jacobian`, which the network has around `point`.
    bound : float
        Not below the norm in any activation region of the box that counts.
    point : array of shape (d,)
        Inside an activation region, off all kinks.
    jacobian : array of shape (c, d)
        At `point`; zero for features that are fixed.
    norm : float
        1, 2 or infinity.
    nodes : int
        Parts that branch and bound looked at.
    seconds : float
    """

    value: float
    bound: float
    point: Array
    jacobian: Array
    norm: float
    nodes: int
    seconds: float

    @property
    def gap(self) -> float:
        """bound - value."""
        return self.bound - self.value


def lipschitz(
    network: Any, lower: Any, upper: Any, norm: float = 2, *, gap: float = 1e-10, time_limit: float | None = None
) -> LipschitzBound:
    r"""Return the least L with |f(x) - f(z)| <= L |x - z| in a box, both in the same norm, with proof.

    .. math:: L = \max_{D} \Big\| \sum_{j \in D} \alpha_j u_j^T \Big\|

    over the sets D of neurons that are on together somewhere in the box, on a set with volume; the matrix norm that
    belongs to the norm of vectors. For one output: the largest |gradient|_2 for `norm` 2, its largest entry for 1, the
    sum of its absolute entries for infinity.

    Parameters
    ----------
    network : TwoLayerNetwork, fitted estimator, SavedModel, tuple of arrays, or a network of scikit-learn or PyTorch
        As in `output_range`; in the units of its columns and targets.
    lower, upper : float or array of shape (d,)
        The box, finite. Features with equal bounds do not move, and do not count.
    norm : {1, 2, numpy.inf}, default=2
        Of inputs and outputs alike.
    gap : float, default=1e-10
        Allowed difference of value and bound, relative to the norm of the matrix of sum_j |alpha_j u_j^T|.
    time_limit : float, optional
        Seconds.

    Returns
    -------
    LipschitzBound
        `value` is attained at `point`, and no region has more than `bound`; both are equal to `gap` unless time was
        over. A region counts if it holds a ball of radius 1e-9 where the box is scaled to [-1, 1]^d: two neurons on
        one hyperplane are not taken to have a region between them because their weights were rounded.

    Raises
    ------
    InvalidInputError
        For a box that is empty or not finite, another number of features, a convolutional network or another norm.

    Notes
    -----
    Branch and bound over the signs of the neurons that change sign over the box: a linear program shows which of them
    hold together, another bounds the norm over those that are open. For `norm` 2 and several outputs the bounds are
    less tight. At worst all regions are visited, of which there are at most sum_{k <= d} C(m, k).

    Examples
    --------
    >>> import neuralgauge as ng
    >>> network = ng.TwoLayerNetwork([[1.0, -1.0], [0.0, 0.0]], [1.0, 2.0])  # (x)_+ + 2 (-x)_+
    >>> found = ng.lipschitz(network, -3.0, 4.0)
    >>> found.value, found.jacobian.tolist(), ng.lipschitz(network, 0.0, 4.0).value
    (2.0, [[-2.0]], 1.0)
    """
    if norm not in (1, 2, np.inf) or isinstance(norm, bool):
        raise InvalidInputError(f"`norm` must be 1, 2 or numpy.inf, got {norm!r}.")
    box = NetworkOnBox.of(dense_network(network), lower, upper)
    search = Search(time_limit)
    steepest = Steepest(box, float(norm), search)
    search.tolerance = as_positive(gap, "gap") * steepest.largest
    bound = search.run(steepest.roots(), steepest.split)
    jacobian = np.zeros((box.network.n_outputs, len(box.lower)))
    with np.errstate(over="ignore"):
        jacobian[:, box.free] = np.ldexp(search.extra, steepest.exponent)
        value, bound = (float(np.ldexp(one, steepest.exponent)) for one in (search.value, bound))
    if not np.isfinite(bound):
        raise InvalidInputError("The weights are too large: their products overflow; use other units.")
    assert search.point is not None  # a step from the centre is off all kinks
    return LipschitzBound(value, bound, search.point, jacobian, float(norm), search.nodes, search.seconds)


class SignPart(NamedTuple):
    """Signs (m,) of the neurons, 0 where open; t (k,), where they hold on a ball, or None where that is not certain."""

    bound: float
    signs: Signs
    t: Array | None
    radius: float
    group: int
    split: int


class Steepest:
    """The largest norm of the Jacobian over the activation regions, by branch and bound over the neurons' signs.

    For the norms 1 and infinity the largest column or row sum of absolute values: a group of entries each, its own
    tree. The estimates of `norms` are linear in s_j = 1[z_j > 0], which is bound to t by |l_j| s_j <= z_j + |l_j| where
    s_j is to grow and z_j <= u_j s_j where it is to fall, with the exact range [l_j, u_j] of z_j over the box.
    """

    def __init__(self, box: NetworkOnBox, norm: float, search: Search) -> None:
        self.box, self.norm, self.search = box, norm, search
        W, A = box.network.U[box.free], box.network.A
        # Powers of two, which rounding does not see, so that squares neither overflow nor vanish.
        scales = [int(np.frexp(np.abs(weights).max(initial=0.0))[1]) for weights in (W, A)]
        self.exponent = sum(scales)
        parts = np.ldexp(A, -scales[1])[:, :, None] * np.ldexp(W, -scales[0]).T[:, None, :]
        reach = np.abs(box.slope).sum(axis=1)
        least, most = box.level - reach, box.level + reach
        bends = (least < 0.0) & (most > 0.0) & np.any(parts != 0.0, axis=(1, 2))
        self.parts = parts[bends]
        self.fixed = parts[~bends & (most > 0.0)].sum(axis=0)
        error = box.rounding[bends] + 4.0 * EPS
        self.least, self.most = least[bends] - error, most[bends] + error
        self.slope, self.level = box.slope[bends], box.level[bends]
        self.regions = Regions(self.slope, self.level)
        self.largest = float(self.norm_of(np.abs(self.fixed) + np.abs(self.parts).sum(axis=0)))

    def norm_of(self, J: Array) -> float:
        """The norm of a Jacobian (c, k)."""
        return float(np.linalg.norm(J, self.norm)) if J.size else 0.0

    def roots(self) -> Iterator[SignPart]:
        """The box, for each group of entries."""
        k, c = len(self.box.free), self.box.network.n_outputs
        n_groups = {1.0: k, 2.0: 1, np.inf: c}[self.norm] if k else 1
        signs = np.zeros(len(self.parts), dtype=np.int8)
        for group in range(n_groups):
            yield self.part(signs, np.zeros(k), 1.0, group)

    def estimate(self, signs: Signs, group: int) -> Estimate:
        """Of the neurons that are open, with those that are on."""
        fixed, parts = self.fixed + self.parts[signs > 0].sum(axis=0), self.parts[signs == 0]
        if self.norm == 2.0:
            return largest_stretch(fixed, parts)
        chosen = (slice(None), group) if self.norm == 1.0 else (group, slice(None))
        return sum_of_entries(fixed[chosen], parts[:, *chosen])

    def part(self, signs: Signs, t: Array | None, radius: float, group: int) -> SignPart:
        """Bound the norm on a part of the box."""
        estimate, open_ = self.estimate(signs, group), np.flatnonzero(signs == 0)
        if t is not None:
            self.offer(t, radius, signs)
        if not open_.size:
            return SignPart(estimate.root(estimate.constant), signs, t, radius, group, -1)
        loss = estimate.influence
        bound = estimate.root(estimate.constant + np.maximum(estimate.share, 0.0).sum())
        if t is not None and self.search.is_open(bound):
            found, point = self._relaxed(estimate, signs, open_)
            bound = min(bound, estimate.root(found))
            if point is not None:
                self.offer((1.0 - OFF_KINKS) * point[: len(t)] + OFF_KINKS * t, OFF_KINKS * radius, signs)
                z = self.slope[open_] @ point[: len(t)] + self.level[open_]
                loss = loss + np.abs(estimate.share * (point[len(t) :] - (z > 0.0)))
        return SignPart(bound, signs, t, radius, group, int(open_[np.argmax(loss)]))

    def _relaxed(self, estimate: Estimate, signs: Signs, open_: Any) -> tuple[float, Array | None]:
        """The estimate's largest value over t and s between 0 and 1."""
        k, share, chosen = self.slope.shape[1], estimate.share, np.flatnonzero(signs)
        side = -signs[chosen].astype(float)[:, None]
        grows = share > 0.0
        slope, level = self.slope[open_], self.level[open_]
        link = np.diag(np.where(grows, -self.least[open_], -self.most[open_]))
        A = np.block(
            [
                [np.where(grows, -1.0, 1.0)[:, None] * slope, link],
                [side * self.slope[chosen], np.zeros((len(chosen), len(open_)))],
            ]
        )
        b = np.concatenate([np.where(grows, level - self.least[open_], -level), -side[:, 0] * self.level[chosen]])
        unit = float(np.abs(share).sum()) or 1.0
        low, high = np.append(-np.ones(k), np.zeros(len(open_))), np.ones(k + len(open_))
        found = linear_maximum(np.append(np.zeros(k), share / unit), A, b, low, high)
        return estimate.constant + found.bound * unit, found.point

    def offer(self, t: Array, radius: float, signs: Signs) -> None:
        """Offer the norm on the region of t."""
        inside = self.regions.inside(t, radius, signs)
        if inside is not None:
            J = self.jacobian(inside[1])
            self.search.offer(self.norm_of(J), self.box.point(inside[0]), J)

    def jacobian(self, on: BoolArray) -> Array:
        """(c, k) for neurons that are on."""
        return self.fixed + self.parts[on].sum(axis=0)

    def split(self, part: SignPart) -> Iterator[SignPart]:
        """The two signs of a neuron, where they hold on a set of some size."""
        if part.split < 0:
            return
        j = part.split
        for sign in (1, -1):
            signs = part.signs.copy()
            signs[j] = sign
            if part.t is not None:
                radius = min(part.radius, self.regions.radius(part.t, signs))
                if radius > 10.0 * THINNEST:
                    yield self.part(signs, part.t, radius, part.group)
                    continue
            ball = self.regions.ball(signs)
            if ball.bound > THINNEST:
                yield self.part(signs, ball.t if ball.radius > THINNEST else None, ball.radius, part.group)
