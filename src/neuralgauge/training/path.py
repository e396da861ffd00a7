"""The regularization path: certified networks for a falling sequence of penalties, each started from the one before."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from .._array import Array, as_positive, as_vector
from .._threads import threads
from ..errors import InvalidInputError
from ..problems.base import Problem, checked_problem
from ..problems.penalty import beta_max
from ..problems.training import TrainingProblem
from ..solvers.run import Run
from ..solvers.solution import Solution, Status
from .proof import priced_alone
from .train import train

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Path:
    """Solutions from the largest penalty down.

    Attributes
    ----------
    betas : array of shape (k,)
        Penalties, falling.
    solutions : tuple of k Solution
        Each with its own network and certificate.
    train_error, validation_error : array of shape (k,)
        Share of wrong labels for classification, mean loss of a sample for the other losses; NaN without validation
        data. Weighted by `sample_weight` on the training rows.
    status : Status
        How the whole path ended; cut short, it holds the points that were finished.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> problem = ng.TrainingProblem([[-2], [-1], [0], [1], [2]], [1, -1, 1, 1, -1], beta=1.0)
    >>> path = ng.relu_path(problem, n_betas=3, beta_min_ratio=0.1)
    >>> path.summary()["n_neurons"].to_list()[0], path.best() == 2
    (0, True)
    """

    betas: Array
    solutions: tuple[Solution[Any], ...]
    train_error: Array
    validation_error: Array
    status: Status

    def __len__(self) -> int:
        return len(self.solutions)

    def summary(self) -> pl.DataFrame:
        """One row a penalty: beta, objective, lower_bound, gap, scope, proven, n_neurons, errors, seconds, reached."""
        import polars as pl

        certificates = [solution.certificate for solution in self.solutions]
        return pl.DataFrame(
            {
                "beta": self.betas,
                "objective": [c.upper for c in certificates],
                "lower_bound": [c.lower for c in certificates],
                "gap": [c.gap for c in certificates],
                "scope": [str(c.scope) for c in certificates],
                "proven": [c.proven for c in certificates],
                "n_neurons": [solution.network.n_neurons for solution in self.solutions],
                "train_error": self.train_error,
                "validation_error": self.validation_error,
                "seconds": [solution.seconds for solution in self.solutions],
                "reached": [solution.status is Status.SOLVED for solution in self.solutions],
            }
        )

    def best(self) -> int:
        """Index of the least validation error, or training error without validation; the largest beta of equals."""
        error = self.train_error if np.isnan(self.validation_error).all() else self.validation_error
        return int(np.argmin(error))


def relu_path(
    problem: Problem[Any],
    n_betas: int = 50,
    beta_min_ratio: float = 1e-3,
    *,
    betas: Any = None,
    gap: float = 1e-3,
    validation: tuple[Any, Any] | None = None,
    time_limit: float | None = None,
    random_state: int | None = 0,
    prove: bool | float | None = None,
    n_jobs: int | None = None,
    progress: Callable[[float, Solution[Any]], None] | None = None,
) -> Path:
    r"""Train for a falling sequence of penalties, each from the network, dual point and columns of the one before.

    Parameters
    ----------
    problem : TrainingProblem, ReLUConvProblem or LinearConvProblem
        Its own beta plays no part.
    n_betas : int
        Penalties, >= 1, at equal ratios from :math:`\beta_{max}`, where the empty network is optimal, down.
    beta_min_ratio : float
        Last penalty over :math:`\beta_{max}`, in (0, 1).
    betas : array of shape (k,), optional
        The penalties themselves, > 0, in place of the two above; taken from the largest down.
    gap : float
        Relative gap at which each point stops.
    validation : tuple (X, y), optional
        Data as for the problem, for `Path.validation_error`.
    time_limit : float, optional
        Seconds for the whole path, proofs included, but for that of the last point.
    random_state : int or None
        Seed of the searches.
    prove : bool or float, optional
        As in `train`, but that by default no relaxation runs; a number is the seconds for each point.
    n_jobs : int, optional
        Threads, as in `train`; one pool for the whole path.
    progress : callable, optional
        Called with beta and the `Solution` of every point that is returned.

    Returns
    -------
    Path
        Ctrl-C and the time limit return the points finished so far; where there is none yet, the first as far as it
        got.

    Raises
    ------
    InvalidInputError
        For counts, ratios or penalties out of range, or where every penalty gives the empty network
        (:math:`\beta_{max} = 0`).

    Notes
    -----
    The first penalty is that of `beta_max`: exact for X of rank 1 and 2, and of rank 3 up to 2,000 rows, and otherwise
    the largest score that a search finds. Cost: a few rounds of `train` a point.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> problem = ng.TrainingProblem([[-2], [-1], [0], [1], [2]], [1, -1, 1, 1, -1], beta=1.0)
    >>> path = ng.relu_path(problem, n_betas=5)
    >>> print(f"{path.betas[0]:.4f} {path.betas[-1]:.7f} {path.solutions[-1].certificate.scope}")
    1.7889 0.0017889 exact
    """
    checked_problem(problem)
    run = Run(as_positive(gap, "gap"), time_limit)
    with threads(n_jobs):
        grid = penalties(lambda: _beta_max(problem), betas, n_betas, beta_min_ratio)
        held_out = None if validation is None else problem.with_data(*validation)
        if prove is None and isinstance(problem, TrainingProblem):
            prove = priced_alone(prove, problem)
        trainer = partial(train, gap=gap, random_state=random_state, prove=prove)
        solutions, status = solutions_along([problem.with_beta(float(beta)) for beta in grid], trainer, run, progress)
        return _path(problem, grid, solutions, held_out, status)


def solutions_along(
    problems: list[Problem[Any]],
    trainer: Callable[..., Solution[Any]],
    run: Run,
    progress: Callable[[float, Solution[Any]], None] | None,
) -> tuple[list[Solution[Any]], Status]:
    """Solutions of the problems one after the other as far as time allows, and how that ended."""
    solutions: list[Solution[Any]] = []

    def points() -> Generator[None, None, Status]:
        for problem in problems:
            if solutions:
                yield
            found = trainer(problem, time_limit=run.left(), start=solutions[-1] if solutions else None)
            cut_short = found.status in (Status.INTERRUPTED, Status.TIME_LIMIT)
            # One that was cut short in its proof is trained to its gap.
            if not (cut_short and solutions and abs(found.certificate.gap) > run.target_gap):
                solutions.append(found)
                if progress is not None:
                    progress(problem.beta, found)
            if cut_short:
                return found.status
        return Status.SOLVED

    status = run.follow(points)
    if not solutions:
        raise KeyboardInterrupt
    return solutions, status


def _path(
    problem: Problem[Any], grid: Array, solutions: list[Solution[Any]], held_out: Problem[Any] | None, status: Status
) -> Path:
    networks: list[Any] = [solution.network for solution in solutions]
    train_error = [error_rate(problem, problem.outputs(network)) for network in networks]
    validation_error = [np.nan] * len(networks)
    if held_out is not None:
        validation_error = [error_rate(held_out, held_out.outputs(network)) for network in networks]
    if status is Status.SOLVED and any(solution.status is not Status.SOLVED for solution in solutions):
        status = next(s.status for s in solutions if s.status is not Status.SOLVED)
    return Path(grid[: len(solutions)], tuple(solutions), np.array(train_error), np.array(validation_error), status)


def error_rate(problem: Problem[Any], f: Array) -> float:
    """Share of wrong labels for outputs f, or the mean loss where targets are numbers; weighted by the samples."""
    weight, y, kind = problem.sample_weight, problem.y, problem.loss.targets
    if kind == "simplex" or (kind == "sign" and problem.c > 1):
        wrong = np.argmax(f, axis=1) != np.argmax(y, axis=1)
    elif kind == "sign":
        wrong = (f > 0) != (y > 0)
    else:
        return problem.fit.value(f) / float(weight.sum())
    return float(weight @ wrong / weight.sum())


def penalties(largest: Callable[[], float], betas: Any, n_betas: int, beta_min_ratio: float) -> Array:
    """Falling penalties: the given ones, or `n_betas` at equal ratios from `largest()` down; checked."""
    if betas is not None:
        values = as_vector(betas, np.size(betas), "betas")
        if values.size == 0 or np.any(values <= 0.0):
            raise InvalidInputError(f"`betas` must be one or more numbers > 0, got {values.tolist()[:5]}.")
        return np.sort(values)[::-1].copy()
    if n_betas < 1:
        raise InvalidInputError(f"`n_betas` must be at least 1, got {n_betas}.")
    ratio = as_positive(beta_min_ratio, "beta_min_ratio")
    if ratio >= 1.0:
        raise InvalidInputError(f"`beta_min_ratio` must be below 1, got {ratio}.")
    return largest() * np.geomspace(1.0, ratio, n_betas)


def _beta_max(problem: Problem[Any]) -> float:
    largest = beta_max(problem)
    if largest == 0.0:
        raise InvalidInputError(
            "the loss is stationary at the empty network, so every `beta` > 0 gives that network; give targets that "
            "vary, or `betas`."
        )
    return largest
