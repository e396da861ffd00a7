"""Losses in a file: a name and numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ..errors import InvalidInputError
from ..losses import LOSSES, Loss

MEMBERS = ("name", "targets", "coupled")


def parameters_of(loss: Loss) -> dict[str, float] | None:
    """The parameters of a loss of this package by name; None for a loss of the user's own, which only code can rebuild.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> parameters_of(ng.Huber(delta=2.0)), parameters_of(ng.Squared())
    ({'delta': 2.0}, {})
    """
    known = LOSSES.get(loss.name)
    if known is None or type(known) is not type(loss):
        return None
    values = {name: float(getattr(loss, name)) for name in parameter_names(loss.name)}
    return values if rebuilt(loss.name, values) == loss else None


def parameter_names(name: str) -> list[str]:
    """Return the names of the parameters of the loss of that name."""
    fields: Any = LOSSES[name]
    return [field.name for field in dataclasses.fields(fields) if field.name not in MEMBERS]


def rebuilt(name: str, parameters: Mapping[str, float]) -> Loss:
    """The loss of that name with these parameters; others keep their defaults, a wrong one is an InvalidInputError."""
    unknown = sorted(set(parameters) - set(parameter_names(name)))
    if unknown:
        raise InvalidInputError(f"The {name} loss has the parameters {parameter_names(name)}, got {unknown[0]!r}.")
    return type(LOSSES[name])(**parameters)
