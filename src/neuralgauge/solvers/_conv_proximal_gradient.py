"""Accelerated proximal gradient for the nuclear-norm program of linear convolutional networks.

For filters with many entries, where the interior point's systems grow too large. Steps of Beck & Teboulle (2009) with
their backtracking, restarted when the momentum points uphill (O'Donoghue & Candes, 2015). The proximal step lowers all
singular values by the same amount. Cost of an iteration: four products with the images and an eigendecomposition of
order min(d, K c); their number grows like one over the root of the gap, or its logarithm where the loss curves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .._array import Array
from ..programs.linear_conv import ConvIterate, LinearConvProgram

CHECK_EVERY = 10  # iterations between two iterates that are handed out
LONGER = 1.1  # growth of the step before it is tried
MOST_HALVINGS = 100  # most halvings of a step


class _Point(NamedTuple):
    """Z (d, K c), offset in units in which it moves the outputs as much as Z (c,), outputs of y's shape."""

    Z: Array
    b: Array
    f: Array

    def ahead(self, before: _Point, momentum: float) -> _Point:
        """The point that goes on from one before."""
        return _Point(*(new + momentum * (new - old) for new, old in zip(self, before, strict=True)))


class ConvProximalGradient:
    """The endless iteration; `nuclear_norm` decides when to stop. It ends by itself where no step lowers the loss."""

    stride, patience = CHECK_EVERY, 200  # iterations an iterate; iterates without progress that are waited for

    def __init__(self, program: LinearConvProgram) -> None:
        self.program, self.problem = program, program.problem
        problem = self.problem
        self.unit = problem.images.size / np.sqrt(problem.n * problem.d) if problem.offset else 0.0
        offset = problem.fit.constant
        Z = np.zeros((problem.d, problem.n_positions * problem.c))
        b = offset / self.unit if self.unit else np.zeros(problem.c)
        self.point = _Point(Z, b, program.forward(Z, offset))
        self.step = 1.0 / problem.images.size**2

    def __iter__(self) -> Iterator[ConvIterate]:
        fit, point, t, count = self.problem.fit, self.point, 1.0, 0
        origin = point
        while True:
            if count % CHECK_EVERY == 0:
                yield ConvIterate(point.Z, self.unit * point.b, -fit.gradient(point.f))
            count += 1
            new = self._proximal_step(origin)
            if new is None:
                return
            if float(np.vdot(origin.Z - new.Z, new.Z - point.Z) + np.vdot(origin.b - new.b, new.b - point.b)) > 0.0:
                t = 1.0
            t_new = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * t * t))
            origin, point, t = new.ahead(point, (t - 1.0) / t_new), new, t_new

    def _proximal_step(self, origin: _Point) -> _Point | None:
        """The step from here, shortened until the loss stays below its quadratic model; None if it never does."""
        problem, fit, program = self.problem, self.problem.fit, self.program
        gradient = fit.gradient(origin.f)
        pull, b_pull = program.adjoint(gradient), self.unit * gradient.reshape(problem.n, -1).sum(axis=0)
        value = fit.value(origin.f)
        self.step *= LONGER
        for _ in range(MOST_HALVINGS):
            Z = shrunk(origin.Z - self.step * pull, self.step * problem.beta)
            b = origin.b - self.step * b_pull
            f = program.forward(Z, self.unit * b)
            moved = float(np.sum((Z - origin.Z) ** 2) + np.sum((b - origin.b) ** 2))
            model = value + float(np.vdot(gradient, f - origin.f)) + 0.5 * moved / self.step
            with np.errstate(over="ignore", invalid="ignore"):
                if fit.value(f) <= model + 1e-14 * abs(value) or moved == 0.0:
                    return _Point(Z, b, f)
            self.step *= 0.5
        return None


def shrunk(Z: Array, amount: float) -> Array:
    """The proximal point of amount times the nuclear norm: singular values lowered by it, down to zero."""
    wide = Z if Z.shape[0] <= Z.shape[1] else Z.T
    squares, P = np.linalg.eigh(wide @ wide.T)
    s = np.sqrt(np.maximum(squares, 0.0))
    kept = s > amount
    result: Array = (P[:, kept] * (1.0 - amount / s[kept])) @ (P[:, kept].T @ wide)
    return result if wide is Z else result.T
