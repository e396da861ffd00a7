"""`surrogate`: a trained network as a mixed-integer program."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint

from .._array import Array
from ..errors import InvalidInputError
from ..networks.dense import TwoLayerNetwork
from .box import NetworkOnBox
from .encoding import Encoding, Indices, Units, encode, needed
from .extremum import output_weights
from .modelling import omlt_definition, pyomo_block
from .models import dense_network
from .optimum import Optimum, minimum

Sense = Literal["minimize", "maximize"]
# HiGHS takes coefficients below the first for zero, and refuses those above the second.
KEPT_BY_SOLVERS = (1e-9, 1e15)


def surrogate(network: Any, lower: Any, upper: Any, *, integer: Any = (), sense: Sense | None = None) -> Surrogate:
    r"""Return a trained network over a box as a mixed-integer linear program, to optimise its inputs.

    A neuron that keeps its sign over the box is linear or absent. Any other has z_j in [l_j, u_j], computed exactly,
    and y_j = (z_j)_+ is

    .. math:: y_j \ge z_j, \quad y_j \ge 0, \quad y_j \le z_j - l_j (1 - s_j), \quad y_j \le u_j s_j,
              \quad s_j \in \{0, 1\}.

    With a `sense` rows are left out that cannot matter: in a minimisation y_j with output weights >= 0 is pushed down
    and needs the first two rows but no binary; with weights <= 0 it needs the last two. A network whose output weights
    are all >= 0 is minimised by a linear program.

    Parameters
    ----------
    network : TwoLayerNetwork, fitted estimator, SavedModel, tuple of arrays, or a network of scikit-learn or PyTorch
        As in `output_range`; in the units of its columns and targets.
    lower, upper : float or array of shape (d,)
        The box, finite.
    integer : sequence of int or array of bool, shape (d,)
        Features that take whole numbers only.
    sense : {"minimize", "maximize"}, optional
        What the program will be used for. None: outputs are exactly those of the network, for any objective and
        constraint. "minimize": the outputs are at least those of the network, and equal where all of them are pushed
        down; right for objectives that grow with the outputs and constraints that bound them from above.

    Returns
    -------
    Surrogate

    Raises
    ------
    InvalidInputError
        For a box that is empty or not finite, another number of features, a convolutional network or another sense.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> from scipy.optimize import milp
    >>> network = ng.TwoLayerNetwork([[1.0, 1.0], [1.0, 0.0], [0.0, -1.0]], [1.0, -2.0])  # bias in the last row
    >>> model = ng.surrogate(network, lower=-1.0, upper=2.0)
    >>> best = model.minimize()
    >>> best.value, best.point.tolist(), model.n_binaries
    (-1.0, [2.0, -1.0], 2)
    >>> found = milp(model.cost(), constraints=model.constraints, bounds=model.bounds, integrality=model.integrality)
    >>> round(found.fun, 6), found.x[model.inputs].round(6).tolist()
    (-1.0, [2.0, -1.0])
    """
    if sense is not None and sense not in get_args(Sense):
        raise InvalidInputError(f"`sense` must be 'minimize', 'maximize' or None, got {sense!r}.")
    return Surrogate(NetworkOnBox.of(dense_network(network), lower, upper, integer), sense)


@dataclass(frozen=True)
class Surrogate:
    """A network on a box as rows, bounds and whole numbers; see `surrogate`.

    Variables are, in this order, the `inputs`, the `neurons` that change sign over the box (each divided by its largest
    absolute value), their `gates`, and the `outputs`.

    Attributes
    ----------
    box : NetworkOnBox
        The network and the box.
    sense : {"minimize", "maximize"} or None

    Examples
    --------
    >>> import neuralgauge as ng
    >>> network = ng.TwoLayerNetwork([[1.0, -1.0], [0.0, 0.0]], [1.0, -1.0])
    >>> exact, least = (ng.surrogate(network, -1, 1, sense=sense) for sense in (None, "minimize"))
    >>> exact.n_binaries, least.n_binaries, least.minimize().value, least.A.shape
    (2, 1, -1.0, (4, 5))
    """

    box: NetworkOnBox
    sense: Sense | None = None

    @property
    def network(self) -> TwoLayerNetwork:
        """The network, in the user's units."""
        return self.box.network

    @cached_property
    def _encoding(self) -> Encoding:
        above, below = needed(self.network.A, self.sense)
        return encode(self.box, above, below, Units.own(self.network.n_features))

    @cached_property
    def A(self) -> sparse.csr_array:
        """Rows (r, n), those of the outputs last."""
        encoding, network, size = self._encoding, self.network, self.box.size
        weights = network.A * size[:, None]
        linear = weights[encoding.linear].T @ encoding.slope[encoding.linear]
        gates = np.zeros((network.n_outputs, len(encoding.gated)))
        outputs = np.hstack([-linear, -weights[encoding.bent].T, gates, np.eye(network.n_outputs)])
        none = sparse.csr_array((encoding.A.shape[0], network.n_outputs))
        A = sparse.csr_array(sparse.vstack([sparse.hstack([encoding.A, none]), sparse.csr_array(outputs)]))
        _check_coefficients(A)
        return A

    @cached_property
    def _right(self) -> Array:
        encoding = self._encoding
        weights = self.network.A[encoding.linear] * self.box.size[encoding.linear, None]
        return np.asarray(self.network.offset) + weights.T @ encoding.level[encoding.linear]

    @property
    def row_lower(self) -> Array:
        """(r,)."""
        return np.concatenate([np.full(self._encoding.A.shape[0], -np.inf), self._right])

    @property
    def row_upper(self) -> Array:
        """(r,)."""
        return np.concatenate([self._encoding.row_upper, self._right])

    @property
    def lower(self) -> Array:
        """Bounds of the variables (n,)."""
        return np.concatenate([self._encoding.lower, np.full(self.network.n_outputs, -np.inf)])

    @property
    def upper(self) -> Array:
        """Bounds of the variables (n,)."""
        return np.concatenate([self._encoding.upper, np.full(self.network.n_outputs, np.inf)])

    @property
    def integrality(self) -> Indices:
        """1 for whole numbers, else 0, (n,)."""
        return np.append(self._encoding.integrality, np.zeros(self.network.n_outputs, dtype=np.intp))

    @property
    def inputs(self) -> Indices:
        """Positions of the features among the variables, (d,)."""
        return np.arange(self.network.n_features)

    @property
    def outputs(self) -> Indices:
        """Positions of the outputs, (c,)."""
        n = self.n_variables
        return np.arange(n - self.network.n_outputs, n)

    @property
    def neurons(self) -> Indices:
        """Positions of the neurons that bend, scaled to at most one."""
        return self.network.n_features + np.arange(len(self._encoding.bent))

    @property
    def gates(self) -> Indices:
        """Positions of the binaries."""
        return self.network.n_features + len(self._encoding.bent) + np.arange(len(self._encoding.gated))

    @property
    def n_variables(self) -> int:
        """n."""
        return len(self._encoding.lower) + self.network.n_outputs

    @property
    def n_binaries(self) -> int:
        """How many neurons need one."""
        return len(self._encoding.gated)

    @property
    def constraints(self) -> LinearConstraint:
        """As `scipy.optimize.milp` takes them."""
        return LinearConstraint(self.A, self.row_lower, self.row_upper)

    @property
    def bounds(self) -> Bounds:
        """As `scipy.optimize.milp` takes them."""
        return Bounds(self.lower, self.upper)

    def cost(self, output: Any = None) -> Array:
        """The vector c (n,) of an output, or of weights of the outputs; negated if the sense is "maximize"."""
        c = np.zeros(self.n_variables)
        c[self.outputs] = output_weights(output, self.network.n_outputs)
        return -c if self.sense == "maximize" else c

    def minimize(
        self, output: Any = None, *, constraints: Any = None, gap: float = 1e-9, time_limit: float | None = None
    ) -> Optimum:
        """Find the least value of an output, or of outputs by weights, by SciPy's HiGHS.

        The program has coordinates in which the box is a cube and the neurons needed for a minimum, whatever `sense`.
        A linear program over the activation pattern found then brings the point to the accuracy of rounding.

        Parameters
        ----------
        output : int or array of shape (c,), optional
            Which of c > 1 outputs, or weights of them.
        constraints : scipy.optimize.LinearConstraint or list of them, optional
            lb <= A x <= ub on the d inputs.
        gap : float, default=1e-9
            Relative gap at which HiGHS stops.
        time_limit : float, optional
            Seconds.

        Returns
        -------
        Optimum

        Raises
        ------
        InvalidInputError
            For constraints that no point keeps.
        NeuralgaugeError
            If HiGHS gives up, or finds no point in time.
        """
        weights = output_weights(output, self.network.n_outputs)
        return minimum(self.box, weights, constraints, gap, time_limit)

    def maximize(
        self, output: Any = None, *, constraints: Any = None, gap: float = 1e-9, time_limit: float | None = None
    ) -> Optimum:
        """Find the largest value, as `minimize` finds the least."""
        weights = output_weights(output, self.network.n_outputs)
        return minimum(self.box, -weights, constraints, gap, time_limit).negated()

    def to_pyomo(self) -> Any:
        """Return the program as a block of Pyomo, to be put into a model: ``model.net = surrogate.to_pyomo()``.

        Its variables are `inputs`, `neurons`, `gates` and `outputs`, each indexed from 0, its constraints `rows`. A
        MissingDependencyError without Pyomo.
        """
        return pyomo_block(self)

    def to_omlt(self) -> Any:
        """Return the network and its box as a `NetworkDefinition` of OMLT, for its formulations.

        Features of whole numbers and the sense have no place there. A MissingDependencyError without OMLT.
        """
        return omlt_definition(self)


def _check_coefficients(A: sparse.csr_array) -> None:
    sizes = np.abs(A.data[A.data != 0.0])
    low, high = KEPT_BY_SOLVERS
    if sizes.size and (sizes.min() < low or sizes.max() > high):
        raise InvalidInputError(
            f"A coefficient of {sizes.min() if sizes.min() < low else sizes.max():.1e} would be taken for zero or "
            "refused by solvers; train on columns and targets in units that make their values neither tiny nor huge. "
            "`minimize`, `maximize` and `output_range` scale by themselves."
        )
