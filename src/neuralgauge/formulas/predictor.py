"""What code of any language has to compute for a model: one record, which the writers of the languages read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np

from .._array import Array
from ..errors import InvalidInputError
from ..interchange.model_content import package_version
from ..interchange.model_file import from_estimator
from ..interchange.saved_model import Label, SavedModel
from ..losses.classes import probabilities
from ..networks.dense import TwoLayerNetwork
from ..networks.formula import Formula, check_distinct
from ..preparation.encoding import ColumnCode
from ..preparation.standardization import Standardization
from ..quoting import quoted

Link = Literal["numbers", "counts", "scores", "logistic", "softmax", "separate"]
LARGEST_SINGLE = 3e38  # of float32


@dataclass(frozen=True)
class Predictor:
    """Outputs f = constant + A^T max(0, W^T (x - centre) + v) of features x, and what is made of them.

    The columns are centred, as the training had them: columns of large mean and small deviation, such as years, would
    lose their digits in the products of single precision otherwise.

    Attributes
    ----------
    columns : tuple of ColumnCode
        The columns of the table in their order, those left out without.
    features : tuple of str
        Names of the columns of numbers x, (d,); more than `columns` where some are encoded.
    W, v, A : arrays of shapes (d, m), (m,), (m, c)
    constant : array of shape (c,)
    centre : array of shape (d,)
    link : str
        "numbers": f is predicted. "counts": exp(f). Of classes f is "scores", of which the largest decides and with one
        output the sign, or log-odds with probabilities: "logistic" for one output; "softmax"; "separate" sigmoids over
        their sum.
    classes : tuple of labels
    targets : tuple of str
        Names of the outputs (c,).
    about : tuple of str
        Lines that say where the code is from.
    """

    columns: tuple[ColumnCode, ...]
    features: tuple[str, ...]
    W: Array
    v: Array
    A: Array
    constant: Array
    centre: Array
    link: Link = "numbers"
    classes: tuple[Label, ...] = ()
    targets: tuple[str, ...] = ()
    about: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether every column is one of numbers, without gaps."""
        return all(code.is_plain for code in self.columns)

    @property
    def has_probabilities(self) -> bool:
        """Whether `link` makes probabilities of classes."""
        return self.link in ("logistic", "softmax", "separate")

    def single(self) -> Self:
        """The same in numbers of single precision: what is lost by rounding a centre goes into the constants inside."""
        centre = self.centre.astype(np.float32).astype(np.float64)
        v = self.v + (centre - self.centre) @ self.W
        rounded = replace(self, centre=centre, v=v)
        for name in ("W", "v", "A", "constant", "centre"):
            values = np.abs(getattr(rounded, name))
            if values.size and values.max() > LARGEST_SINGLE:
                raise InvalidInputError(
                    "The model has numbers above 3e38, which single precision does not hold; give columns and targets "
                    'in other units, or precision="float64".'
                )
        return rounded

    def named(self, names: Sequence[str] | None) -> Self:
        """Under other names of the columns."""
        if names is None:
            return self
        if not self.is_plain:
            raise InvalidInputError(
                "The columns of a model with an encoding have their names; rename those of the table."
            )
        if len(names) != len(self.columns):
            raise InvalidInputError(f"`feature_names` must be {len(self.columns)} names, got {len(names)}.")
        check_distinct(names, "feature_names")
        columns = tuple(replace(code, name=name) for code, name in zip(self.columns, names, strict=True))
        return replace(self, columns=columns, features=tuple(names))


def predictor_of(model: Any, feature_names: Sequence[str] | None = None) -> Predictor:
    """The record of a network, a fitted estimator, a pipeline of a `TableEncoder` and one, or a SavedModel."""
    if isinstance(model, TwoLayerNetwork):
        model._with_biases("code")
        plain = Standardization.identity(model.n_features)
        about = ("A two-layer ReLU network of neuralgauge.",)
        return _with_parts(model, plain, _plain_columns((), model.n_features), (), about).named(feature_names)
    saved, encoding = _saved(model)
    network = saved.network
    if not isinstance(network, TwoLayerNetwork) or hasattr(network, "geometry"):
        raise InvalidInputError(f"Code and formulas are of networks on tables, got a {type(network).__name__}.")
    columns = tuple(code for code in encoding if code.kind != "left out")
    columns = columns or _plain_columns(saved.feature_names, network.n_features)
    made = _with_parts(network, saved.standardization, columns, saved.feature_names, _about(saved))
    return _with_link(made, saved).named(feature_names)


def formula(model: Any, feature_names: Sequence[str] | None = None, digits: int | None = 4) -> Formula:
    """A trained model as a formula to read, in the units of the table.

    Parameters
    ----------
    model : TwoLayerNetwork, fitted estimator or SavedModel
        On a table; of columns with an encoding the formula is of the columns of numbers that these become, such as
        ``kind = old``, 0 or 1.
    feature_names : sequence of str, optional
        Of the columns, those of the model by default, or x1, x2, ...
    digits : int or None
        Significant digits that are written.

    Returns
    -------
    Formula
        Of the outputs f: of regression the predictions, of the Poisson loss their logarithms; of two classes the score
        that is positive for the second, of more one for each, named by its class.

    Raises
    ------
    InvalidInputError
        For another kind of model, and for convolutional ones.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> X = [[-2.0], [-1.0], [0.0], [1.0], [2.0]]
    >>> model = ng.ReLURegressor(beta=0.01).fit(X, [2.0, 1.0, 0.0, 1.0, 2.0])
    >>> text = str(ng.formula(model, ["t"]).simplify(X, within=0.1))
    >>> text.count("max"), " t" in text
    (2, True)
    """
    one = predictor_of(model, feature_names)
    network = TwoLayerNetwork(np.vstack([one.W, one.v - one.centre @ one.W]), one.A, offset=one.constant)
    made = network.formula(one.features, digits)
    return replace(made, outputs=one.targets) if len(one.targets) > 1 else made


def _saved(model: Any) -> tuple[SavedModel, tuple[ColumnCode, ...]]:
    if isinstance(model, SavedModel):
        return model, model.encoding
    steps = [step for _, step in getattr(model, "steps", ())]
    if len(steps) == 2 and hasattr(steps[0], "codes_"):
        # Names of encoded columns are made of those of the table, so that the estimator needs none.
        codes = steps[0].codes_
        names = tuple(str(name) for name in steps[0].get_feature_names_out())
        return from_estimator(steps[1], feature_names=names), codes
    if steps:
        raise InvalidInputError(
            "A pipeline must be a TableEncoder and an estimator of neuralgauge, got "
            f"{', '.join(type(step).__name__ for step in steps)}; the estimators scale columns themselves."
        )
    if hasattr(model, "levels_"):
        raise InvalidInputError("A model of several quantiles is several networks; give one of its `estimators_`.")
    return from_estimator(model), ()


def _plain_columns(names: Sequence[str], d: int) -> tuple[ColumnCode, ...]:
    return tuple(ColumnCode(name, "number") for name in (names or [f"x{k + 1}" for k in range(d)]))


def _with_parts(
    network: TwoLayerNetwork,
    scaling: Standardization,
    columns: tuple[ColumnCode, ...],
    names: Sequence[str],
    about: tuple[str, ...],
) -> Predictor:
    """The numbers of a network of standardised columns, its slopes in the units of the columns and targets."""
    d = network.n_features
    W = network.U[:d] / scaling.feature_scale[:, None]
    v = network.U[d] if network.bias else np.zeros(network.n_neurons)
    A = network.A * scaling.target_scale
    constant = np.array(scaling.original(np.asarray(network.offset)))
    used = np.any(W != 0.0, axis=0)
    constant = constant + np.maximum(v[~used], 0.0) @ A[~used]
    used &= np.any(A != 0.0, axis=1)
    targets = ("prediction",) if A.shape[1] == 1 else tuple(f"prediction_{k + 1}" for k in range(A.shape[1]))
    features = tuple(names) or tuple(code.name for code in columns)
    parts = (W[:, used], v[used], A[used], constant, np.array(scaling.feature_mean))
    if not all(np.isfinite(part).all() for part in parts):
        raise InvalidInputError("The slopes of the network are above 1e308; give columns or targets in other units.")
    return Predictor(columns, features, *parts, targets=targets, about=about)


def _with_link(made: Predictor, saved: SavedModel) -> Predictor:
    """What is made of the outputs; of two classes with two outputs there is one, their difference."""
    if not saved.classes:
        names = saved.target_names
        targets = tuple(f"prediction_{name}" for name in names) if len(names) > 1 else made.targets
        counts = saved.loss == "poisson" and saved.loss_parameters is not None
        return replace(made, targets=targets, link="counts" if counts else "numbers")
    A, constant = made.A, made.constant
    if len(saved.classes) == 2 and A.shape[1] == 2:
        A, constant = A[:, 1:] - A[:, :1], constant[1:] - constant[:1]
    joint: Link = "softmax" if saved.loss == "softmax" else "separate"
    link: Link = "scores" if not saved.has_probabilities else "logistic" if A.shape[1] == 1 else joint
    targets = ("score",) if A.shape[1] == 1 else tuple(f"score_{label}" for label in saved.classes)
    return replace(made, A=A, constant=constant, link=link, classes=saved.classes, targets=targets)


def _about(saved: SavedModel) -> tuple[str, ...]:
    certificate = saved.certificate
    what = f"classes {', '.join(map(quoted, saved.classes))}" if saved.classes else "numbers"
    lines = [
        f"A two-layer ReLU network of neuralgauge {saved.package_version or package_version()}, which predicts {what}."
    ]
    lines.append(f"Trained with loss {saved.loss}, beta {saved.beta:.6g}, on standardised columns.")
    lines.append(certificate.in_words())
    return tuple(lines)


def outputs(model: Predictor, features: Array) -> Array:
    """What the code of a model has to give for columns of numbers: (n, c), or probabilities (n, k) of classes."""
    scores = np.maximum((features - model.centre) @ model.W + model.v, 0.0) @ model.A + model.constant
    if model.link == "counts":
        return np.exp(scores)
    if not model.has_probabilities:
        return scores
    return probabilities(scores[:, 0] if model.link == "logistic" else scores, model.link == "separate")
