"""Arrays of other libraries, by the Python array API standard: where they are, and ways there and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._array import Array


@dataclass(frozen=True)
class Place:
    """Where arrays are and how exact: a namespace of the standard, a device of it, and a type of numbers."""

    xp: Any
    device: Any
    dtype: Any

    def put(self, values: Array) -> Any:
        """Return an array of NumPy as one of this place."""
        return self.xp.asarray(np.array(values, order="C"), dtype=self.dtype, device=self.device)

    def rectified(self, Z: Any) -> Any:
        """(Z)_+."""
        return self.xp.maximum(Z, self.xp.zeros((), dtype=self.dtype, device=self.device))

    def gates(self, Z: Any) -> Any:
        """1[Z > 0] as numbers."""
        return self.xp.astype(Z > 0, self.dtype)


HOST = Place(np, "cpu", np.float64)


class PlacedWeights:
    """Hidden weights U (d, m) at a place; the last row apart where it meets a column of ones."""

    def __init__(self, U: Array, place: Place, ones: bool) -> None:
        self.W = place.put(U[:-1] if ones else U)
        self.b = place.put(U[-1:]) if ones else None


class PlacedRows:
    """Some rows X (k, d) at a place, followed by a column of ones, which is not stored, where `ones`."""

    def __init__(self, X: Any, place: Place, ones: bool) -> None:
        self.X, self.place, self.ones = X, place, ones

    def whole(self) -> Any:
        """X (k, d) with the column of ones."""
        if not self.ones:
            return self.X
        ones = self.place.xp.ones((self.X.shape[0], 1), dtype=self.place.dtype, device=self.place.device)
        return self.place.xp.concat([self.X, ones], axis=1)

    def product(self, weights: PlacedWeights) -> Any:
        """X U, (k, m)."""
        Z = self.X @ weights.W
        if weights.b is not None:
            Z += weights.b
        return Z

    def adjoint(self, Y: Any, scale: Any = None) -> Array:
        """X^T diag(scale) Y, (d, m) as an array of NumPy in double precision, for Y (k, m) and scale (k, 1)."""
        xp = self.place.xp
        X = self.X if scale is None else self.X * scale
        parts = [to_host(xp.matrix_transpose(X) @ Y)]
        if self.ones:
            parts.append(to_host(xp.sum(Y, axis=0, keepdims=True) if scale is None else xp.matrix_transpose(scale) @ Y))
        return np.vstack(parts).astype(np.float64)


def as_view(values: Any) -> Array | None:
    """The array of another library as one of NumPy that shares its memory; None where that is out of reach."""
    try:
        return np.asarray(detached(values))
    except (TypeError, RuntimeError, ValueError):
        return None


def is_elsewhere(values: Any) -> bool:
    """Whether another library holds these numbers where NumPy cannot see them: on a GPU, for instance."""
    return not isinstance(values, np.ndarray) and hasattr(values, "__dlpack__") and as_view(values) is None


def detached(values: Any) -> Any:
    """The array without PyTorch's record of how it came about, which other libraries refuse."""
    return values.detach() if hasattr(values, "detach") else values


def to_host(values: Any) -> Array:
    """An array of any library as one of NumPy."""
    from array_api_compat import is_cupy_array, is_torch_array, to_device

    if is_torch_array(values) or is_cupy_array(values):
        return np.asarray(to_device(values, "cpu"))
    view = as_view(values)
    return np.asarray(np.from_dlpack(values)) if view is None else view


def largest(values: Array) -> float:
    """The largest entry, or the least positive number that is safe to divide by."""
    return max(float(np.max(np.abs(values), initial=0.0)), 1e-300)
