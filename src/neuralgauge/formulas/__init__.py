"""Trained models as formulas and as code of other languages."""

from .c_code import to_c
from .predictor import formula
from .python_code import to_python
from .spreadsheet import to_excel
from .sql import to_sql

__all__ = ["formula", "to_c", "to_excel", "to_python", "to_sql"]
