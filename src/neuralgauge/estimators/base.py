"""What all estimators share: the loss, the training to a certified gap, the fitted attributes and the warnings."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from .._array import Array, as_positive
from ..errors import InvalidInputError
from ..losses import LOSSES, Loss, Targets, get_loss
from ..preparation.prepared import Prepared
from ..preparation.standardization import Standardization
from ..solvers.solution import Record, Solution, Status
from ..training.proof import Prove, checked_prove
from ..training.supervised import largest_penalty, penalty_of, trainer_of
from .parameters import Parametrised
from .progress import record_writer

SAME = 1e-9  # relative difference of objectives of one network on the same data, by rounding


class TrainingData(NamedTuple):
    """What `fit` was given, checked: features, y as it came, targets for the loss, weights."""

    X: Array
    y: Any
    targets: Array
    sample_weight: Array
    loss: Loss


class NetworkEstimator(Parametrised):
    """Fitting, whatever the data, the network and the targets are.

    Parameters
    ----------
    offset : bool, default=False
        Whether outputs have an offset, which is not penalised: predictions then follow a shift of y, or unequal
        classes.
    gap : float, default=1e-3
        Relative gap between objective and lower bound at which training stops, > 0.
    time_limit : float or None, default=None
        Seconds after which the best network so far is taken, with a `ConvergenceWarning`.
    verbose : bool or callable, default=False
        True writes a line an iteration to the logger "neuralgauge" at level INFO, or to stderr where logging is not set
        up for that; a callable gets each `Record`. Lines go to the logger at level DEBUG in any case.

    Attributes
    ----------
    certificate_ : Certificate
        Objective, lower bound, relative gap and what the bound covers.
    solution_ : Solution
        Everything the solver returned: status, history, dual point, seconds.
    beta_ : float
        The penalty used.
    loss_ : Loss
        The loss as an object.
    offset_ : bool
        Whether outputs have an offset.
    n_iter_ : int
        Iterations of the solver.

    Warns
    -----
    ConvergenceWarning
        When training stopped before the requested gap; the message gives the gap that was reached.

    Notes
    -----
    Samples are brought to one order, equal ones are merged and those of weight zero dropped first, so the result does
    not depend on the order of the samples, and an integer weight is the same as that many copies of the sample.
    """

    _counterpart: ClassVar[str]  # the estimator that takes the other losses

    if TYPE_CHECKING:
        loss: str | Loss  # a parameter of those that let it be chosen

    offset: bool = False
    gap: float = 1e-3
    time_limit: float | None = None
    verbose: bool | Callable[[Record], None] = False

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on n >= 2 samples X and on y, numbers (n,) or (n, c) or labels (n,), with weights >= 0 or None."""
        self._fit_data(self._checked_data(X, y, sample_weight))
        return self

    @abstractmethod
    def _checked_data(self, X: Any, y: Any, sample_weight: Any) -> TrainingData:
        """What was given, checked, with the targets of the loss."""

    @abstractmethod
    def _fit_arguments(self, X: Any, y: Any, sample_weight: Any, **options: Any) -> tuple[Array, Any, Array]:
        """X, y and weights, checked; the options are those of scikit-learn's checks."""

    @abstractmethod
    def _fit_data(self, data: TrainingData) -> None:
        """Train at a penalty that is given or chosen."""

    @abstractmethod
    def _prepared(
        self, data: TrainingData, chosen: Any = slice(None), scaling: Standardization | None = None
    ) -> Prepared:
        """The problem of the chosen samples at beta = 1, scaled by themselves or as others are."""

    def _problem(self, data: TrainingData) -> Any:
        """The training problem in canonical form, at beta = 1; sets `scaling_`."""
        problem, self.scaling_ = self._prepared(data)
        return problem

    @abstractmethod
    def _outputs(self, X: Any) -> Array:
        """Outputs f(x) of the fitted network, (n,) or (n, c)."""

    def _trains_apart(self) -> bool:
        """Whether every output gets a network of its own."""
        return False

    def _begins_with_offset(self) -> bool:
        """Whether problems of the data are made with an output offset."""
        return bool(self.offset)

    def _seed(self) -> Any:
        """What the searches draw from; nothing is drawn for networks without a ReLU."""
        return 0

    def _proof(self, problem: Any) -> Prove:
        """What the training is to prove, checked; without a ReLU everything is proven in any case."""
        return None

    def _options(self) -> dict[str, Any]:
        """Options of the trainer that the estimator alone decides."""
        return {}

    def _beta_max(self, problem: Any) -> float:
        return largest_penalty(problem, apart=self._trains_apart())

    def _checked_loss(self, targets: tuple[Targets, ...]) -> Loss:
        loss = get_loss(self.loss)
        if loss.targets not in targets:
            allowed = [name for name, known in LOSSES.items() if known.targets in targets]
            raise InvalidInputError(
                f"`loss` of {type(self).__name__} must be one of {allowed}, got {loss.name!r}, "
                f"which belongs to {self._counterpart}."
            )
        return loss

    def _train(self, problem: Any, beta: float, gap: float, time_limit: float | None, **options: Any) -> None:
        """Train, with other options of the trainer, and set the fitted attributes."""
        solution = trainer_of(apart=self._trains_apart())(
            problem.with_beta(beta),
            gap,
            time_limit=time_limit,
            random_state=self._seed(),
            prove=self._proof(problem),
            progress=self._progress(),
            **self._options(),
            **options,
        )
        self.beta_ = beta
        self.loss_, self.offset_ = problem.loss, problem.offset
        self.solution_ = solution
        network: Any = solution.network
        self.network_: Any = self.scaling_.unscaled(network)
        self.certificate_ = solution.certificate
        self.n_iter_ = solution.n_iter
        if solution.status not in (Status.SOLVED, Status.SLOW):
            warnings.warn(
                f"{type(self).__name__} reached a relative gap of {solution.certificate.gap:.2e}, "
                f"{gap:.2e} was asked for. {solution.status.value} The network is usable; allow a larger `gap` "
                "or more `time_limit`, or raise `beta`.",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _checked_time_limit(self) -> float | None:
        return None if self.time_limit is None else as_positive(self.time_limit, "time_limit")

    def _progress(self) -> Callable[[Record], None] | None:
        if callable(self.verbose):
            return self.verbose
        return record_writer(bool(self.verbose))


class Penalised(NetworkEstimator):
    """Training at a given penalty.

    Parameters
    ----------
    beta : float or None, default=None
        Penalty, > 0, never rescaled. None takes 1 % of the smallest beta that gives the empty network.
    warm_start : bool, default=False
        Whether `fit`, called again, begins from the network of the call before, say at another beta or with more
        samples; columns, outputs and filters must be as many. The certificate is worth the same either way.
    """

    beta: float | None = None
    warm_start: bool = False

    def _fit_data(self, data: TrainingData) -> None:
        gap, time_limit = as_positive(self.gap, "gap"), self._checked_time_limit()
        former: Any = getattr(self, "scaling_", None)
        problem = self._problem(data)
        beta = penalty_of(problem, self.beta, apart=self._trains_apart())
        options = {"start": self._last(problem, former)} if self.warm_start and hasattr(self, "solution_") else {}
        self._train(problem, beta, gap, time_limit, **options)

    def _last(self, problem: Any, scaling: Standardization) -> Solution[Any]:
        """The solution of the call before as a start: with its dual point if the data are the same."""
        last = self.solution_
        try:
            network = problem.network_of(scaling.moved(last.network, self.scaling_, problem.offset))
            known = problem.with_beta(self.beta_).objective(network)
        except (InvalidInputError, ValueError) as error:
            raise InvalidInputError(
                f"`warm_start` needs data like those of the last `fit`, got others: {error} Give `warm_start=False`, "
                "or fit a `sklearn.base.clone`."
            ) from error
        if last.dual.shape == problem.y.shape and abs(known - last.certificate.upper) <= SAME * abs(known):
            return last
        return replace(last, network=network, dual=-problem.fit.gradient(problem.outputs(network)))


class ReLUEstimator(NetworkEstimator):
    """Training of ReLU networks, whose neurons are searched.

    Parameters
    ----------
    bias : bool, default=True
        Whether neurons, or filters, have a bias, penalised like any weight.
    random_state : int, RandomState instance or None, default=0
        Seed of the searches; the optimum does not depend on it.
    prove : bool, float or None, default=None
        What the certificate is to rest on, as in `neuralgauge.train`. None: exact pricing up to rank 5, or 3 for
        several outputs. True: always, however long it takes; False: never. Seconds: as None, and where that leaves the
        bound open so many seconds of a relaxation on top of `time_limit`, which proves a bound at any rank
        (`certificate_.proven`); refused for data for which neither is tried.
    n_jobs : int or None, default=None
        Threads, as in `neuralgauge.train`: -1 for all cores. The result does not depend on it.
    """

    bias: bool = True
    random_state: Any = 0
    prove: bool | float | None = None
    n_jobs: int | None = None

    def _options(self) -> dict[str, Any]:
        return {"n_jobs": self.n_jobs}

    def _seed(self) -> Any:
        if self.random_state is None or isinstance(self.random_state, int | np.integer):
            return self.random_state
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _proof(self, problem: Any) -> Prove:
        return checked_prove(self.prove, problem.output(0) if self._trains_apart() and problem.c > 1 else problem)
