"""The relaxation solved by splitting: moments in the semidefinite cone, products in cones of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from .._array import Array
from ..networks.dense import TwoLayerNetwork
from ..problems.training import TrainingProblem
from .moments import OUTPUT_WEIGHT, Lift, Products
from .multipliers import Multipliers
from .proximal import proximal_point

OVER_RELAXATION = 1.8
STEP = 5000.0  # penalty of the splitting in units of beta^2 / L; 2,000 to 15,000 are alike on 60 to 200 rows
LEAST_SIZE = 1e-12  # of what a network can gain, in units of beta; 0 where the best constant fits


@dataclass(frozen=True)
class Iterate:
    """Where the splitting stands."""

    v: Array  # (n,) minus a gradient of the loss
    scaled: tuple[Products, Products]  # multipliers divided by the penalty, of positive and negative output weights
    lift: Lift
    penalty: float

    def multipliers(self) -> tuple[Multipliers, Multipliers]:
        """The multipliers of both signs, as a proof takes them."""
        positive, negative = (self.lift.multipliers(W.combined(self.penalty, W, 0.0)) for W in self.scaled)
        return positive, negative


class Splitting:
    r"""ADMM for the split doubly nonnegative relaxation, whole.

    .. math:: \min_{Z_\pm \succeq 0} L(\text{scale}\, (b_+ - b_-)) + \tfrac\beta2 \sum_\pm \langle \text{cost}, Z_\pm
              \rangle, \qquad \text{products}(Z_\pm) \in \text{their cones}, \quad b_\pm = E[a p]

    One eigenvalue decomposition of order n + r + 1 for each sign and iteration. The cones have moments that are no
    isometry, so the semidefinite step is proximal in the metric of the `Lift`, a congruence. (He & Yuan, SIAM J.
    Numer. Anal. 2012, for the proximal form; Eckstein & Bertsekas, Math. Program. 1992, for the over-relaxation.)
    """

    def __init__(self, problem: TrainingProblem, start: TwoLayerNetwork | None) -> None:
        fit = problem.fit
        self.fit, self.beta, self.lift = fit, problem.beta, Lift(problem.features.dense())
        size = fit.value(np.broadcast_to(fit.constant[0], fit.y.shape)) - fit.dual_objective(np.zeros_like(fit.y))
        self.penalty = STEP * self.beta**2 / max(size, LEAST_SIZE * self.beta)
        self.stiffness = 0.5 * self.penalty * OUTPUT_WEIGHT / self.lift.scale**2
        self.offset = float(fit.constant[0])
        k = self.lift.order
        self.start = [np.zeros((k, k)) if start is None else self.lift.moments(start, sign) for sign in (1.0, -1.0)]

    def __iter__(self) -> Iterator[Iterate]:
        lift, root = self.lift, np.sqrt(self.lift.metric)
        congruence, cost = np.outer(root, root), np.diag(0.5 * self.beta / self.penalty * lift.cost)
        moments = [Z * congruence for Z in self.start]
        images = [lift.products(Z) for Z in self.start]
        kept, scaled = list(images), [image.combined(0.0, image, 0.0) for image in images]
        while True:
            aims = []
            for s in (0, 1):
                residual = images[s].combined(1.0, kept[s], -1.0).combined(1.0, scaled[s], -1.0)
                moments[s] = _semidefinite(moments[s] - (lift.adjoint(residual) + cost) / congruence)
                images[s] = lift.products(moments[s] / congruence)
                relaxed = images[s].combined(OVER_RELAXATION, kept[s], 1.0 - OVER_RELAXATION)
                aims.append(relaxed.combined(1.0, scaled[s], -1.0))
            kept = [_in_cones(aim) for aim in aims]
            v = self._outputs(kept)
            scaled = [new.combined(1.0, aim, -1.0) for new, aim in zip(kept, aims, strict=True)]
            yield Iterate(v, (scaled[0], scaled[1]), lift, self.penalty)

    def _outputs(self, kept: list[Products]) -> Array:
        """Move the outputs of both signs to their proximal point; minus the gradient of the loss there."""
        weight, scale = np.sqrt(OUTPUT_WEIGHT), self.lift.scale
        aim = (kept[0].output - kept[1].output) * (scale / weight)
        f, self.offset = proximal_point(self.fit, aim, self.stiffness, self.offset)
        moved = f - self.offset - aim
        kept[0].output = kept[0].output + 0.5 * weight / scale * moved
        kept[1].output = kept[1].output - 0.5 * weight / scale * moved
        return self.stiffness * moved


def _semidefinite(M: Array) -> Array:
    """The nearest positive semidefinite matrix, from the smaller part of the spectrum."""
    M = 0.5 * (M + M.T)
    values, vectors = eigh(M, driver="evd", check_finite=False)
    split = int(np.searchsorted(values, 0.0))
    if 2 * split >= len(values):
        root = vectors[:, split:] * np.sqrt(values[split:])
        return np.asarray(root @ root.T)
    root = vectors[:, :split] * np.sqrt(-values[:split])
    return np.asarray(M + root @ root.T)


def _in_cones(aim: Products) -> Products:
    """The nearest products that a network may have, but for the outputs, which the loss moves."""
    pq = np.maximum(aim.pq, 0.0)
    np.fill_diagonal(pq, 0.0)
    pp, qq = np.maximum(aim.pp, 0.0), np.maximum(aim.qq, 0.0)
    return Products(pp, pq, qq, _second_order(aim.p), _second_order(aim.q), aim.output, 0.0)


def _second_order(points: Array) -> Array:
    """The nearest points (t, x) with t >= |x|, row by row."""
    head, length = points[:, 0], np.linalg.norm(points[:, 1:], axis=1)
    inside, below = length <= head, length <= -head
    height = np.where(inside, head, np.where(below, 0.0, 0.5 * (length + head)))
    share = np.where(inside, 1.0, height / np.where(inside | below, 1.0, length))
    return np.column_stack([height, points[:, 1:] * share[:, None]])
