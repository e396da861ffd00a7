"""Objectives that networks attain: in sixty digits for a given network, and low ones found by other means than ours.

Networks come from the convex program over all patterns by CVXPY and Clarabel, and from L-BFGS with random starts.
Whatever these solvers say is not believed: what counts is the objective of the network that they return.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

import cvxpy as cp
import numpy as np
from registry.losses import FORMULAS, ZERO, to_decimal
from scipy.optimize import minimize

RESTARTS, ITERATIONS = 2, 200
Weights = tuple[Any, Any, Any]  # U (d, m), A (m, c), b (c,)


@dataclass(frozen=True)
class Data:
    """Design matrix, targets (n, c), weights, loss and penalty: all that an objective is made of."""

    X: Any
    Y: Any
    s: Any
    loss: str
    beta: float
    offset: bool

    @classmethod
    def of(cls, case: Any, beta: float) -> Data:
        """From the numbers of a case, without the package."""
        X = np.array(case.X, dtype=float)
        X = np.hstack([X, np.ones((len(X), 1))]) if case.bias else X
        Y = np.array(case.y, dtype=float).reshape(len(X), -1)
        s = np.ones(len(X)) if case.weight is None else np.array(case.weight, dtype=float)
        return cls(X, Y, s, case.loss, beta, case.offset)

    def value(self, f: Any) -> float:
        """The loss in floating point."""
        with np.errstate(over="ignore", invalid="ignore"):
            return float(
                np.sum((self.s if self.loss == "softmax" else self.s[:, None]) * self._formula.value(f, self.Y))
            )

    def gradient(self, f: Any) -> Any:
        """Its gradient, (n, c)."""
        return self.s[:, None] * self._formula.gradient(f, self.Y)

    @property
    def _formula(self) -> Any:
        return FORMULAS[self.loss]

    def objective(self, U: Any, A: Any, b: Any) -> float:
        """[2] in floating point."""
        return self.value(np.maximum(self.X @ U, 0) @ A + b) + 0.5 * self.beta * float(np.sum(U**2) + np.sum(A**2))

    def exact_objective(self, U: Any, A: Any, b: Any) -> tuple[Decimal, Decimal]:
        """[2] in sixty digits, and how far rounding may move it in floating point, in units of eps."""
        X, Y, s = to_decimal(self.X), to_decimal(self.Y), to_decimal(self.s)
        U, A, b = to_decimal(U), to_decimal(A), to_decimal(np.broadcast_to(b, self.Y.shape[1]))
        active = np.maximum(X.dot(U), ZERO) if U.shape[1] else np.full((len(X), 0), ZERO)
        f = active.dot(A) + b if U.shape[1] else np.broadcast_to(b, Y.shape)
        size = abs(X).dot(abs(U)).dot(abs(A)) + abs(b) if U.shape[1] else np.broadcast_to(abs(b), Y.shape)
        formula = self._formula
        if self.loss == "softmax":
            terms = [weight * formula.exact(f_i, y_i) for weight, f_i, y_i in zip(s, f, Y, strict=True)]
        else:
            terms = [
                w * formula.exact(p, q)
                for w, f_i, y_i in zip(s, f, Y, strict=True)
                for p, q in zip(f_i, y_i, strict=True)
            ]
        decay = Decimal(self.beta) / 2 * (sum((U * U).ravel(), ZERO) + sum((A * A).ravel(), ZERO))
        slope = to_decimal(self._steepest(np.array(f, dtype=float), np.array(size + abs(Y), dtype=float)))
        moved = np.sum(slope * (size + abs(Y))) + Decimal("2.3e-16") * np.sum(s[:, None] * size * size)
        if self.loss == "softmax":  # differences of outputs and of entropies, whatever the slopes
            moved += np.sum(s * (np.max(abs(f), axis=1) + 1))
        total = sum(terms, ZERO) + decay
        return total, total + moved

    def _steepest(self, f: Any, size: Any) -> Any:
        """The largest slopes that rounding of the outputs may meet: they jump at kinks."""
        with np.errstate(over="ignore", invalid="ignore"):
            near = [self.gradient(f + step * size) for step in (0.0, 1e-14, -1e-14)]
        return np.max(np.abs(np.nan_to_num(near)), axis=0)

    @property
    def nothing(self) -> Weights:
        """The network without neurons and offset."""
        d, c = self.X.shape[1], self.Y.shape[1]
        return np.zeros((d, 0)), np.zeros((0, c)), np.zeros(c)

    @cached_property
    def empty(self) -> Weights:
        """The network without neurons, with a constant near the best one under an offset."""
        return self.polished(*self.nothing) if self.offset else self.nothing

    def polished(self, U: Any, A: Any, b: Any) -> Weights:
        """L-BFGS on all weights from there."""
        (d, m), c = U.shape, self.Y.shape[1]

        def split(z: Any) -> Weights:
            return z[: d * m].reshape(d, m), z[d * m : (d + c) * m].reshape(m, c), z[(d + c) * m :]

        def function(z: Any) -> tuple[float, Any]:
            U, A, b = split(z)
            X_U = self.X @ U
            active = np.maximum(X_U, 0)
            f = active @ A + b
            g = self.gradient(f)
            value = self.value(f) + 0.5 * self.beta * float(np.sum(U**2) + np.sum(A**2))
            slopes = self.X.T @ ((g @ A.T) * (X_U > 0)) + self.beta * U, active.T @ g + self.beta * A
            free = g.sum(axis=0) if self.offset else np.zeros(c)
            return value / unit, np.concatenate([*(part.ravel() for part in slopes), free]) / unit

        start = np.concatenate([U.ravel(), A.ravel(), np.broadcast_to(b, c)])
        unit = max(abs(self.objective(U, A, b)), 1e-300)
        with np.errstate(all="ignore"):
            found = minimize(function, start, jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS}).x
        return split(found) if np.all(np.isfinite(found)) else (U, A, b)

    def searched(self, rng: np.random.Generator) -> list[Weights]:
        """Local minima from random neurons."""
        n, c = self.Y.shape
        m = 2 * min(n * c, 6)
        found = []
        for _ in range(RESTARTS):
            U, A = rng.standard_normal((self.X.shape[1], m)), rng.standard_normal((m, c))
            size = np.sqrt(0.1 * max(self.objective(*self.empty), 1e-300) / (self.beta * m))
            U, A = U / np.linalg.norm(U, axis=0) * size, A / np.linalg.norm(A, axis=1, keepdims=True) * size
            found.append(self.polished(U, A, np.zeros(c)))
        return found

    def convex(self, gates: Any, G: Any) -> Weights | None:
        """The network of the convex program over these patterns (P, n), each with its direction (P, c)."""
        P, (n, c) = len(gates), self.Y.shape
        W, b = cp.Variable((P, self.X.shape[1])), cp.Variable((1, c))
        # Rows and outputs of about one: the program is the same, and the solver sees better numbers.
        margins = W @ (self.X / np.maximum(np.linalg.norm(self.X, axis=1), 1e-300)[:, None]).T
        f = cp.multiply(gates, W @ self.X.T).T @ G
        f = f + np.ones((n, 1)) @ b if self.offset else f
        loss = self._formula.convex(f, self.Y)
        weighted = (
            cp.sum(cp.multiply(self.s, loss))
            if self.loss == "softmax"
            else cp.sum(cp.multiply(np.repeat(self.s[:, None], c, axis=1), loss))
        )
        unit = max(self.objective(*self.empty), 1e-300)
        program = cp.Problem(
            cp.Minimize((weighted + self.beta * cp.sum(cp.norm(W, axis=1))) / unit),
            [cp.multiply(2.0 * gates - 1.0, margins) >= 0],
        )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                program.solve(solver="CLARABEL")
        except (cp.SolverError, ValueError, ArithmeticError):
            return None
        if W.value is None or not np.all(np.isfinite(W.value)):
            return None
        size = np.linalg.norm(W.value, axis=1)
        alive = size > 1e-9 * size.max(initial=0.0)
        root = np.sqrt(size[alive])
        return (W.value[alive] / root[:, None]).T, G[alive] * root[:, None], b.value[0] if self.offset else np.zeros(c)
