"""The table of losses by name; the decorator `named` enters each loss of the package where it is defined."""

from __future__ import annotations

from typing import TypeVar

from .protocol import Loss

LOSSES: dict[str, Loss] = {}

L = TypeVar("L", bound=Loss)


def named(kind: type[L]) -> type[L]:
    """Enter a loss, with its default parameters, into the table of names; a decorator of its class."""
    loss = kind()
    LOSSES[loss.name] = loss
    return kind
