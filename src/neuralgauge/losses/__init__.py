"""Losses, and the table of their names."""

from __future__ import annotations

from ..errors import InvalidInputError
from .classification import Hinge, Logistic, SquaredHinge
from .protocol import BalancedLoss, CoupledLoss, Loss, Pieces, PiecewiseLoss, Targets
from .regression import Absolute, EpsilonInsensitive, Huber, Poisson, Quantile, Squared
from .softmax import Softmax

__all__ = [
    "LOSSES",
    "Absolute",
    "BalancedLoss",
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


def check_coupled(loss: Loss, c: int, offset: bool) -> None:
    """Refuse a coupled loss that does not say where its dual points lie, from which lower bounds are made.

    Raises
    ------
    InvalidInputError
        For a coupled loss without the members of `CoupledLoss`, of `BalancedLoss` under an offset, or one output.
    """
    if not loss.coupled:
        return
    if c < 2:
        raise InvalidInputError(f"the {loss.name} loss couples outputs, so `y` must have two columns or more, got one.")
    needed: type = BalancedLoss if offset else CoupledLoss
    if not isinstance(loss, needed):
        both = set(dir(BalancedLoss if offset else CoupledLoss)) - set(dir(Loss))
        missing = sorted(name for name in both if not hasattr(loss, name))
        raise InvalidInputError(
            f"the {loss.name} loss couples outputs, so it must say where its dual points lie"
            f"{', with sums that an output offset asks for' if offset else ''}: it lacks {', '.join(missing)}; add "
            f"them (neuralgauge.losses.{needed.__name__})"
            f"{', train with offset=False,' if offset and isinstance(loss, CoupledLoss) else ''} "
            "or take a loss of every output on its own."
        )
