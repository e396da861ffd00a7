"""What algorithms on weights ask of a network and a problem; `TwoLayerNetwork` and `TrainingProblem` lie above."""

from __future__ import annotations

from typing import Any, Protocol, Self, TypeVar

import numpy as np

from .. import passes
from .._array import Array
from ..readouts import DenseReadout, Readout


class Network(Protocol):
    """Weights and the forms that keep the function; see `TwoLayerNetwork`."""

    @property
    def U(self) -> Array:
        """Hidden weights (d, m)."""

    @property
    def A(self) -> Array:
        """Output weights (m, c)."""

    @property
    def offset(self) -> Array | float:
        """Output offset (c,)."""

    @property
    def n_neurons(self) -> int:
        """m."""

    def weight_decay(self) -> float:
        """(|U|^2 + |A|^2) / 2."""

    def with_neurons(self, U: Any, A: Any, offset: Any = None) -> Self:
        """Other neurons."""

    def take(self, neurons: Any) -> Self:
        """Only these neurons."""

    def balance(self) -> Self:
        """The same function with |u_j| = |alpha_j|."""

    def merge(self, tolerance: float = 1e-12) -> Self:
        """The same function with one neuron a ray and output direction."""


class Problem(Protocol):
    """Data, loss and penalty; see `TrainingProblem`."""

    beta: float
    offset: bool
    X: Array
    y: Array
    readout: Readout

    @property
    def q(self) -> int:
        """Output weights of a neuron."""

    def loss_value(self, f: Array) -> float:
        """L(f)."""

    def loss_of(self, f: Array, samples: slice) -> tuple[float, Array]:
        """The loss and its gradient on some of the samples alone."""


N = TypeVar("N", bound=Network)


def outputs(network: Network, problem: Problem) -> Array:
    """The network's outputs on the samples, of y's shape."""
    f = passes.outputs(problem.X, problem.readout, network.U, network.A)
    return (f + network.offset).reshape(problem.y.shape)


def atoms(network: Network, X: Array, readout: Readout | None = None) -> Array:
    """What each neuron adds to the outputs as columns, (n c, m): their sum is the outputs without the offset."""
    return (readout or DenseReadout(len(X))).atoms(np.maximum(X @ network.U, 0.0), network.A)


def objective(network: Network, problem: Problem) -> float:
    """The weight-decay objective [2]."""
    return problem.loss_value(outputs(network, problem)) + problem.beta * network.weight_decay()
