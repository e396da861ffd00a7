"""Pricing: G(v) = max of |v^T (X u)_+| over the unit ball, and the u that attains it."""

from .ascent import ascend
from .penalty import beta_max
from .plane_maxima import plane_maxima
from .price import Price, price

__all__ = ["Price", "ascend", "beta_max", "plane_maxima", "price"]
