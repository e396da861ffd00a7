"""Error against neurons: the best networks found of every width, each with its certificate, and their Pareto front."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .._threads import threads
from ..certificate import Certificate
from ..errors import InvalidInputError
from ..problems.base import Problem, checked_problem
from ..pruning.prune import of_every_width
from ..solvers.solution import Solution
from .certify import certificate_of
from .path import Path, error_rate
from .train import train

if TYPE_CHECKING:
    import polars as pl

SAME_OBJECTIVE = 1e-10  # relative difference of a solution's objective and that on the problem which is rounding
Measure = Literal["objective", "train_error", "validation_error"]
MEASURES = ("objective", "train_error", "validation_error")


@dataclass(frozen=True)
class FrontPoint:
    """A network of some width at some penalty.

    Attributes
    ----------
    network : TwoLayerNetwork, ReLUConvNetwork or LinearConvNetwork
    beta : float
        Its penalty.
    certificate : Certificate
        At that penalty: `upper` is the network's objective, and the bound is about networks of every width.
    data_fit : float
        L, the sum of the losses of the samples: the objective without the weight decay.
    train_error, validation_error : float
        As of a `Path`: share of wrong labels, or mean loss of a sample; NaN without validation data.
    """

    network: Any
    beta: float
    certificate: Certificate
    data_fit: float
    train_error: float
    validation_error: float

    @property
    def n_neurons(self) -> int:
        """m."""
        return int(self.network.n_neurons)

    @property
    def objective(self) -> float:
        """The weight-decay objective [2]."""
        return self.certificate.upper


@dataclass(frozen=True)
class WidthFront:
    """Networks of many widths, the largest penalty first and at each penalty the fewest neurons first.

    At a penalty every network has a lower objective than all with fewer neurons. They are the best found; that none
    better of their width exists is not claimed.

    Attributes
    ----------
    points : tuple of FrontPoint

    Examples
    --------
    >>> import neuralgauge as ng
    >>> problem = ng.TrainingProblem([[-2], [-1], [0], [1], [2]], [1, -1, 1, 1, -1], beta=0.1)
    >>> front = ng.width_front(ng.train(problem), problem)
    >>> [(point.n_neurons, round(point.objective, 1)) for point in front.pareto()]
    [(0, 2.5), (1, 2.1), (2, 1.5), (3, 1.1), (4, 0.9)]
    >>> front.fewest(within=0.4).n_neurons
    3
    """

    points: tuple[FrontPoint, ...]

    def __len__(self) -> int:
        return len(self.points)

    def measure(self, of: Measure | None = None) -> Measure:
        """Return `of`, checked; by default what `pareto` takes."""
        held_out = not all(np.isnan(point.validation_error) for point in self.points)
        penalties = len({point.beta for point in self.points})
        if of is None:
            if penalties == 1:
                return "objective"
            return "validation_error" if held_out else "train_error"
        if of not in MEASURES:
            raise InvalidInputError(f"`of` must be one of {', '.join(map(repr, MEASURES))}, got {of!r}.")
        if of == "objective" and penalties > 1:
            raise InvalidInputError(
                f"`of` must not be 'objective' for {penalties} penalties, whose objectives do not compare; ask for "
                "'train_error' or 'validation_error'."
            )
        if of == "validation_error" and not held_out:
            raise InvalidInputError(
                "`of` must not be 'validation_error' without data; give `width_front` `validation`."
            )
        return of

    def pareto(self, of: Measure | None = None) -> tuple[FrontPoint, ...]:
        """The points that none with as few neurons equals in a measure: more neurons, and less each time.

        Parameters
        ----------
        of : {"objective", "train_error", "validation_error"}, optional
            What is to be small. By default the objective for one penalty, whose networks compare in it; else the
            validation error, or without validation data the training error, which prefers small penalties.
        """
        name = self.measure(of)
        kept: list[FrontPoint] = []
        for point in sorted(self.points, key=lambda point: (point.n_neurons, getattr(point, name))):
            if not kept or getattr(point, name) < getattr(kept[-1], name):
                kept.append(point)
        return tuple(kept)

    def fewest(self, within: float = 0.0, of: Measure | None = None) -> FrontPoint:
        """The point of the fewest neurons whose measure is up to (1 + within) times the least of all points."""
        if not (np.isfinite(within) and within >= 0.0):
            raise InvalidInputError(f"`within` must be finite and >= 0, got {within}.")
        front, name = self.pareto(of), self.measure(of)
        limit = getattr(front[-1], name) * (1.0 + within)
        return next(point for point in front if getattr(point, name) <= limit)

    def summary(self) -> pl.DataFrame:
        """One row a point: n_neurons, beta, objective, its bounds, data_fit, errors, and whether on the front."""
        import polars as pl

        front = set(map(id, self.pareto()))
        certificates = [point.certificate for point in self.points]
        return pl.DataFrame(
            {
                "n_neurons": [point.n_neurons for point in self.points],
                "beta": [point.beta for point in self.points],
                "objective": [c.upper for c in certificates],
                "lower_bound": [c.lower for c in certificates],
                "gap": [c.gap for c in certificates],
                "scope": [str(c.scope) for c in certificates],
                "proven": [c.proven for c in certificates],
                "data_fit": [point.data_fit for point in self.points],
                "train_error": [point.train_error for point in self.points],
                "validation_error": [point.validation_error for point in self.points],
                "pareto": [id(point) in front for point in self.points],
            }
        )

    def __str__(self) -> str:
        """The Pareto front as a table."""
        name = self.measure().replace("train_", "training_").replace("_", " ")
        rows = (
            f"{point.n_neurons:7d}  {point.beta:10.4g}  {point.objective:12.6g}  {point.certificate.gap:8.1e}  "
            f"{point.train_error:11.4g}  {point.validation_error:16.4g}"
            for point in self.pareto()
        )
        head = f"{'neurons':>7}  {'beta':>10}  {'objective':>12}  {'gap':>8}  {'train error':>11}  validation error"
        return "\n".join([head, *rows, f"Pareto front of the {name}; the best found of each width."])


def width_front(
    source: Any,
    problem: Problem[Any],
    *,
    validation: tuple[Any, Any] | None = None,
    gap: float = 1e-4,
    time_limit: float | None = None,
    prove: bool | float | None = None,
    random_state: int | None = 0,
    n_jobs: int | None = None,
) -> WidthFront:
    r"""Return networks of every width with their errors and certificates, from one that is trained or a whole path.

    The network of each penalty loses its neurons one by one as in `prune(width=...)`, from 40 of them on; then every
    width is also reached from the one below by one more neuron and from the one above by one fewer. The lower bound of
    a penalty is about networks of every width, so that one is shared by all of its points.

    Parameters
    ----------
    source : Solution, Path or a network
        A solution of `train` or a path of `relu_path` brings its bounds along. A network of the problem's kind, or a
        model that `certify` takes, is certified here by a training.
    problem : TrainingProblem, ReLUConvProblem or LinearConvProblem
        The problem that it was trained on; of a path its own beta plays no part.
    validation : tuple (X, y), optional
        Data as for the problem, for `FrontPoint.validation_error`.
    gap, time_limit, prove, n_jobs
        Of the training behind the bound of a network, as in `certify`; `n_jobs` also of the searches.
    random_state : int or None
        Seed of the searches.

    Returns
    -------
    WidthFront

    Raises
    ------
    InvalidInputError
        For a solution or path of another problem, rows of X that are not whole in memory, or what `certify` refuses.

    Notes
    -----
    Cost for each penalty some twenty searches of 20 and 100 iterations a width up to 40 neurons, an iteration
    O(n (d + c) m): seconds for hundreds of rows. A path of ten penalties does for most pictures.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> problem = ng.TrainingProblem([[-2], [-1], [0], [1], [2]], [1, -1, 1, 1, -1], beta=0.1)
    >>> front = ng.width_front(ng.train(problem), problem)
    >>> print(*str(front).splitlines()[:2], sep="\n")
    neurons        beta     objective       gap  train error  validation error
          0         0.1           2.5   6.4e-01          0.5               nan
    """
    given = checked_problem(problem)
    held_out = None if validation is None else given.with_data(*validation)
    points: list[FrontPoint] = []
    with threads(n_jobs):
        if isinstance(source, Path):
            pairs = [(given.with_beta(float(b)), s) for b, s in zip(source.betas, source.solutions, strict=True)]
        else:
            pairs = [(given, source)]
        for one, found in pairs:
            network = one.network_of(found.network if isinstance(found, Solution) else found)
            bound = found if isinstance(found, Solution) and network.n_neurons else None
            if bound is None:  # a network, or the empty one, whose objective does not say which penalty it is of
                bound = train(one, gap, time_limit=time_limit, random_state=random_state, prove=prove)
            else:
                _check_solution(bound, one)
            points += _points(network.balance(), one, bound, held_out, random_state)
    return WidthFront(tuple(points))


def _check_solution(solution: Solution[Any], problem: Problem[Any]) -> None:
    """Refuse a solution of another problem, whose bound says nothing here."""
    network = problem.network_of(solution.network)
    found, stated = problem.objective(network), solution.certificate.upper
    if not abs(found - stated) <= SAME_OBJECTIVE * abs(stated):
        raise InvalidInputError(
            f"`source` must be trained on `problem`: its certificate says {stated:.10g}, and its objective here is "
            f"{found:.10g}; give the problem that it was trained on, or its `network`, to be certified anew."
        )


def _points(
    network: Any, problem: Problem[Any], bound: Solution[Any], held_out: Problem[Any] | None, seed: int | None
) -> list[FrontPoint]:
    """The networks of each width at one penalty that are better than all with fewer neurons, the fewest first."""
    points: list[FrontPoint] = []
    for small in of_every_width(network, problem, seed):
        certificate = certificate_of(small, problem, bound)
        if points and certificate.upper >= points[-1].objective:
            continue
        f = problem.outputs(small)
        held = np.nan if held_out is None else error_rate(held_out, held_out.outputs(small))
        errors = error_rate(problem, f), held
        points.append(FrontPoint(small, problem.beta, certificate, problem.fit.value(f), *errors))
    return points
