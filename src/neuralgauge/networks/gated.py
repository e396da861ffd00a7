"""Gated networks: fixed gates and free weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .._array import Array, as_matrix, with_ones
from ..errors import InvalidInputError


@dataclass(frozen=True)
class GatedNetwork:
    """f(x) = sum_i 1[x^T h_i >= 0] (x^T w_i) g_i + b: fixed gates h_i and directions g_i, free weights w_i.

    Parameters
    ----------
    W : array of shape (m, d)
        Weights; signs included where there is one output.
    gates : array of shape (m, d) or None
        The vectors h_i; None when the patterns came without witnesses, and then nothing can be predicted.
    bias : bool
        Whether the last column multiplies a constant one.
    directions : array of shape (m, c) or None
        Output directions g_i; None for one output.
    offset : float or array of shape (c,)
        Output offset b.

    Examples
    --------
    >>> import numpy as np
    >>> import neuralgauge as ng
    >>> net = ng.GatedNetwork(W=np.array([[2.0, 1.0]]), gates=np.array([[1.0, 0.0]]))
    >>> net.predict([[-3.0], [2.0]]).tolist()
    [0.0, 5.0]
    """

    W: Array
    gates: Array | None
    bias: bool = True
    directions: Array | None = None
    offset: Array | float = 0.0

    @property
    def n_neurons(self) -> int:
        """m."""
        return self.W.shape[0]

    def predict(self, X: Any) -> Array:
        """Outputs (n,), or (n, c) with directions, for raw features X."""
        if self.gates is None:
            raise InvalidInputError(
                "a gated network needs its gates to predict; make the patterns with sample_patterns or "
                "enumerate_patterns, which keep a witness for each."
            )
        features = as_matrix(X)
        design = with_ones(features) if self.bias else features
        activations = (design @ self.gates.T >= 0) * (design @ self.W.T)
        result: Array = activations.sum(axis=1) if self.directions is None else activations @ self.directions
        return result + self.offset
