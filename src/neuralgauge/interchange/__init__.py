"""Model files, with what gives answers in the user's units."""

from .model_file import load_model, save_model
from .saved_model import SavedModel
from .standardization import Standardization
from .stated import StatedCertificate

__all__ = ["SavedModel", "Standardization", "StatedCertificate", "load_model", "save_model"]
