"""Small training problems with ties, repeated rows, missing ranks and scales from 1e-8 to 1e8, one for every seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from registry.losses import FORMULAS, LogCosh

import neuralgauge as ng

NAMES = tuple(FORMULAS)
FEW, SOME, MANY = 5, 7, 9  # most rows of three outputs or rank 5, of two outputs or rank 4, of the rest


@dataclass(frozen=True)
class Case:
    """A training problem before its penalty is known, and how it was made."""

    seed: int
    loss: str
    kinds: tuple[str, ...]
    X: Any  # (n, d)
    y: Any  # (n,) or (n, c); labels for softmax
    bias: bool
    offset: bool
    weight: Any  # (n,) or None
    share: float  # beta over the largest score of -grad L(0)

    def problem(self, beta: float = 1.0) -> ng.TrainingProblem:
        """The problem under this penalty."""
        loss = LogCosh() if self.loss == "log_cosh" else self.loss
        return ng.TrainingProblem(
            self.X, self.y, beta=beta, loss=loss, bias=self.bias, offset=self.offset, sample_weight=self.weight
        )


def case_of(seed: int) -> Case:
    """The problem of this seed; every loss, every kind of rows and every number of outputs comes in turn."""
    rng = np.random.default_rng([20240, seed])
    loss = NAMES[seed % len(NAMES)]
    c = 1 + (seed // len(NAMES)) % 3
    if loss == "softmax":
        c = max(c, 2)
    kind = tuple(ROWS)[int(rng.integers(len(ROWS)))]
    d = int(rng.integers(1, 5 if c == 1 else 3))
    bias = bool(rng.random() < 0.5)
    most = (MANY, SOME, FEW)[max(c - 1, d + bias - 3, 0)]
    n = int(rng.integers(1, most + 1))
    X = ROWS[kind](rng, n, d)
    X, kinds = _spoiled(rng, X, [kind])
    y = _targets(rng, loss, X, c, kinds)
    return Case(
        seed, loss, tuple(kinds), X, y, bias, bool(rng.random() < 0.3), _weights(rng, len(X), kinds), _share(rng)
    )


def _share(rng: np.random.Generator) -> float:
    """From 1e-4 of the largest useful penalty to above it."""
    return float(rng.choice([1.0, 1.0 + 1e-9, 2.0])) if rng.random() < 0.12 else float(10 ** rng.uniform(-4, 0))


def _line(rng: np.random.Generator, n: int, d: int) -> Any:
    """Points t a + b with few different t."""
    return np.outer(rng.integers(-2, 3, n), rng.integers(-2, 3, d)) + rng.integers(-1, 2, d)


def _circle(rng: np.random.Generator, n: int, d: int) -> Any:
    angle = 2 * np.pi * rng.integers(8, size=n) / 8
    return np.column_stack([np.cos(angle), np.sin(angle), np.ones(n)])[:, :d]


def _wide(rng: np.random.Generator, n: int, d: int) -> Any:
    """More columns than rows."""
    few = min(n, 3)
    return rng.integers(-2, 3, (few, few + int(rng.integers(1, 4))))


def _deficient(rng: np.random.Generator, n: int, d: int) -> Any:
    """An integer product of lower rank than its columns."""
    return rng.integers(-2, 3, (n, max(1, d - 1))) @ rng.integers(-1, 2, (max(1, d - 1), d + 1))


ROWS = {
    "general": lambda rng, n, d: rng.standard_normal((n, d)),
    "grid": lambda rng, n, d: rng.integers(-1, 2, (n, d)),
    "integers": lambda rng, n, d: rng.integers(-3, 4, (n, d)),
    "decimals": lambda rng, n, d: np.round(rng.standard_normal((n, d)), 1),  # ties up to rounding only
    "constant": lambda rng, n, d: np.full((n, d), float(rng.integers(-1, 3))),
    "line": _line,
    "circle": _circle,
    "wide": _wide,
    "deficient": _deficient,
}


def _spoiled(rng: np.random.Generator, X: Any, kinds: list[str]) -> tuple[Any, list[str]]:
    """Repeated, zero, collinear, antipodal and nearly equal rows, and scales."""
    X, (n, d) = np.array(X, dtype=float), X.shape
    for name, chance in (("repeated", 0.3), ("zero", 0.2), ("collinear", 0.2), ("antipodal", 0.2), ("near", 0.05)):
        if rng.random() < chance:
            i, k = rng.integers(n, size=2)
            factor = {"repeated": 1.0, "zero": 0.0, "collinear": rng.choice([2.0, 0.5, 3.0, 1e-6])}.get(name, -1.0)
            if name == "near":
                X[i] = X[k] * (1.0 + 1e-9 * rng.standard_normal(d))
            else:
                X[i] = factor * X[k]
            kinds.append(name)
    draw = rng.random()
    if draw < 0.15:
        X *= 10.0 ** rng.integers(-8, 9, d)
        kinds.append("columns scaled")
    elif draw < 0.3:
        X *= 10.0 ** rng.integers(-8, 9)
        kinds.append("X scaled")
    elif draw < 0.4:
        X *= 10.0 ** rng.integers(-4, 5, (n, 1))
        kinds.append("rows scaled")
    elif draw < 0.45:
        X += 1e6 * rng.integers(-1, 2, d)
        kinds.append("far away")
    return X, kinds


def _targets(rng: np.random.Generator, loss: str, X: Any, c: int, kinds: list[str]) -> Any:
    n = len(X)
    z = rng.integers(-3, 4, (n, c)).astype(float) if rng.random() < 0.5 else rng.standard_normal((n, c))
    if rng.random() < 0.15:
        z[:] = z[0]
        kinds.append("constant targets")
    if rng.random() < 0.3:  # equal rows with equal targets
        first = [next(k for k in range(n) if np.array_equal(X[k], X[i])) for i in range(n)]
        z = z[first]
        kinds.append("one target a row")
    kind = FORMULAS[loss].targets
    if kind == "simplex":
        if rng.random() < 0.3:
            y = rng.integers(0, 4, (n, c)) + np.eye(c)[rng.integers(c, size=n)]
            return y / y.sum(axis=1, keepdims=True)
        y = np.argmax(z, axis=1)
        return np.eye(c)[y]
    if kind == "real":
        y = z
        if rng.random() < 0.3:
            y = y * 10.0 ** rng.integers(-8, 9)
            kinds.append("y scaled")
    else:
        y = np.where(z > 0, 1.0, -1.0) if kind == "sign" else np.floor(2 * np.abs(z))
        if kind == "count" and rng.random() < 0.1:
            y *= 10.0 ** rng.integers(0, 5)
            kinds.append("y scaled")
    return y if c > 1 else y[:, 0]


def _weights(rng: np.random.Generator, n: int, kinds: list[str]) -> Any:
    draw = rng.random()
    if draw < 0.7:
        return None
    kinds.append("weights")
    return 10.0 ** rng.uniform(-6, 6, n) if draw < 0.85 else rng.choice([1e-6, 1.0, 1e6], n)
