"""What every training problem is: a data fit, atoms with their cost, and a penalty."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from typing import Any, Generic, Self

from .._array import Array, as_positive, check_size
from ..errors import InvalidInputError
from ..losses import Loss
from ..losses.datafit import DataFit
from ..networks.base import Net
from .polar import Polar


class Problem(ABC, Generic[Net]):
    r"""Minimise L(f) + beta times the cost of the atoms that make up f, over networks of every width.

    .. math:: \min_{U, A, b} L(f) + \tfrac\beta2 \sum_j \left(\|u_j\|_2^2 + \|\alpha_j\|_2^2\right)
              \;=\; \max_V \; -L^*(-V) \quad\text{subject to}\quad G(V) \le \beta

    The kinds of problems differ in their atoms, the outputs of one neuron with |u| = |alpha| = 1, and thereby in the
    polar gauge G, the support function of the atoms. Everything else is written for all of them.

    Attributes
    ----------
    fit : DataFit
        Targets, loss, weights and offset: L.
    beta : float
        Penalty, > 0.
    """

    fit: DataFit
    beta: float

    def _set(self, fit: DataFit, beta: float) -> None:
        self.fit, self.beta = fit, as_positive(beta, "beta")
        check_size("beta", self.beta)

    @property
    def y(self) -> Array:
        """Targets as the loss takes them, (n,) or (n, c); outputs, gradients and dual points have their shape."""
        return self.fit.y

    @property
    def loss(self) -> Loss:
        """Loss."""
        return self.fit.loss

    @property
    def offset(self) -> bool:
        """Whether the outputs have an offset of their own."""
        return self.fit.offset

    @property
    def sample_weight(self) -> Array:
        """Weights of the samples, (n,)."""
        return self.fit.weight

    @property
    def n(self) -> int:
        """Samples."""
        return self.fit.n

    @property
    def c(self) -> int:
        """Outputs."""
        return self.fit.c

    def with_beta(self, beta: float) -> Self:
        """The same data and loss with another penalty."""
        other = copy.copy(self)
        other.beta = as_positive(beta, "beta")
        return other

    def objective(self, network: Net) -> float:
        """The weight-decay objective of a network, from its own outputs and weights."""
        return self.fit.value(self.outputs(network)) + self.beta * network.weight_decay()

    @property
    @abstractmethod
    def X(self) -> Array:
        """The rows of the data, read-only."""

    @property
    @abstractmethod
    def d(self) -> int:
        """Entries of u."""

    @property
    @abstractmethod
    def reach(self) -> float:
        """Bound on |f| of one sample for one atom: moving v by so much in l1 moves G(v) by so much at most."""

    @abstractmethod
    def outputs(self, network: Net) -> Array:
        """The network's own outputs on the samples, of y's shape."""

    @abstractmethod
    def empty_network(self) -> Net:
        """The best network without neurons: outputs zero, or with `offset` the best constant."""

    @abstractmethod
    def network_of(self, model: Any) -> Net:
        """Return a network, weight arrays or the model of another library as a network of this problem; checked."""

    @abstractmethod
    def with_data(self, X: Any, y: Any) -> Self:
        """Other data and targets, unweighted, under the same loss, penalty and kind of outputs."""

    @abstractmethod
    def attained(self, v: Array, network: Net) -> float:
        """The largest score of the network's own neurons at v, |u| = |alpha| = 1: never above G(v)."""

    @abstractmethod
    def polar(self, v: Array, random_state: int = 0) -> Polar:
        """The polar gauge G(v), as far as it is known at little cost."""


def checked_problem(problem: Any) -> Problem[Any]:
    """Return the problem; anything else is an InvalidInputError."""
    if not isinstance(problem, Problem):
        raise InvalidInputError(
            "`problem` must be a TrainingProblem, ReLUConvProblem or LinearConvProblem, got "
            f"{type(problem).__name__}; make one from the data, TrainingProblem(X, y, beta=...)."
        )
    return problem
