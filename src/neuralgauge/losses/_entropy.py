"""Differences of entropies to full relative precision, as lower bounds need them."""

from __future__ import annotations

import numpy as np
from scipy.special import xlog1py, xlogy

from .._array import Array


def entropy_change(g: Array, y: Array) -> Array:
    """p log p - y log y with p = y + g >= 0 and 0 log 0 = 0, also where p and y share most of their digits."""
    p = np.maximum(y + g, 0.0)
    near = p < 2.0 * y
    safe = np.where(near, y, 1.0)
    close = g * np.log(safe) + xlog1py(p, np.where(near, np.maximum(g / safe, -1.0), 0.0))
    return np.where(near, close, xlogy(p, p) - xlogy(y, y))
