"""From labels, and a penalty that may be left open, to a training: what estimators and the command line share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .._array import Array, as_positive
from ..errors import InvalidInputError
from ..losses import Loss, Softmax
from ..losses.classes import class_targets
from ..problems.penalty import beta_max
from ..solvers.solution import Solution
from .one_vs_rest import beta_max_one_vs_rest, train_one_vs_rest
from .train import train

DEFAULT_BETA_FRACTION = 0.01


class Classes(NamedTuple):
    """Labels as training takes them: the c labels, sorted; targets (n,) or (n, c); the loss that they are for."""

    labels: npt.NDArray[Any]
    targets: Array
    loss: Loss


def classes_of(y: npt.NDArray[Any], loss: Loss, *, apart: bool = False, weight: Array | None = None) -> Classes:
    """The classes of labels y (n,), trained jointly or `apart`, each against the rest.

    More than two classes make a joint logistic loss the softmax loss. An InvalidInputError for fewer than two classes
    among the rows of positive weight, and for classes apart under a loss that couples them.

    Examples
    --------
    >>> from neuralgauge import Logistic
    >>> found = classes_of(np.array(["far", "near", "far"]), Logistic())
    >>> found.labels.tolist(), found.targets.tolist(), found.loss.name
    (['far', 'near'], [-1.0, 1.0, -1.0], 'logistic')
    """
    if apart and loss.coupled:
        raise InvalidInputError(
            f"`multi_class='one_vs_rest'` trains one network a class, which loss={loss.name!r} does not allow; "
            "use loss='logistic'."
        )
    present = np.unique(y if weight is None else y[weight > 0])
    if len(present) < 2:
        raise InvalidInputError(
            f"`y` must have two classes among the rows of positive weight, got one class, {present.tolist()[0]!r}."
        )
    labels, index = np.unique(y, return_inverse=True)
    if len(labels) > 2 and loss.name == "logistic" and not apart:
        loss = Softmax()
    return Classes(labels, class_targets(index, len(labels), loss.targets), loss)


def largest_penalty(problem: Any, *, apart: bool = False) -> float:
    """The penalty at or above which no network has a neuron, of one network or of one for each output."""
    # Where even beta = 0 gives the empty network (targets all zero), every beta trains the same; keep 1.
    return (beta_max_one_vs_rest if apart else beta_max)(problem) or 1.0


def penalty_of(problem: Any, beta: float | None, *, apart: bool = False) -> float:
    """`beta`, checked, or 1 % of the largest penalty for None."""
    if beta is not None:
        return as_positive(beta, "beta")
    return DEFAULT_BETA_FRACTION * largest_penalty(problem, apart=apart)


def trainer_of(*, apart: bool = False) -> Callable[..., Solution[Any]]:
    """What trains one network, or one for each output."""
    return train_one_vs_rest if apart else train
