"""Networks in and out of the package: model files with what gives answers in the user's units, other libraries."""

from .foreign import network_of
from .model_file import load_model, save_model
from .saved_model import SavedModel
from .standardization import Standardization
from .stated import StatedCertificate
from .torch_layers import to_torch

__all__ = ["SavedModel", "Standardization", "StatedCertificate", "load_model", "network_of", "save_model", "to_torch"]
