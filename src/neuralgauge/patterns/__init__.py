"""Activation patterns of the data: counted, listed in full, or sampled."""

from .counting import count_patterns
from .enumeration import enumerate_patterns
from .pattern_set import Coverage, PatternSet
from .sampling import sample_patterns

__all__ = ["Coverage", "PatternSet", "count_patterns", "enumerate_patterns", "sample_patterns"]
