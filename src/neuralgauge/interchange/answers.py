"""What a model answers with: networks, scaling, encoding, and how outputs become predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

import numpy as np

from ..errors import InvalidInputError
from ..losses import get_loss
from ..networks.conv import ReLUConvNetwork
from ..networks.dense import TwoLayerNetwork
from ..networks.linear_conv import LinearConvNetwork
from ..preparation.standardization import Standardization
from ..preparation.table_encoding import Codes, feature_names
from .model_checks import CONVOLUTIONAL
from .saved_model import Label, SavedModel

AnyNetwork = TwoLayerNetwork | LinearConvNetwork
MODELS = "a network, a SavedModel or a fitted estimator of neuralgauge"


class Part(NamedTuple):
    """A network and the standardization around it."""

    network: Any
    standardization: Standardization


@dataclass(frozen=True)
class Answers:
    """All that predictions need, of a network, an estimator or a saved model, in one form.

    Attributes
    ----------
    parts : tuple of Part
        One network; of a quantile regressor one for each level, whose outputs are sorted in each row.
    main : int
        Which of the sorted outputs `predict` gives.
    whole : bool
        Whether outputs are about images and not, as those of a network with "separable" readout, about patches.
    counts : bool
        Whether predictions are exponentials of outputs.
    classes : tuple of labels
        As in `SavedModel`; empty for numbers.
    probabilities : {"", "softmax", "separate"}
        How scores of more than two classes become probabilities, as in `losses.classes.probabilities`; "" where the
        loss gives none.
    encoding : tuple of ColumnCode
        What is done to each column of a table; empty where features are numbers.
    feature_names : tuple of str
        Of the features; empty without names.
    facts : dict of str to str
        What else is known, for readers: the certificate, names of targets.
    """

    parts: tuple[Part, ...]
    main: int = 0
    whole: bool = True
    counts: bool = False
    classes: tuple[Label, ...] = ()
    probabilities: Literal["", "softmax", "separate"] = ""
    encoding: Codes = ()
    feature_names: tuple[str, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def network(self) -> Any:
        """The one network, or the first."""
        return self.parts[0].network

    @property
    def is_convolutional(self) -> bool:
        """Whether it takes images in the place of a table."""
        return isinstance(self.network, CONVOLUTIONAL)


def answers_of(model: Any) -> Answers:
    """The answers of a network, a SavedModel or a fitted estimator, alone or after a `TableEncoder`.

    An InvalidInputError for anything else.
    """
    if isinstance(model, AnyNetwork):
        n_features = model.geometry.channels if isinstance(model, CONVOLUTIONAL) else model.n_features
        if n_features < 1 or model.n_outputs < 1:
            raise InvalidInputError(
                f"`model` must have features and outputs, got {n_features} features and {model.n_outputs} outputs."
            )
        return Answers((Part(model, Standardization.identity(n_features)),), whole=False)
    if isinstance(model, SavedModel):
        return _of_saved(model)
    steps = [step for _, step in getattr(model, "steps", ())]
    if len(steps) == 2 and hasattr(steps[0], "codes_") and hasattr(steps[1], "solution_"):
        codes = steps[0].codes_
        return replace(_of_estimator(steps[1]), encoding=codes, feature_names=feature_names(codes))
    if hasattr(model, "solution_") and hasattr(model, "scaling_"):
        return _of_estimator(model)
    raise InvalidInputError(f"`model` must be {MODELS}, got {type(model).__name__}{_remedy(model)}.")


def _remedy(model: Any) -> str:
    if hasattr(model, "named_steps"):
        return "; pass its last step, or convert it by skl2onnx after `register_onnx_converters()`"
    for name in ("best_estimator_", "network"):
        if hasattr(model, name):
            return f"; pass its `{name}`"
    return "; call its `fit` first" if type(model).__module__.startswith("neuralgauge.") else ""


def _of_saved(model: SavedModel) -> Answers:
    facts = {"certificate": model.certificate.in_words(), "targets": ", ".join(model.target_names)}
    return Answers(
        (Part(model.network, model.standardization),),
        counts=model.loss == "poisson" and model.loss_parameters is not None,
        classes=model.classes,
        probabilities=("softmax" if model.loss == "softmax" else "separate") if model.has_probabilities else "",
        encoding=model.encoding,
        feature_names=model.feature_names,
        facts={name: text for name, text in facts.items() if text},
    )


def _of_estimator(model: Any) -> Answers:
    members: Sequence[Any] = getattr(model, "estimators_", None) or [model]
    labels = getattr(model, "classes_", None)
    loss = get_loss(model.loss_)
    separate = getattr(model, "multi_class", "joint") == "one_vs_rest"
    if labels is not None and loss.name in ("logistic", "softmax"):
        probabilities: Literal["", "softmax", "separate"] = "separate" if separate else "softmax"
    else:
        probabilities = ""
    names = getattr(model, "feature_names_in_", ())
    return Answers(
        tuple(Part(one.solution_.network, one.scaling_) for one in members),
        main=model._middle if len(members) > 1 else 0,
        counts=labels is None and loss.targets == "count",
        classes=() if labels is None else tuple(np.asarray(labels).tolist()),
        probabilities=probabilities,
        feature_names=tuple(str(name) for name in names),
        facts={"certificate": model.certificate_.in_words()},
    )


def is_separable(network: Any) -> bool:
    """Whether a network gives outputs for each patch."""
    return isinstance(network, ReLUConvNetwork) and network.readout == "separable"
