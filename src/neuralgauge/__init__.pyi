# The public names. Type checkers read this file; so does lazy_loader, which imports a name when it is first used.
from .certificate import Certificate as Certificate
from .errors import (
    ColumnScaleWarning as ColumnScaleWarning,
    DroppedPixelsWarning as DroppedPixelsWarning,
    InvalidInputError as InvalidInputError,
    MissingDataError as MissingDataError,
    MissingDependencyError as MissingDependencyError,
    ModelFileError as ModelFileError,
    NeuralgaugeError as NeuralgaugeError,
    NotInterpolatableError as NotInterpolatableError,
    TooManyPatternsError as TooManyPatternsError,
    UnknownLevelWarning as UnknownLevelWarning,
)
from .estimators import (
    LinearConvClassifier as LinearConvClassifier,
    LinearConvRegressor as LinearConvRegressor,
    ReLUClassifier as ReLUClassifier,
    ReLUClassifierCV as ReLUClassifierCV,
    ReLUConvClassifier as ReLUConvClassifier,
    ReLUConvClassifierCV as ReLUConvClassifierCV,
    ReLUConvRegressor as ReLUConvRegressor,
    ReLUConvRegressorCV as ReLUConvRegressorCV,
    ReLUQuantileRegressor as ReLUQuantileRegressor,
    ReLURegressor as ReLURegressor,
    ReLURegressorCV as ReLURegressorCV,
)
from .estimators.table_encoder import TableEncoder as TableEncoder
from .features.parquet import ParquetRows as ParquetRows
from .features.patches import PatchGeometry as PatchGeometry
from .formulas import (
    formula as formula,
    to_c as to_c,
    to_excel as to_excel,
    to_python as to_python,
    to_sql as to_sql,
)
from .interchange import SavedModel as SavedModel, load_model as load_model, save_model as save_model
from .interchange.sklearn_model import to_sklearn as to_sklearn
from .losses import (
    Absolute as Absolute,
    EpsilonInsensitive as EpsilonInsensitive,
    Hinge as Hinge,
    Huber as Huber,
    Logistic as Logistic,
    Loss as Loss,
    Pieces as Pieces,
    PiecewiseLoss as PiecewiseLoss,
    Poisson as Poisson,
    Quantile as Quantile,
    Softmax as Softmax,
    Squared as Squared,
    SquaredHinge as SquaredHinge,
)
from .networks.breakpoints import Breakpoints as Breakpoints
from .networks.conv import GatedConvNetwork as GatedConvNetwork, ReLUConvNetwork as ReLUConvNetwork
from .networks.dense import TwoLayerNetwork as TwoLayerNetwork
from .networks.formula import Formula as Formula
from .networks.gated import GatedNetwork as GatedNetwork
from .networks.linear_conv import LinearConvNetwork as LinearConvNetwork
from .networks.pieces import AffinePiece as AffinePiece
from .networks.torch_layers import to_torch as to_torch
from .onnx_models.converters import register_onnx_converters as register_onnx_converters
from .onnx_models.reader import from_onnx as from_onnx
from .onnx_models.writer import to_onnx as to_onnx
from .patterns import (
    PatternSet as PatternSet,
    count_patterns as count_patterns,
    enumerate_patterns as enumerate_patterns,
    sample_patterns as sample_patterns,
)
from .plots.certificate import plot_certificate as plot_certificate
from .plots.decision import plot_decision_boundary as plot_decision_boundary
from .plots.filters import plot_filters as plot_filters
from .plots.neurons import plot_neurons as plot_neurons
from .plots.path import plot_path as plot_path
from .plots.pieces import plot_pieces as plot_pieces
from .plots.training import plot_training as plot_training
from .plots.width_front import plot_width_front as plot_width_front
from .pricing import Price as Price, price as price
from .problems.conv import ReLUConvProblem as ReLUConvProblem
from .problems.linear_conv import LinearConvProblem as LinearConvProblem
from .problems.penalty import beta_max as beta_max
from .problems.training import TrainingProblem as TrainingProblem
from .pruning import Pruning as Pruning, prune as prune
from .relaxation.prove import prove_bound as prove_bound
from .relaxation.proven_bound import ProvenBound as ProvenBound
from .reporting.report import Report as Report, report as report
from .solvers.program import solve_program as solve_program
from .solvers.solution import Record as Record, Solution as Solution, Status as Status
from .surrogates import (
    Extremum as Extremum,
    LipschitzBound as LipschitzBound,
    Optimum as Optimum,
    OutputRange as OutputRange,
    Surrogate as Surrogate,
    lipschitz as lipschitz,
    output_range as output_range,
    surrogate as surrogate,
)
from .training.certify import certify as certify
from .training.interpolation import neural_gauge as neural_gauge
from .training.path import Path as Path, relu_path as relu_path
from .training.pieces import PiecewiseFit as PiecewiseFit, fit_pieces as fit_pieces
from .training.program_path import ProgramPath as ProgramPath, program_path as program_path
from .training.train import train as train
from .training.width_front import FrontPoint as FrontPoint, WidthFront as WidthFront, width_front as width_front

__version__: str
