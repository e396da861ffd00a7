from .model_file import load_model as load_model, save_model as save_model
from .saved_model import SavedModel as SavedModel
from .stated import StatedCertificate as StatedCertificate
