"""How many neurons an objective needs at least: bounds that cost no search."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._array import Array
from ..certificate import lower_bound
from ..problems.base import Problem
from ..problems.training import TrainingProblem

SUM_ROUNDING = 1e-12  # relative, of the sums over samples here


def least_width(problem: Problem[Any], offset: Array | float, limit: float) -> int:
    r"""Return a number of neurons that every network of an objective up to `limit` has at least.

    One is needed where no constant is as good. Two, for one output weight a neuron and no free offset, where no outputs
    of one sign are: those of one neuron are :math:`\alpha (x^T u)_+`, so that all samples whose loss falls the other
    way keep theirs. k + 1, for c outputs of a dense network under the squared loss, where no outputs of rank k are:
    :math:`\tfrac12 \sum_{i > k} \sigma_i^2` of the targets (Eckart and Young), of rank k + 1 with a free offset. These
    leave the penalty out, so that the number is small, and seldom the fewest; all rounding is on the safe side.

    Parameters
    ----------
    problem : Problem
    offset : array of shape (c,) or float
        The offset of these networks where the problem has none of its own.
    limit : float
    """
    if not _without_neurons(problem, offset) > limit:
        return 0
    if not isinstance(problem, TrainingProblem):
        return 1
    if problem.q == 1 and not problem.offset:
        return 2 if min(_of_one_sign(problem, offset, sign) for sign in (1.0, -1.0)) > limit else 1
    if problem.loss.name == "squared" and problem.c > 1 and not problem.features.patched:
        return max(1, _ranks_excluded(problem, offset, limit))
    return 1


def _without_neurons(problem: Problem[Any], offset: Array | float) -> float:
    """At most the objective of every network without neurons."""
    if problem.offset:
        return lower_bound(problem, problem.fit.empty_dual, 0.0)
    return problem.fit.value(_constant(problem, offset)) * (1.0 - SUM_ROUNDING)


def _constant(problem: Problem[Any], offset: Array | float) -> Array:
    return np.zeros_like(problem.y) + (offset if problem.y.ndim > 1 else np.ravel(offset)[0])


def _of_one_sign(problem: TrainingProblem, offset: Array | float, sign: float) -> float:
    """At most the loss of every f with sign (f - offset) >= 0: by convexity and ell >= 0, sample by sample."""
    f, fit = _constant(problem, offset), problem.fit
    kept = sign * fit.gradient(f) >= 0.0
    return float(fit.weight @ np.where(kept, fit.loss.value(f, fit.y), 0.0)) * (1.0 - SUM_ROUNDING)


def _ranks_excluded(problem: TrainingProblem, offset: Array | float, limit: float) -> int:
    """The number of ranks 0, 1, ... of outputs that leave a loss above the limit, less one for a free offset."""
    Y = problem.y if problem.offset else problem.y - offset
    sigma = np.linalg.svd(np.sqrt(problem.fit.output_weight) * Y, compute_uv=False)
    lost = 0.5 * np.append(np.cumsum((sigma**2)[::-1])[::-1], 0.0) - SUM_ROUNDING * float(sigma @ sigma)
    return int(np.count_nonzero(lost > limit)) - int(problem.offset)
