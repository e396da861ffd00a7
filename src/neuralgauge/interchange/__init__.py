"""Networks in and out of the package: model files, and what they need to give answers in the user's units."""

from .model_file import load_model, save_model
from .saved_model import SavedModel
from .standardization import Standardization

__all__ = ["SavedModel", "Standardization", "load_model", "save_model"]
