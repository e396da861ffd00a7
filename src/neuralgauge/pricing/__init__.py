"""Pricing: G(V) = max of |V^T (X u)_+| over the unit ball, and the u that attains it."""

from .ascent import ascend
from .ascent_vector import ascend_vector
from .columns import Columns
from .plane_maxima import plane_maxima
from .price import Price, price
from .search import search

__all__ = ["Columns", "Price", "ascend", "ascend_vector", "plane_maxima", "price", "search"]
