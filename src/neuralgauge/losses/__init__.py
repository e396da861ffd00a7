"""Losses, and the table of their names."""

from __future__ import annotations

from ..errors import InvalidInputError
from .classification import Hinge, Logistic, Softmax, SquaredHinge
from .protocol import CoupledLoss, Loss, Pieces, PiecewiseLoss, Targets
from .regression import Absolute, EpsilonInsensitive, Huber, Poisson, Quantile, Squared

__all__ = [
    "LOSSES",
    "Absolute",
    "CoupledLoss",
    "EpsilonInsensitive",
    "Hinge",
    "Huber",
    "Logistic",
    "Loss",
    "Pieces",
    "PiecewiseLoss",
    "Poisson",
    "Quantile",
    "Softmax",
    "Squared",
    "SquaredHinge",
    "Targets",
    "get_loss",
]

_ALL: tuple[Loss, ...] = (
    Squared(),
    Absolute(),
    Huber(),
    Quantile(),
    EpsilonInsensitive(),
    Poisson(),
    Logistic(),
    Hinge(),
    SquaredHinge(),
    Softmax(),
)
LOSSES: dict[str, Loss] = {loss.name: loss for loss in _ALL}


def get_loss(loss: str | Loss) -> Loss:
    """The loss of that name with its default parameters, or the object itself if it already is one."""
    if not isinstance(loss, str):
        return loss
    if loss not in LOSSES:
        raise InvalidInputError(f"`loss` must be one of {sorted(LOSSES)} or a Loss object, got {loss!r}.")
    return LOSSES[loss]
