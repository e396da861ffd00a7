"""Losses, and the table of their names."""

from __future__ import annotations

from ..errors import InvalidInputError
from .protocol import (
    BalancedLoss as BalancedLoss,
    CoupledLoss as CoupledLoss,
    Loss as Loss,
    Pieces as Pieces,
    PiecewiseLoss as PiecewiseLoss,
    SmoothLoss as SmoothLoss,
    Targets as Targets,
)
from .table import LOSSES as LOSSES

# Every loss of the package, in the order in which the table lists them: a new one is a file and its line here.
from .regression import Absolute as Absolute, EpsilonInsensitive as EpsilonInsensitive, Huber as Huber
from .regression import Poisson as Poisson, Quantile as Quantile, Squared as Squared
from .classification import Hinge as Hinge, Logistic as Logistic, SquaredHinge as SquaredHinge
from .softmax import Softmax as Softmax


def get_loss(loss: str | Loss) -> Loss:
    """The loss of that name with its default parameters, or the object itself if it already is one."""
    if not isinstance(loss, str):
        return loss
    if loss not in LOSSES:
        raise InvalidInputError(f"`loss` must be one of {sorted(LOSSES)} or a Loss object, got {loss!r}.")
    return LOSSES[loss]


def check_coupled(loss: Loss, c: int, offset: bool) -> None:
    """Refuse a coupled loss that does not say where its dual points lie, from which lower bounds are made.

    An InvalidInputError for one without the members of `CoupledLoss`, of `BalancedLoss` under an offset, or one output.
    """
    if not loss.coupled:
        return
    if c < 2:
        raise InvalidInputError(f"the {loss.name} loss couples outputs, so `y` must have two columns or more, got one.")
    needed: type = BalancedLoss if offset else CoupledLoss
    if not isinstance(loss, needed):
        missing = sorted(name for name in set(dir(needed)) - set(dir(Loss)) if not hasattr(loss, name))
        raise InvalidInputError(
            f"the {loss.name} loss couples outputs, so it must say where its dual points lie"
            f"{', with sums that an output offset asks for' if offset else ''}: it lacks {', '.join(missing)}; add "
            f"them (neuralgauge.losses.{needed.__name__})"
            f"{', train with offset=False,' if offset and isinstance(loss, CoupledLoss) else ''} "
            "or take a loss of every output on its own."
        )
