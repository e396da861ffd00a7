"""What can be done to the weights of a network on given data: searching locally, and having fewer neurons."""

from .protocol import Network, Problem
from .pruning import Pruning, prune

__all__ = ["Network", "Problem", "Pruning", "prune"]
