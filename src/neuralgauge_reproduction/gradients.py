"""Outputs and gradients of networks under descent, by readout and many trials at once, written out in NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ._array import Array


def outputs(readout: str, X: Array, U: Array, A: Array) -> Array:
    """f (t, b) of patches X (t, b, K, d) under weights U (t, d, m) and A (t, m, q)."""
    if readout == "circular":
        result: Array = (X[:, :, 0] @ _pixels(U, A)[:, :, None])[:, :, 0]
        return result
    t, b, K, d = X.shape
    H = np.maximum(X.reshape(t, b * K, d) @ U, 0.0).reshape(t, b, K, -1)
    return _read(_pooled(readout, H), A)


def gradients(readout: str, X: Array, U: Array, A: Array, slope: Callable[[Array], Array]) -> tuple[Array, Array]:
    """By U and by A, of a function of f whose gradient `slope` gives, (t, b).

    "pooled", with H the mean of the activations Z_+ over the patches, and "flattened", with q = K:
    by A it is H^T g, by U it is X^T ((g A^T) 1[Z > 0]), the latter over K where pooled.
    "circular": a filter acts on the pixels' weights theta, whose gradient is X^T g, by its shifts.
    """
    if readout == "circular":
        g = slope(outputs(readout, X, U, A))
        by_theta = (g[:, None] @ X[:, :, 0])[:, 0]
        shifted = np.stack([np.roll(by_theta, -a, axis=1) for a in range(U.shape[1])], axis=1)
        return shifted @ A.swapaxes(1, 2), U.swapaxes(1, 2) @ shifted
    t, b, K, d = X.shape
    m, q = A.shape[1:]
    rows = X.reshape(t, b * K, d)
    Z = rows @ U
    H = _pooled(readout, np.maximum(Z, 0.0).reshape(t, b, K, m))
    g = slope(_read(H, A))
    by_A = (g[:, None] @ H.reshape(t, b, q * m)).reshape(t, q, m).swapaxes(1, 2)
    to_hidden = g[:, :, None, None] * A.swapaxes(1, 2)[:, None] / (K if readout == "pooled" else 1)
    to_rows = np.broadcast_to(to_hidden, (t, b, K, m)).reshape(t, b * K, m) * (Z > 0.0)
    return rows.swapaxes(1, 2) @ to_rows, by_A


def _pixels(U: Array, A: Array) -> Array:
    """Weights (t, d) of the pixels, to which entry a of the filters gives at every position the pixel a further on."""
    by_entry = U @ A
    return np.sum([np.roll(by_entry[:, a], a, axis=1) for a in range(U.shape[1])], axis=0)


def _pooled(readout: str, H: Array) -> Array:
    """(t, b, q, m): the activations (t, b, K, m) of all patches, or their mean."""
    return H.mean(axis=2, keepdims=True) if readout == "pooled" and H.shape[2] > 1 else H


def _read(H: Array, A: Array) -> Array:
    t, b, q, m = H.shape
    result: Array = (H.reshape(t, b, q * m) @ A.swapaxes(1, 2).reshape(t, q * m, 1))[:, :, 0]
    return result
