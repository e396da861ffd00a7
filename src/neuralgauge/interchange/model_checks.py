"""Checks of models, from files and from users: each raises an InvalidInputError."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..certificate import Certificate
from ..errors import InvalidInputError
from ..losses import LOSSES, Loss, Targets
from ..networks.conv import ReLUConvNetwork
from ..networks.dense import TwoLayerNetwork
from ..networks.linear_conv import LinearConvNetwork
from ..preparation.standardization import Standardization
from ..problems.constraints import UNCONSTRAINED, Constraints, neuron_constraints

CONVOLUTIONAL = (ReLUConvNetwork, LinearConvNetwork)
BOUNDS_AGREE = 1e-6  # of the larger of both bounds: where terms of either sign cancel, their sums are rounded so much
MOST_CHARACTERS = 2**24  # of an array of labels, which gives the longest one's room to each
MOST_OUTPUT = 1e300  # sums of 100 million outputs, one for each position of an image, are finite
TARGETS: dict[str, tuple[Targets, ...]] = {"regression": ("real", "count"), "classification": ("sign", "simplex")}


def check_network(network: Any, n_names: int, n_means: int) -> None:
    """Refuse what is no network or has no features or outputs, and other numbers of names and means."""
    if not isinstance(network, TwoLayerNetwork | LinearConvNetwork):
        raise InvalidInputError(
            f"`network` must be a TwoLayerNetwork, ReLUConvNetwork or LinearConvNetwork, got {type(network).__name__}."
        )
    d = network.geometry.channels if isinstance(network, CONVOLUTIONAL) else network.n_features
    if d < 1 or network.n_outputs < 1:
        raise InvalidInputError(
            f"`network` must have features and outputs, got {d} features and {network.n_outputs} outputs."
        )
    if n_names not in (0, d) or n_means != d:
        raise InvalidInputError(
            f"A network of {d} features needs as many names and means, got {n_names} names and {n_means} means."
        )


def check_certificate(certificate: Certificate) -> None:
    """Refuse bounds that are no numbers, a lower one above the objective by more than rounding, a proven one above it.

    Examples
    --------
    >>> check_certificate(Certificate(6.0, 1e9, "exact"))
    Traceback (most recent call last):
        ...
    neuralgauge.errors.InvalidInputError: The `certificate` must have a lower bound of at most the objective, 6.0, ...
    """
    upper, lower = certificate.upper, certificate.lower
    if not math.isfinite(upper):
        raise InvalidInputError(f"The `certificate` must have a finite objective, got {upper}.")
    if lower == math.inf or not lower - upper <= BOUNDS_AGREE * max(abs(upper), abs(lower)):
        raise InvalidInputError(
            f"The `certificate` must have a lower bound of at most the objective, {upper}, got {lower}; bounds of "
            "another problem do not belong to this network."
        )
    if not certificate.proven <= lower:
        raise InvalidInputError(
            f"The `certificate` must have a proven bound of at most its lower one, {lower}, got {certificate.proven}; "
            "`Certificate.with_proven` raises both."
        )


def check_names(names: Sequence[str], name: str) -> None:
    """Refuse a name that occurs twice."""
    twice = [label for label, times in Counter(names).items() if times > 1]
    if twice:
        raise InvalidInputError(f"`{name}` must differ, got {twice[0]!r} more than once; rename the columns.")


def check_classes(classes: Sequence[Any]) -> None:
    """Refuse labels that are not all text or all numbers, not all different, or not what an array makes of them."""
    is_text = {isinstance(label, str) for label in classes}
    if len(is_text) > 1 or not all(isinstance(label, str | int | float) for label in classes):
        raise InvalidInputError(f"`classes` must be all text or all numbers, got {list(classes)[:8]}.")
    if len(set(classes)) < len(classes):
        raise InvalidInputError(f"`classes` must differ, got {list(classes)[:8]}.")
    if True in is_text and len(classes) * max(map(len, classes)) > MOST_CHARACTERS:
        raise InvalidInputError(f"`classes` must be shorter: each of {len(classes)} takes as much as the longest.")
    labels = np.array(classes)
    is_finite = labels.dtype.kind != "f" or np.isfinite(labels).all()
    if labels.dtype.kind == "O" or not is_finite or labels.tolist() != list(classes):
        raise InvalidInputError(
            "`classes` must be finite numbers of at most 64 bits, or text that does not end in a null character, got "
            "others."
        )


def check_loss(loss: Loss, task: str, n_outputs: int) -> None:
    """Refuse a loss that is not for such targets, or that couples outputs where there is one."""
    if loss.targets not in TARGETS[task]:
        allowed = [name for name, known in LOSSES.items() if known.targets in TARGETS[task]]
        raise InvalidInputError(f"The `loss` of a {task} model must be one of {allowed}, got {loss.name!r}.")
    if loss.targets == "simplex" and n_outputs == 1:
        raise InvalidInputError(f"The {loss.name!r} loss needs an output for each class, got one output.")


def check_outputs(network: TwoLayerNetwork | LinearConvNetwork, scaling: Standardization) -> None:
    """Refuse weights whose outputs are beyond `MOST_OUTPUT` for some standardised features in [-1, 1]."""
    with np.errstate(over="ignore", invalid="ignore"):
        weights = np.abs(network.A).sum(axis=tuple(range(1, network.A.ndim)))
        outputs = np.abs(network.U).sum(axis=0) @ weights + np.max(np.abs(network.offset))
        reach = outputs * np.max(scaling.target_scale) + np.max(np.abs(scaling.target_mean))
    if not reach <= MOST_OUTPUT:
        raise InvalidInputError(
            f"`network` must have outputs of at most {MOST_OUTPUT} near the means of the features, its weights allow "
            f"{reach}; scale the targets."
        )


def check_constraints(constraints: Constraints, network: Any, offset: bool) -> bool:
    """Whether a network was trained under constraints; an InvalidInputError if it does not obey them."""
    if constraints == UNCONSTRAINED:
        return False
    d = network.U.shape[0] - int(getattr(network, "bias", False))
    known = neuron_constraints(constraints, None, network.U.shape[0], network.U.shape[0] > d)
    if isinstance(network, CONVOLUTIONAL) or network.n_outputs > 1 or (constraints.positive and offset):
        raise InvalidInputError(
            "`constraints` are for networks of one output on a table, `positive` for those without offset."
        )
    if known is not None and not np.all(known.obeyed(network.U, network.A[:, 0])):
        raise InvalidInputError("`constraints` must be obeyed by every neuron of the network, got one that does not.")
    return known is not None
