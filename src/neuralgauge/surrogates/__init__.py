"""Optimisation over a trained network: ranges, Lipschitz constants and mixed-integer forms, on a box of inputs."""

from .extremum import Extremum, OutputRange
from .lipschitz import LipschitzBound, lipschitz
from .optimum import Optimum
from .output_range import output_range
from .surrogate import Surrogate, surrogate

__all__ = [
    "Extremum",
    "LipschitzBound",
    "Optimum",
    "OutputRange",
    "Surrogate",
    "lipschitz",
    "output_range",
    "surrogate",
]
