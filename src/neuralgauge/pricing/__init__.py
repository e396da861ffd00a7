"""Pricing: G(V) = max of |V^T (X u)_+| over the unit ball, and the u that attains it."""

from .ascent import ascend
from .ascent_vector import Maxima, ascend_vector
from .explore import explore
from .penalty import beta_max
from .plane_maxima import plane_maxima
from .price import Price, price

__all__ = ["Maxima", "Price", "ascend", "ascend_vector", "beta_max", "explore", "plane_maxima", "price"]
