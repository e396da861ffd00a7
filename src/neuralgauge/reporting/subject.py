"""What a report is about: a model in one form, with the rows and targets it is looked at on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from .._array import Array, as_matrix, as_targets
from ..certificate import Certificate
from ..errors import InvalidInputError
from ..features.parquet import ParquetRows
from ..interchange import SavedModel
from ..interchange.model_checks import CONVOLUTIONAL
from ..interchange.model_file import from_estimator
from ..preparation.table_encoding import Codes, encoded_rows
from ..quoting import listed
from ..solvers.solution import Solution


@dataclass(frozen=True)
class Subject:
    """A model with n rows of d columns.

    Attributes
    ----------
    model : Any
        What was given: an estimator or a saved model.
    saved : SavedModel
        The same as a saved model, which predicts in the units of the data.
    rows : array of shape (n, d)
        Features as they were given, in the order of the network.
    y : array of shape (n,) or (n, c)
        Numbers, or for classes their positions in ``saved.classes``.
    names : tuple of str
        The columns.
    certificate : Certificate
        Which is shown.
    anew : bool
        Whether it was computed for these rows.
    frame : polars.DataFrame or None
        The table before its columns were encoded, if that was done to it.
    codes : tuple of ColumnCode
        How they were.
    """

    model: Any
    saved: SavedModel
    rows: Array
    y: npt.NDArray[Any]
    names: tuple[str, ...]
    certificate: Certificate
    anew: bool
    frame: pl.DataFrame | None = None
    codes: Codes = ()

    @classmethod
    def of(
        cls, model: Any, X: Any, y: Any, names: Sequence[str] | None, target: Any, certificate: Certificate | None
    ) -> Subject:
        """Check what was given; the certificate of the model unless there is another."""
        frame = X
        codes: Codes = ()
        if hasattr(model, "steps"):
            codes = getattr(model[0], "codes_", ())
            model, X = _last_step(model, X)
        saved = model if isinstance(model, SavedModel) else from_estimator(model, target_name=target)
        if isinstance(saved.network, CONVOLUTIONAL):
            raise InvalidInputError(
                "`model` must be a network on a table for a report, got one on images; draw its `network_` with "
                "`plot_filters`."
            )
        if isinstance(X, ParquetRows):
            raise InvalidInputError(
                "`X` must be rows in memory for a report, got ParquetRows; read some thousand of them."
            )
        if saved.encoding and isinstance(X, pl.DataFrame):
            saved.check_columns(X.columns)
            codes, X = saved.encoding, encoded_rows(X, saved.encoding)
        columns = getattr(X, "columns", None)
        own = saved.feature_names or tuple(map(str, columns if columns is not None else ()))
        if columns is not None and saved.feature_names:
            known = {str(name): name for name in columns}
            saved.check_columns(list(known))
            X = X[[known[name] for name in saved.feature_names]]
        features = as_matrix(X.toarray() if hasattr(X, "toarray") else X)
        n, d = features.shape
        if d != saved.network.n_features:
            raise InvalidInputError(
                f"`X` must have the {saved.network.n_features} columns the model was trained on, got {d}."
            )
        if names is not None and len(names) != d:
            raise InvalidInputError(f"`feature_names` must have one name a column ({d}), got {len(names)}.")
        own = tuple(map(str, names)) if names is not None else own or tuple(f"column {k}" for k in range(d))
        targets = _positions(saved, y, n) if saved.classes else _numbers(saved, y, n)
        table = frame if codes and isinstance(frame, pl.DataFrame) else None
        shown = saved.certificate if certificate is None else certificate
        return cls(model, saved, features, targets, own, shown, certificate is not None, table, codes)

    @property
    def solution(self) -> Solution[Any] | None:
        """Of an estimator how it was trained; a file does not hold it."""
        return getattr(self.model, "solution_", None)

    @property
    def table(self) -> Any:
        """The rows as the estimator takes them, with names if it was fitted on some."""
        return pl.DataFrame(self.rows, schema=self.saved.feature_names) if self.saved.feature_names else self.rows

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs of the network: targets, or classes; of two classes with one output the second."""
        c, saved = self.saved.network.n_outputs, self.saved
        if saved.classes:
            return tuple(map(str, saved.classes[-1:] if c == 1 else saved.classes))
        return saved.target_names or (("the target",) if c == 1 else tuple(f"target {k}" for k in range(c)))

    @property
    def title(self) -> str:
        """What is predicted, in a few words."""
        names = self.saved.target_names
        if self.saved.classes and not names:
            return f"{len(self.saved.classes)} classes"
        if not names:
            return "a number" if self.saved.network.n_outputs == 1 else f"{self.saved.network.n_outputs} numbers"
        return listed(names, "and", limit=3).replace("'", "")

    def part(self, most: int) -> npt.NDArray[np.intp]:
        """At most so many rows at equal distances, the same ones each time."""
        n = len(self.rows)
        return np.arange(n) if n <= most else np.linspace(0, n - 1, most).round().astype(np.intp)


def _last_step(pipeline: Any, X: Any) -> tuple[Any, Any]:
    """The network of a pipeline of scikit-learn, with the rows as the steps before it make them, named by these."""
    before, network = pipeline[:-1], pipeline[-1]
    made = before.transform(X)
    try:
        names = [str(name) for name in before.get_feature_names_out()]
    except (AttributeError, ValueError):  # a step that names none
        return network, made
    return network, pl.DataFrame(made.toarray() if hasattr(made, "toarray") else np.asarray(made), schema=names)


def _numbers(saved: SavedModel, y: Any, n: int) -> Array:
    targets = as_targets(y, n)
    wanted, got = saved.network.n_outputs, 1 if targets.ndim == 1 else targets.shape[1]
    if wanted != got:
        raise InvalidInputError(f"`y` must have the {wanted} targets of the model, got {got}.")
    return targets


def _positions(saved: SavedModel, y: Any, n: int) -> Array:
    labels = np.asarray(y)
    labels = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if labels.shape != (n,):
        raise InvalidInputError(f"`y` must have one label a row ({n}), got shape {labels.shape}.")
    known = {label: k for k, label in enumerate(saved.classes)}
    unknown = [label for label in np.unique(labels).tolist() if label not in known]
    if unknown:
        raise InvalidInputError(
            f"`y` must hold the classes of the model, {listed(saved.classes)}, got {listed(unknown, limit=3)}; leave "
            "such rows out."
        )
    return np.array([known[label] for label in labels.tolist()])
