"""Two-layer ReLU networks trained to global optimality by convex optimization, with certificates."""

from .certificate import Certificate
from .errors import (
    DroppedPixelsWarning,
    InvalidInputError,
    MissingDataError,
    MissingDependencyError,
    ModelFileError,
    NeuralgaugeError,
    NotInterpolatableError,
    TooManyPatternsError,
)
from .estimators import (
    LinearConvClassifier,
    LinearConvRegressor,
    ReLUClassifier,
    ReLUClassifierCV,
    ReLUConvClassifier,
    ReLUConvRegressor,
    ReLURegressor,
    ReLURegressorCV,
)
from .features.patches import PatchGeometry
from .interchange import SavedModel, load_model, save_model
from .losses import (
    Absolute,
    EpsilonInsensitive,
    Hinge,
    Huber,
    Logistic,
    Loss,
    Pieces,
    PiecewiseLoss,
    Poisson,
    Quantile,
    Softmax,
    Squared,
    SquaredHinge,
)
from .networks.conv import GatedConvNetwork, ReLUConvNetwork
from .networks.dense import TwoLayerNetwork
from .networks.gated import GatedNetwork
from .networks.linear_conv import LinearConvNetwork
from .networks.torch_layers import to_torch
from .patterns import PatternSet, count_patterns, enumerate_patterns, sample_patterns
from .plots import plot_certificate, plot_decision_boundary, plot_filters, plot_neurons, plot_path, plot_training
from .pricing import Price, price
from .problems.conv import ReLUConvProblem
from .problems.linear_conv import LinearConvProblem
from .problems.penalty import beta_max
from .problems.training import TrainingProblem
from .pruning import Pruning, prune
from .solvers.circular_conv import train_circular_conv
from .solvers.nuclear_norm import train_linear_conv
from .solvers.program import solve_program
from .solvers.solution import Record, Solution, Status
from .training.certify import certify
from .training.interpolation import neural_gauge
from .training.path import Path, relu_path
from .training.train import train

__version__ = "0.1.0"

__all__ = [
    "Absolute",
    "Certificate",
    "DroppedPixelsWarning",
    "EpsilonInsensitive",
    "GatedConvNetwork",
    "GatedNetwork",
    "Hinge",
    "Huber",
    "InvalidInputError",
    "LinearConvClassifier",
    "LinearConvNetwork",
    "LinearConvProblem",
    "LinearConvRegressor",
    "Logistic",
    "Loss",
    "MissingDataError",
    "MissingDependencyError",
    "ModelFileError",
    "NeuralgaugeError",
    "NotInterpolatableError",
    "PatchGeometry",
    "Path",
    "PatternSet",
    "Pieces",
    "PiecewiseLoss",
    "Poisson",
    "Price",
    "Pruning",
    "Quantile",
    "ReLUClassifier",
    "ReLUClassifierCV",
    "ReLUConvClassifier",
    "ReLUConvNetwork",
    "ReLUConvProblem",
    "ReLUConvRegressor",
    "ReLURegressor",
    "ReLURegressorCV",
    "Record",
    "SavedModel",
    "Softmax",
    "Solution",
    "Squared",
    "SquaredHinge",
    "Status",
    "TooManyPatternsError",
    "TrainingProblem",
    "TwoLayerNetwork",
    "beta_max",
    "certify",
    "count_patterns",
    "enumerate_patterns",
    "load_model",
    "neural_gauge",
    "plot_certificate",
    "plot_decision_boundary",
    "plot_filters",
    "plot_neurons",
    "plot_path",
    "plot_training",
    "price",
    "prune",
    "relu_path",
    "sample_patterns",
    "save_model",
    "solve_program",
    "to_torch",
    "train",
    "train_circular_conv",
    "train_linear_conv",
]
