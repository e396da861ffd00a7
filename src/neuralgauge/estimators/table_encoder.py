"""TableEncoder: tables with text, categories, dates and gaps as arrays of numbers, for scikit-learn."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from .._array import Array
from ..errors import InvalidInputError
from ..preparation.frames import frame_of
from ..preparation.table_encoding import encoded_rows, feature_names, learned_codes
from .typed_bases import BaseEstimator


class TableEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Turn a table of columns of any kind into a matrix of numbers.

    Numbers, booleans and text that holds numbers, with a decimal point or comma, stay one column. Text and categories
    become a column of 0 and 1 for each level, one for two levels; levels in less than 1 % of the rows, or beyond the 30
    most frequent ones, share a column. Dates become days since 1970 and, for each period that they span (the year, the
    week, with times the day), its cosine and sine. Missing values are filled with the median, or have no level, and a
    column of 0 and 1 tells them. Left out are text that differs in every row, and columns of one value or none.

    Attributes
    ----------
    codes_ : tuple of ColumnCode
        What is done to each column; `said` of each is a sentence.
    n_features_in_ : int
        Columns of the table.
    feature_names_in_ : array of shape (n_features_in_,)
        Their names.

    Warns
    -----
    UnknownLevelWarning
        In `transform`, for levels that `fit` has not seen, which count as rare or as none, and for gaps in columns
        that had none.

    Notes
    -----
    Nothing is scaled: the estimators do that. Categories of numbers, such as codes of regions, are numbers unless the
    column is of text or categories that are no numbers; make them text first.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> table = {"size": ["1,5", "2,5", ""], "kind": ["old", "new", "old"], "built": ["2001-05-01", "2010-01-31", None]}
    >>> encoder = ng.TableEncoder().fit(table)
    >>> encoder.get_feature_names_out().tolist()[:3]
    ['size', 'size is missing', 'kind = old']
    >>> encoder.transform(table)[:, :3].tolist()
    [[1.5, 0.0, 1.0], [2.5, 0.0, 0.0], [2.0, 1.0, 1.0]]
    >>> print(encoder.describe()["kind"])
    2 levels: 1 column of 0 and 1
    """

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn what is to be done to each column of a table, polars or pandas, or a dict of columns."""
        frame = frame_of(X)
        if frame.height == 0 or frame.width == 0:
            raise InvalidInputError(f"`X` must have rows and columns, got {frame.height} rows, {frame.width} columns.")
        self.codes_ = learned_codes(frame, frame.columns)
        self.n_features_in_ = frame.width
        self.feature_names_in_ = np.array(frame.columns, dtype=object)
        return self

    def transform(self, X: Any) -> Array:
        """The table as numbers (n, d); columns are found by name, in any order, and others ignored."""
        check_is_fitted(self, "codes_")
        return encoded_rows(frame_of(X), self.codes_)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Names of the columns of numbers, such as "kind = old"."""
        check_is_fitted(self, "codes_")
        return np.array(feature_names(self.codes_), dtype=object)

    def describe(self) -> dict[str, str]:
        """What is done to each column of the table, in words."""
        check_is_fitted(self, "codes_")
        return {code.name: code.said for code in self.codes_}
