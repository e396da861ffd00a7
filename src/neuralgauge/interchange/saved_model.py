"""A trained network with what predictions for a table need: columns, scaling, classes, certificate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .._array import Array, as_matrix, as_positive
from ..certificate import Certificate
from ..errors import InvalidInputError, ModelFileError
from ..losses import LOSSES, Loss
from ..losses.classes import best_class, class_scores, class_targets, probabilities
from ..networks.conv import ReLUConvNetwork
from ..preparation.frames import frame_of
from ..preparation.standardization import Standardization
from ..preparation.table_encoding import Codes, encoded_rows, feature_names
from ..problems.constraints import UNCONSTRAINED, Constraints
from ..quoting import closest, listed, quoted
from .loss_record import parameters_of, rebuilt
from .model_checks import (
    CONVOLUTIONAL,
    check_certificate,
    check_classes,
    check_constraints,
    check_loss,
    check_names,
    check_network,
)

Label = str | int | float | bool


@dataclass(frozen=True)
class SavedModel:
    """The content of a model file.

    Attributes
    ----------
    network : TwoLayerNetwork, ReLUConvNetwork or LinearConvNetwork
        d features and c outputs; a convolutional one takes images or signals in the place of a table.
    task : {"regression", "classification"}
    loss : str
        Name of the loss it was trained with.
    loss_parameters : dict of str to float, or None
        Its parameters, all of them, such as {"delta": 1.0}; what is left out gets its default. None for a loss that
        is an object of the user's own: it cannot be rebuilt from a file, so that the model predicts but is not
        certified without it.
    beta : float
        Penalty it was trained with, on standardised columns.
    certificate : Certificate
        Of the training problem, on standardised columns; from a file a `StatedCertificate`, which nothing proves.
    standardization : Standardization
        Applied to features before the network and undone on its outputs; of images the features are the channels.
    feature_names : tuple of str
        Columns in the order of the network; empty if it was trained on a nameless array, and columns are then
        taken by position.
    target_name : str, tuple of str or None
        Column it predicts, or columns for several outputs.
    classes : tuple of labels, text or numbers
        With one output the class of negative and of positive ones, else one class an output, of which the greatest
        decides; empty for regression.
    multi_class : {"joint", "one_vs_rest"}
        Whether the neurons serve all outputs, or each output was trained, and is certified, alone.
    offset : bool
        Whether it was trained with an output offset; always True where the network has one.
    encoding : tuple of ColumnCode
        What is done to each column of a table; empty where all are columns of numbers. `feature_names` are then those
        of the encoded columns.
    constraints : Constraints
        What was asked of its outputs: signs of columns, by position, convexity, positive outputs.
    package_version : str
        Version of the package that trained it.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> model = SavedModel(
    ...     network=ng.TwoLayerNetwork([[1.0], [0.0]], [1.0]),
    ...     task="regression",
    ...     loss="squared",
    ...     beta=0.1,
    ...     certificate=Certificate(1.0, 0.9, "exact"),
    ...     standardization=Standardization([10.0], [2.0], 5.0, 3.0),
    ...     feature_names=("size",),
    ... )
    >>> model.predict([[14.0], [8.0]]).tolist()
    [11.0, 5.0]
    """

    network: Any
    task: Literal["regression", "classification"]
    loss: str
    beta: float
    certificate: Certificate
    standardization: Standardization
    feature_names: tuple[str, ...] = ()
    target_name: str | tuple[str, ...] | None = None
    classes: tuple[Label, ...] = ()
    package_version: str = field(default="")
    loss_parameters: Mapping[str, float] | None = field(default_factory=dict)
    multi_class: Literal["joint", "one_vs_rest"] = "joint"
    offset: bool = False
    encoding: Codes = ()
    constraints: Constraints = UNCONSTRAINED

    def __post_init__(self) -> None:
        check_network(self.network, len(self.feature_names), len(self.standardization.feature_mean))
        if self.task not in ("regression", "classification"):
            raise InvalidInputError(f"`task` must be 'regression' or 'classification', got {self.task!r}.")
        if self.multi_class not in ("joint", "one_vs_rest"):
            raise InvalidInputError(f"`multi_class` must be 'joint' or 'one_vs_rest', got {self.multi_class!r}.")
        if isinstance(self.target_name, tuple) and len(self.target_name) < 2:
            object.__setattr__(self, "target_name", self.target_name[0] if self.target_name else None)
        object.__setattr__(self, "offset", bool(self.offset or np.any(self.network.offset)))
        object.__setattr__(self, "beta", as_positive(self.beta, "beta"))
        self._check_outputs()
        check_names(self.feature_names, "feature_names")
        if self.encoding and feature_names(self.encoding) != self.feature_names:
            raise InvalidInputError("`encoding` must make the columns `feature_names`, got one of other columns.")
        check_names(self.target_names, "target_name")
        check_classes(self.classes)
        check_certificate(self.certificate)
        constrained = check_constraints(self.constraints, self.network, self.offset)
        certificate = replace(self.certificate, separate=self.is_apart, constrained=constrained)
        object.__setattr__(self, "certificate", certificate)
        if self.loss_parameters is not None:
            if self.loss not in LOSSES:
                raise InvalidInputError(
                    f"`loss` must be one of {sorted(LOSSES)}, got {self.loss!r}; a loss of your own has "
                    "`loss_parameters=None`."
                )
            loss = rebuilt(self.loss, self.loss_parameters)
            check_loss(loss, self.task, self.network.n_outputs)
            object.__setattr__(self, "loss_parameters", parameters_of(loss))

    def _check_outputs(self) -> None:
        c, k = self.network.n_outputs, len(self.classes)
        is_regression = self.task == "regression"
        if k != (0 if is_regression else max(c, 2)):
            raise InvalidInputError(f"A {self.task} model of {c} output{'s' if c > 1 else ''} cannot have {k} classes.")
        targets = c if is_regression else 1
        n_names, n_means = len(self.target_names), np.size(self.standardization.target_mean)
        if n_names not in (0, targets) or n_means not in (1, targets):
            raise InvalidInputError(
                f"A {self.task} model of {c} outputs needs {targets} target names and means, got {n_names} names and "
                f"{n_means} means."
            )

    @property
    def target_names(self) -> tuple[str, ...]:
        """The columns it predicts, none if they have no names."""
        if self.target_name is None:
            return ()
        return (self.target_name,) if isinstance(self.target_name, str) else tuple(self.target_name)

    @property
    def table_columns(self) -> tuple[str, ...]:
        """The columns of a table that it was trained on, before any encoding."""
        return tuple(code.name for code in self.encoding) or self.feature_names

    @property
    def training_loss(self) -> Loss:
        """The loss it was trained with; an InvalidInputError for one of the user's own."""
        if self.loss_parameters is None:
            raise InvalidInputError(
                f"The model was trained with a loss of your own, {self.loss!r}, which a model file cannot hold; call "
                "`neuralgauge.training.certify(model.network, TrainingProblem(..., loss=...))` with that loss."
            )
        return rebuilt(self.loss, self.loss_parameters)

    @property
    def is_apart(self) -> bool:
        """Whether there are several outputs and each was trained alone."""
        return self.multi_class == "one_vs_rest" and self.network.n_outputs > 1

    @property
    def has_probabilities(self) -> bool:
        """Whether the loss gives outputs that are log-odds."""
        return self.loss in ("logistic", "softmax") and self.loss_parameters is not None

    def features(self, X: Any) -> Array:
        """Standardised features of shape (n, d); a table's columns are found by name, in any order.

        The target column may be in the table and is ignored; a missing or unknown column is a ModelFileError. Of a
        convolutional network images (n, *geometry.shape), standardised by channel.
        """
        if isinstance(self.network, CONVOLUTIONAL):
            return self.standardization.features(self.network.geometry.images(X, "X"))
        columns = getattr(X, "columns", None)
        if columns is not None and self.encoding:
            table = frame_of(X)
            self.check_columns(table.columns)
            X = encoded_rows(table, self.encoding)
        elif columns is not None and self.feature_names:
            self.check_columns([str(name) for name in columns])
            found = {str(name): name for name in columns}
            X = X[[found[name] for name in self.feature_names]]
        raw = as_matrix(X)
        if raw.shape[1] != self.network.n_features:
            raise InvalidInputError(
                f"`X` must have the {self.network.n_features} columns the model was trained on, got {raw.shape[1]}."
            )
        return self.standardization.features(raw)

    def check_columns(self, columns: list[str]) -> None:
        """Raise ModelFileError, naming the columns, unless they are the model's in any order."""
        own = self.table_columns
        left_out = {code.name for code in self.encoding if code.kind == "left out"}
        known, given = {*own, *self.target_names}, set(columns)
        missing = [name for name in own if name not in given and name not in left_out]
        extra = [name for name in columns if name not in known]
        if not (missing or extra):
            return
        parts = [
            f"{word} {listed(names, limit=5)}" for word, names in (("missing", missing), ("unknown", extra)) if names
        ]
        close = closest(missing[0], extra, n=1) if missing else []
        remedy = (
            f" Is {quoted(close[0])} meant to be {quoted(missing[0])}?"
            if close
            else " Leave out or rename columns to match."
        )
        raise ModelFileError(f"The model was trained on other columns: {', '.join(parts)}.{remedy}")

    def decision_function(self, X: Any) -> Array:
        """Outputs f(x) of shape (n,), or (n, c) for several: in the units of the targets, or a score of each class.

        Of two classes the score is one, positive for `classes[1]`. Under the Poisson loss f is the logarithm of
        `predict`.
        """
        network, features = self.network, self.features(X)
        f = network.predict_images(features) if isinstance(network, ReLUConvNetwork) else network.predict(features)
        outputs = self.standardization.original(f)
        if not np.isfinite(outputs).all():
            raise InvalidInputError("The features are too large for the network: its outputs overflow.")
        return class_scores(outputs, len(self.classes))

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Predictions for a table or an array: numbers of shape (n,) or (n, c), or labels from `classes` (n,)."""
        outputs = self.decision_function(X)
        if self.task == "classification":
            return np.array(self.classes)[best_class(outputs)]
        if self.loss == "poisson" and self.loss_parameters is not None:
            with np.errstate(over="ignore"):
                outputs = np.exp(outputs)
            if not np.isfinite(outputs).all():
                raise InvalidInputError("The features are too large for the network: the expected counts overflow.")
        return outputs

    def predict_proba(self, X: Any) -> Array:
        """Probabilities of shape (n, k), columns as in `classes`; only for the logistic and the softmax loss.

        Of several outputs by softmax, or if each was trained against the rest, by their sigmoids over the sum of them.
        """
        if not self.has_probabilities:
            raise InvalidInputError(
                f"Probabilities need the logistic or the softmax loss, this model has {self.loss!r}."
            )
        return probabilities(self.decision_function(X), separate=self.loss != "softmax")

    def encode(self, labels: npt.NDArray[Any]) -> Array:
        """Labels of shape (n,) as the loss takes them: -1 and +1, or one column a class, +1 and else 0 or -1.

        A label that is not among `classes` is an InvalidInputError.
        """
        known = set(self.classes)
        unknown = [label for label in np.unique(labels).tolist() if label not in known]
        if unknown:
            raise InvalidInputError(
                f"The target must hold the classes of the model, {listed(self.classes)}, got {quoted(unknown[0])}."
            )
        is_class = labels[:, None] == np.array(self.classes)
        kind = "sign" if self.network.n_outputs == 1 else self.training_loss.targets
        return class_targets(np.argmax(is_class, axis=1), len(self.classes), kind)
