"""The experiments of Pilanci & Ergen (2020), run anew: `neuralgauge reproduce`."""

from .catalogue import EXPERIMENTS, Experiment
from .outcome import Check, Curve, Grid, Matrix, Method, Outcome, Panel, Plane
from .registry import Data, load
from .reproduction import reproduce
from .scale import Scale

__all__ = [
    "EXPERIMENTS",
    "Check",
    "Curve",
    "Data",
    "Experiment",
    "Grid",
    "Matrix",
    "Method",
    "Outcome",
    "Panel",
    "Plane",
    "Scale",
    "load",
    "reproduce",
]
