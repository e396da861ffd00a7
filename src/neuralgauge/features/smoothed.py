r"""Passes over the rows with smoothed activations, in single precision: what searches of the objective [2] take.

A neuron bends at x^T u = 0, and each row is a kink of the objective. Within the width w of zero the activation is
replaced by a parabola that meets it with equal slopes,

.. math:: \varphi_w(z) = \begin{cases} 0 & z \le -w \\ (z + w)^2 / (4 w) & |z| < w \\ z & z \ge w \end{cases},
          \qquad 0 \le \varphi_w(z) - (z)_+ \le w / 4 .

With a width proportional to |u_j| the smoothed neuron is as homogeneous as the neuron itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .._array import Array
from .._compiled import reordered
from .chunks import Block, DenseBlock, Heads, RowAccess, mapped
from .readouts import Chunk

Index = npt.NDArray[np.intp]
Single = npt.NDArray[np.float32]
SecondOrder = Callable[[slice], Callable[[Array], tuple[float, Array, Array]]]

SMOOTHED_AT_A_TIME = 2**17  # of a chunk: half a megabyte, two of which a core's second cache holds
ACTIVATIONS_OF_GRAM = 2**20  # of a chunk whose Gram matrix is formed: products with few rows are slow
LEAST_WIDTH = 1e-30  # relative to the largest weight; 1 / (2 w) is a number in single precision


class SmoothedRows:
    """The passes of searches over the rows of features.

    Dense rows in memory are copied in single precision, divided by their largest entry so that no product over- or
    underflows; of other kinds blocks compute as they do.
    """

    def __init__(self, features: RowAccess) -> None:
        self.features, self.readout = features, features.readout
        self.scale, self._copy = 1.0, None
        if features.resident:
            X = features.dense()
            self.scale = max(float(np.max(np.abs(X), initial=0.0)), 1e-300)
            self._copy = np.empty(X.shape, dtype=np.float32)
            np.divide(X, self.scale, out=self._copy, casting="same_kind")

    def _block(self, rows: slice) -> Block:
        return self.features.block(rows, searched=True) if self._copy is None else DenseBlock(self._copy[rows])

    def sampled(self, rows: Index | None = None) -> Single:
        """The rows (N, d) or some of them, divided by `scale`, in memory and in single precision."""
        if self._copy is None:
            return np.asarray(self.features.gathered(slice(0, self.features.N) if rows is None else rows), np.float32)
        return self._copy if rows is None else self._copy[rows]

    def value_and_gradient(
        self, U: Array, A: Array, width: Array, heads: Heads
    ) -> tuple[float, Array, Array, Array, Array]:
        """Return the sum over samples of a function of smoothed outputs, and its gradients.

        Parameters
        ----------
        U, A : arrays of shape (d, m), (m, q)
        width : array of shape (m,)
            Widths w_j >= 0 within which activations are smoothed.
        heads : callable
            Maps consecutive samples to the function of their outputs (k, c) that gives its value and gradient (k, c).

        Returns
        -------
        value : float
        by_U, by_A, by_offset, by_width : arrays of shape (d, m), (m, q), (c,), (m,)
            Gradients; zero where a value is not finite.
        """
        scaled = _Scaled(U, A, width, self.scale)
        parts = mapped(
            lambda chunk: self._part(chunk, scaled, heads), self.readout.chunks(SMOOTHED_AT_A_TIME / max(U.shape[1], 1))
        )
        value, by_U, by_A, by_b, by_width = (sum(terms[1:], terms[0]) for terms in zip(*parts, strict=True))
        return value, by_U, by_A, by_b, by_width

    def curvature(self, U: Array, G: Array, weight: Array, heads: SecondOrder) -> tuple[float, Array, Array]:
        """A sum over samples to second order in the weights of columns h_j = (X u_j)_+ g_j of one output.

        Parameters
        ----------
        U, G, weight : arrays of shape (d, m), (m, 1), (m,)
            The columns, and their weights.
        heads : callable
            Maps consecutive samples to the function of their outputs (k, 1) that gives its value, gradient and second
            derivative (k, 1).

        Returns
        -------
        value : float
        gradient, hessian : arrays of shape (m + 1,), (m + 1, m + 1)
            In the weights, and last in a constant that is added to the outputs.
        """
        net = _Scaled(U, weight[:, None] * G, np.zeros(U.shape[1]), self.scale)
        sign: Any = np.asarray(G, dtype=np.float32)

        def work(chunk: Chunk) -> tuple[float, Array, Array]:
            rows, samples, readout = chunk
            H: Any = np.maximum(self._block(rows).times(net.U), np.float32(0.0))
            f = np.asarray(readout.outputs(H, net.A), dtype=np.float64) * (net.hidden * net.output)
            value, g, curvature = heads(samples)(f)
            columns = np.ones((len(f), len(sign) + 1), dtype=np.float32)
            columns[:, :-1] = readout.atoms(H, sign)
            most = max(float(np.max(np.abs(g), initial=0.0)), 1e-300)
            gradient = np.asarray(columns.T @ np.asarray(g[:, 0] / most, dtype=np.float32), dtype=np.float64) * most
            root = np.sqrt(np.maximum(curvature, 0.0))
            steepest = max(float(np.max(root, initial=0.0)), 1e-300)
            columns *= np.asarray(root / steepest, dtype=np.float32)
            return value, gradient, np.asarray(columns.T @ columns, dtype=np.float64) * steepest**2

        parts = mapped(work, self.readout.chunks(ACTIVATIONS_OF_GRAM / max(U.shape[1], 1)))
        value, gradient, hessian = (sum(terms[1:], terms[0]) for terms in zip(*parts, strict=True))
        size = np.append(np.full(U.shape[1], net.hidden), 1.0)
        return value, gradient * size, hessian * np.outer(size, size)

    def _part(self, chunk: Chunk, net: _Scaled, heads: Heads) -> tuple[float, Array, Array, Array, Array]:
        rows, samples, readout = chunk
        block = self._block(rows)
        Z: Any = block.times(net.U)
        gates = np.empty_like(Z)
        _smooth(Z, gates, net.width)
        f = np.asarray(readout.outputs(Z, net.A), dtype=np.float64) * (net.hidden * net.output)
        value, g = heads(samples)(f)
        if not np.isfinite(value):
            m, q = net.A.shape
            return value, np.zeros((self.features.d, m)), np.zeros((m, q)), np.zeros(g.shape[1]), np.zeros(m)
        by_b = g.sum(axis=0)
        size = max(float(np.max(np.abs(g), initial=0.0)), 1e-300)
        g = np.asarray(g / size, dtype=np.float32)
        by_A = np.asarray(readout.gains(g, Z), dtype=np.float64) * (size * net.hidden)
        single = net.A.shape[1] == 1
        pull: Any = readout.along(g, np.ones((1, 1), np.float32) if single else net.A)
        by_width = np.empty(net.A.shape[0], np.float32)
        _weigh(gates, np.ascontiguousarray(pull), by_width)
        factor = size * net.output * (net.A[:, 0].astype(np.float64) if single else 1.0)
        by_U = np.asarray(block.adjoint(gates), dtype=np.float64) * (factor * self.scale)
        return value, by_U, by_A, by_b, by_width.astype(np.float64) * factor


class _Scaled:
    """A network in single precision, each of its arrays divided by its largest entry."""

    def __init__(self, U: Array, A: Array, width: Array, scale: float) -> None:
        largest = max(float(np.max(np.abs(U), initial=0.0)), 1e-300)
        self.hidden, self.output = largest * scale, max(float(np.max(np.abs(A), initial=0.0)), 1e-300)
        self.U: Any = np.asarray(U / largest, dtype=np.float32)
        self.A: Any = np.asarray(A / self.output, dtype=np.float32)
        self.width: Any = np.maximum(width / self.hidden, LEAST_WIDTH).astype(np.float32)


@reordered
def _smooth(Z: Any, gates: Any, width: Any) -> None:
    """Write the smoothed activations of Z (k, m) over it, and their slopes to `gates`."""
    k, m = Z.shape
    zero, one = np.float32(0.0), np.float32(1.0)
    rate = np.float32(0.5) / width
    for i in range(k):
        for j in range(m):
            gate = min(max((Z[i, j] + width[j]) * rate[j], zero), one)
            Z[i, j] = gate * (Z[i, j] + width[j] * (one - gate))
            gates[i, j] = gate


@reordered
def _weigh(gates: Any, pull: Any, by_width: Any) -> None:
    """Multiply the slopes (k, m) by the pull of each row (k, 1 or m); write what it is on the widths to `by_width`."""
    k, m = gates.shape
    one = np.float32(1.0)
    by_width[:] = 0.0
    if pull.shape[1] == 1:
        for i in range(k):
            for j in range(m):
                by_width[j] += pull[i, 0] * gates[i, j] * (one - gates[i, j])
                gates[i, j] *= pull[i, 0]
    else:
        for i in range(k):
            for j in range(m):
                by_width[j] += pull[i, j] * gates[i, j] * (one - gates[i, j])
                gates[i, j] *= pull[i, j]
