r"""Constraints that neurons obey one by one, so that the network does on every input.

With s_k in {-1, 0, +1} for column k, the network :math:`f(x) = \sum_j \alpha_j (u_j^T x)_+ + b` does not fall in x_k
for s_k = +1, and does not rise for s_k = -1, where :math:`s_k \alpha_j u_{jk} \ge 0` for every neuron; it is convex
where every :math:`\alpha_j \ge 0`, concave where every :math:`\alpha_j \le 0`, and never negative where every
:math:`\alpha_j \ge 0` and b = 0. So neurons of output sign s lie in the orthant :math:`s\, s_k u_k \ge 0`.

The conditions are sufficient; a network may be monotone while some of its neurons are not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Self

import numpy as np

from .._array import Array, BoolArray, frozen
from ..errors import InvalidInputError
from ..networks.dense import N
from ..pricing.orthant import clipped, reflected
from ..quoting import quoted

CONVEXITIES: dict[str, tuple[float, ...]] = {"convex": (1.0,), "concave": (-1.0,)}
Monotonic = Sequence[int] | Mapping[str, int] | None
Convexity = Literal["convex", "concave"] | None


class Constraints(NamedTuple):
    """What users ask of a network's outputs, as the arguments of `TrainingProblem` of these names."""

    monotonic_cst: Monotonic = None
    convexity: Convexity = None
    positive: bool = False

    def by_position(self, names: Sequence[str] | None, count: int) -> Self:
        """The same with a sign for each of so many columns in the place of names of columns; checked."""
        if self.monotonic_cst is None:
            return self
        signs = _signs_of_columns(self.monotonic_cst, names, count)
        return self._replace(monotonic_cst=tuple(int(sign) for sign in signs))


UNCONSTRAINED = Constraints()


@dataclass(frozen=True)
class NeuronConstraints:
    """Signs s (d,) of the columns of the design matrix, the signs of output weights, and whether outputs are positive.

    Examples
    --------
    >>> import numpy as np
    >>> constraints = NeuronConstraints(np.array([1.0, 0.0]), (1.0, -1.0))
    >>> constraints.obeyed(np.array([[2.0, 2.0, 0.0], [5.0, 5.0, 5.0]]), np.array([1.0, -1.0, -1.0])).tolist()
    [True, False, True]
    """

    monotone: Array
    signs: tuple[float, ...]
    positive: bool = False

    def check_offset(self, offset: bool) -> None:
        """Refuse an offset, which may be negative, for outputs that must not be."""
        if self.positive and offset:
            raise InvalidInputError(
                "`positive=True` keeps outputs above zero without an offset, got one; leave one of them out."
            )

    def orthant(self, sign: float) -> Array:
        """The signs (d,) that entries of a neuron of this output sign have, 0 for those that are free."""
        return sign * self.monotone

    @property
    def orthants(self) -> dict[float, Array]:
        """The orthant of every sign that is allowed."""
        return {sign: self.orthant(sign) for sign in self.signs}

    @property
    def walls(self) -> Array:
        """The rows (p, d) whose products with a neuron of output sign s have sign s or vanish."""
        columns = np.flatnonzero(self.monotone)
        rows = np.zeros((len(columns), len(self.monotone)))
        rows[np.arange(len(columns)), columns] = self.monotone[columns]
        return rows

    def obeyed(self, U: Array, alpha: Array) -> BoolArray:
        """Which neurons of hidden weights U (d, m) and output weights (m,) obey; those of output weight 0 do."""
        within = np.all(np.sign(alpha) * (self.monotone[:, None] * U) >= 0.0, axis=0)
        return (alpha == 0.0) | (within & np.isin(np.sign(alpha), self.signs))

    def scores(self, gains: Array, U: Array) -> Array:
        """The largest score (m,) of a neuron u_j under a sign that it may have, of v^T (X u_j)_+ (m,); 0 under none."""
        best = np.zeros(len(gains))
        for sign in self.signs:
            best = np.maximum(best, np.where(self.obeyed(U, np.full(len(gains), sign)), sign * gains, 0.0))
        return best

    def admitted(self, network: N) -> N:
        """Random neurons with the signs of weights and output weights reversed that do not obey."""
        alpha = network.A[:, 0]
        if len(self.signs) == 1:
            alpha = self.signs[0] * np.abs(alpha)
        U = np.where(alpha > 0.0, reflected(network.U, self.monotone), reflected(network.U, -self.monotone))
        return network.with_neurons(U, alpha)

    def confined_network(self, network: N) -> N:
        """The network with hidden weights that do not obey set to zero, after nearly equal rays were joined."""
        return network.with_neurons(self.confined(network.U, network.A[:, 0]), network.A)

    def confined(self, U: Array, alpha: Array) -> Array:
        """Hidden weights (d, m) with entries that do not obey set to zero; of neurons of a sign that is not, all."""
        U = np.where(alpha > 0.0, clipped(U, self.monotone), clipped(U, -self.monotone))
        return np.where(np.isin(np.sign(alpha), self.signs), U, 0.0)

    def bounds(self, alpha: Array) -> tuple[Array, Array]:
        """Least and largest hidden weights (d, m) of neurons whose output weights (m,) keep their signs."""
        side = np.sign(alpha) * self.monotone[:, None]
        return np.where(side > 0.0, 0.0, -np.inf), np.where(side < 0.0, 0.0, np.inf)


def neuron_constraints(asked: Constraints, names: Sequence[str] | None, d: int, bias: bool) -> NeuronConstraints | None:
    """What is asked of neurons on d columns, a last one of ones with `bias`, checked; None if nothing."""
    monotonic_cst, convexity, positive = asked
    if convexity is not None and convexity not in tuple(CONVEXITIES):
        raise InvalidInputError(f'`convexity` must be "convex", "concave" or None, got {convexity!r}.')
    signs = (1.0, -1.0) if convexity is None else CONVEXITIES[convexity]
    if positive:
        if convexity == "concave":
            raise InvalidInputError(
                'a network with `positive=True` is convex, got `convexity="concave"` with it; leave one of them out.'
            )
        signs = (1.0,)
    monotone = np.zeros(d)
    if monotonic_cst is not None:
        monotone[: d - int(bias)] = _signs_of_columns(monotonic_cst, names, d - int(bias))
    if len(signs) == 2 and not np.any(monotone):
        return None
    return NeuronConstraints(frozen(monotone), signs, bool(positive))


def _signs_of_columns(monotonic_cst: Any, names: Sequence[str] | None, count: int) -> Array:
    """The signs of `monotonic_cst`, one for each column, or by name for some of them."""
    if isinstance(monotonic_cst, Mapping):
        if names is None:
            raise InvalidInputError(
                "`monotonic_cst` can have names only where X has named columns, got names for an array; give a "
                f"sequence of {count} numbers -1, 0 or 1."
            )
        unknown = [str(name) for name in monotonic_cst if name not in names]
        if unknown:
            raise InvalidInputError(
                f"`monotonic_cst` must name columns of X, got {quoted(unknown[0])}, which is none of them."
            )
        monotonic_cst = [monotonic_cst.get(name, 0) for name in names]
    values = np.asarray(monotonic_cst)
    if values.shape != (count,) or not np.all(np.isin(values, (-1, 0, 1))):
        shown = values.tolist() if values.size <= 8 else f"shape {values.shape}"
        raise InvalidInputError(
            f"`monotonic_cst` must be {count} numbers -1, 0 or 1, one for each column of X, got {shown}; "
            "1 is for outputs that do not fall with the column, -1 for outputs that do not rise."
        )
    return values.astype(np.float64)
