"""Two-layer ReLU networks trained to global optimality by convex optimization, with certificates."""

from .certificate import Certificate
from .certify import certify
from .errors import (
    InvalidInputError,
    MissingDependencyError,
    ModelFileError,
    NeuralgaugeError,
    TooManyPatternsError,
)
from .estimators import ReLUClassifier, ReLURegressor
from .interchange import SavedModel, load_model, save_model
from .losses import Hinge, Logistic, Loss, Squared
from .networks import GatedNetwork, TwoLayerNetwork
from .patterns import PatternSet, count_patterns, enumerate_patterns, sample_patterns
from .pricing import Price, beta_max, price
from .problem import TrainingProblem
from .solution import Record, Solution, Status
from .solvers.program import solve_program
from .training import train

__version__ = "0.1.0"

__all__ = [
    "Certificate",
    "GatedNetwork",
    "Hinge",
    "InvalidInputError",
    "Logistic",
    "Loss",
    "MissingDependencyError",
    "ModelFileError",
    "NeuralgaugeError",
    "PatternSet",
    "Price",
    "ReLUClassifier",
    "ReLURegressor",
    "Record",
    "SavedModel",
    "Solution",
    "Squared",
    "Status",
    "TooManyPatternsError",
    "TrainingProblem",
    "TwoLayerNetwork",
    "beta_max",
    "certify",
    "count_patterns",
    "enumerate_patterns",
    "load_model",
    "price",
    "sample_patterns",
    "save_model",
    "solve_program",
    "train",
]
