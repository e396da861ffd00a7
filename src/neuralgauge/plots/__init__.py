"""Pictures of training, paths, certificates and networks, by Matplotlib."""

from .certificate import plot_certificate
from .decision import plot_decision_boundary
from .filters import plot_filters
from .neurons import plot_neurons
from .path import plot_path
from .training import plot_training

__all__ = [
    "plot_certificate",
    "plot_decision_boundary",
    "plot_filters",
    "plot_neurons",
    "plot_path",
    "plot_training",
]
