r"""Block coordinate descent for gated programs under the squared loss: cheap where few blocks are active.

With r = s (y - f - b), s the sample weights, the best block given all others is w = Q t, with D_i X = X_i,

.. math:: X_i^T S X_i = Q \Lambda Q^T, \quad a = Q^T X_i^T r + \Lambda Q^T w, \quad
          t = (\Lambda + (\beta / \|t\|) I)^{-1} a \ \text{ if } \|a\| > \beta, \text{ else } 0 .

A visit costs 4 n d operations, all of them along the samples.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._array import Array, BoolArray
from .._compiled import compiled, reordered

Index = npt.NDArray[np.intp]
ROOT_STEPS = 50


class Rows(NamedTuple):
    """The data: gates (m, n), X^T (d, n) and the sample weights (n,)."""

    gates: BoolArray
    Xt: Array
    weight: Array


class Spectra(NamedTuple):
    """What is `known` (m,) of the blocks: eigenvalues (m, d) and eigenvectors Q (m, d, d), completed on the way."""

    known: BoolArray
    eigenvalues: Array
    Q: Array

    @classmethod
    def unknown(cls, m: int, d: int) -> Spectra:
        """Of no block yet."""
        return cls(np.zeros(m, dtype=np.bool_), np.zeros((m, d)), np.zeros((m, d, d)))


@compiled
def sweep(data: Rows, beta: float, active: Index, spectra: Spectra, W: Array, r: Array) -> float:
    """One visit to each active block: W (m, d) and the weighted residual r (n,) change; the largest change."""
    gates, Xt, weight = data
    known, eigenvalues, Q = spectra
    d, n = Xt.shape
    masked, c, a, t, change = np.zeros(n), np.zeros(d), np.zeros(d), np.zeros(d), np.zeros(d)
    largest = 0.0
    for i in active:
        if not known[i]:
            _decompose(gates[i], Xt, weight, masked, eigenvalues[i], Q[i])
            known[i] = True
        correlate(gates[i], Xt, r, masked, c)
        size = np.sqrt(np.dot(W[i], W[i]))
        a[:] = 0.0
        for j in range(d):
            for k in range(d):
                a[k] += Q[i, j, k] * c[j]
        if size > 0.0:
            for k in range(d):
                turned = 0.0
                for j in range(d):
                    turned += Q[i, j, k] * W[i, j]
                a[k] += eigenvalues[i, k] * turned
        if not shrink(eigenvalues[i], a, beta, size, t) and size == 0.0:
            continue
        moved = 0.0
        for j in range(d):
            found = 0.0
            for k in range(d):
                found += Q[i, j, k] * t[k]
            change[j] = found - W[i, j]
            W[i, j] = found
            moved += change[j] * change[j]
        largest = max(largest, moved)
        _add(gates[i], Xt, weight, change, masked, r)
    return np.sqrt(largest)


@compiled
def shrink(eigenvalues: Array, a: Array, beta: float, guess: float, t: Array) -> bool:
    r"""t = argmin :math:`t^T \Lambda t / 2 - a^T t + \beta |t|`; whether it is not zero. `guess` is |t|, roughly.

    |t| is the root of 1 / |(|t| Lambda + beta)^{-1} a| = 1, which Newton finds: the left side is nearly linear.
    """
    length = np.sqrt(np.dot(a, a))
    if length <= beta:
        t[:] = 0.0
        return False
    least = (length - beta) / max(np.max(eigenvalues), np.finfo(np.float64).tiny)
    size = max(guess, least)
    for _ in range(ROOT_STEPS):
        square, slope = 0.0, 0.0
        for k in range(len(a)):
            below = eigenvalues[k] * size + beta
            square += (a[k] / below) ** 2
            slope += eigenvalues[k] * a[k] * a[k] / below**3
        if slope == 0.0:
            break
        following = max(size - (1.0 / np.sqrt(square) - 1.0) * square * np.sqrt(square) / slope, least)
        done = abs(following - size) <= 1e-12 * size
        size = following
        if done:
            break
    for k in range(len(a)):
        t[k] = a[k] * size / (eigenvalues[k] * size + beta)
    return True


@reordered
def correlate(gate: BoolArray, Xt: Array, r: Array, masked: Array, c: Array) -> None:
    """c = X^T D r."""
    d, n = Xt.shape
    for i in range(n):
        masked[i] = r[i] if gate[i] else 0.0
    for j in range(d):
        total = 0.0
        for i in range(n):
            total += Xt[j, i] * masked[i]
        c[j] = total


@reordered
def _add(gate: BoolArray, Xt: Array, weight: Array, change: Array, masked: Array, r: Array) -> None:
    """Take S D X change from r."""
    d, n = Xt.shape
    masked[:] = 0.0
    for j in range(d):
        for i in range(n):
            masked[i] += Xt[j, i] * change[j]
    for i in range(n):
        r[i] -= weight[i] * masked[i] if gate[i] else 0.0


@compiled
def _decompose(gate: BoolArray, Xt: Array, weight: Array, masked: Array, eigenvalues: Array, Q: Array) -> None:
    """Eigenvalues and eigenvectors of X^T D S X."""
    for i in range(len(gate)):
        masked[i] = weight[i] if gate[i] else 0.0
    values, vectors = np.linalg.eigh(np.dot(Xt * masked, Xt.T))
    eigenvalues[:] = np.maximum(values, 0.0)
    Q[:] = vectors
