"""A network on a box for modelling languages: a block of Pyomo, a network of OMLT."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from ..errors import MissingDependencyError


def pyomo_block(surrogate: Any) -> Any:
    """A block with the variables `inputs`, `neurons`, `gates`, `outputs` and the constraints `rows`."""
    try:
        import pyomo.environ as pyo
    except ImportError as error:
        raise MissingDependencyError(
            "`to_pyomo` needs Pyomo, which is not installed: `pip install pyomo`, or give the rows of the surrogate to "
            "`scipy.optimize.milp`."
        ) from error
    A, low, high = surrogate.A, surrogate.row_lower, surrogate.row_upper
    lower, upper, whole = surrogate.lower, surrogate.upper, surrogate.integrality
    block = pyo.Block(concrete=True)
    variables: list[Any] = []
    for name in ("inputs", "neurons", "gates", "outputs"):
        places = getattr(surrogate, name)
        made = pyo.Var(
            range(len(places)),
            domain=lambda _, k, places=places: pyo.Integers if whole[places[k]] else pyo.Reals,
            bounds=lambda _, k, places=places: (_finite(lower[places[k]]), _finite(upper[places[k]])),
        )
        block.add_component(name, made)
        variables += [made[k] for k in range(len(places))]

    def row(_: Any, i: int) -> Any:
        entries = range(A.indptr[i], A.indptr[i + 1])
        total = pyo.quicksum(float(A.data[e]) * variables[A.indices[e]] for e in entries)
        return (_finite(low[i]), total, _finite(high[i]))

    block.rows = pyo.Constraint(range(A.shape[0]), rule=row)
    return block


def _finite(bound: float) -> float | None:
    return float(bound) if np.isfinite(bound) else None


def omlt_definition(surrogate: Any) -> Any:
    """A network of one hidden layer with the bounds of its inputs."""
    try:
        from omlt.neuralnet import NetworkDefinition
        from omlt.neuralnet.layer import DenseLayer, InputLayer
    except ImportError as error:
        raise MissingDependencyError(
            "`to_omlt` needs OMLT, which is not installed: `pip install omlt`, or use `to_pyomo`."
        ) from error
    network, (d, c) = surrogate.network, (surrogate.network.n_features, surrogate.network.n_outputs)
    # A layer of OMLT has at least one neuron.
    U = network.U if network.n_neurons else np.zeros((len(network.U), 1))
    output = network.A if network.n_neurons else np.zeros((1, c))
    m = U.shape[1]
    biases = U[-1] if network.bias else np.zeros(m)
    bounds = {
        k: (float(low), float(high))
        for k, (low, high) in enumerate(zip(surrogate.box.lower, surrogate.box.upper, strict=True))
    }
    definition = NetworkDefinition(scaled_input_bounds=bounds)
    layers = [
        InputLayer([d]),
        DenseLayer([d], [m], activation="relu", weights=np.array(U[:d]), biases=np.array(biases)),
        DenseLayer([m], [c], activation="linear", weights=np.array(output), biases=np.array(network.offset)),
    ]
    for layer in layers:
        definition.add_layer(layer)
    for first, second in pairwise(layers):
        definition.add_edge(first, second)
    return definition
