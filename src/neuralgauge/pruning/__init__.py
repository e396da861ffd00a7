"""Fewer neurons with the same outputs on the samples, or at some cost."""

from .prune import Pruning, prune

__all__ = ["Pruning", "prune"]
