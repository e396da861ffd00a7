"""The dense network of a model, in the user's units."""

from __future__ import annotations

from typing import Any

from ..errors import InvalidInputError, wrong_kind
from ..networks.conv import ReLUConvNetwork
from ..networks.dense import TwoLayerNetwork
from ..networks.foreign import network_of
from ..preparation.standardization import Standardization


def dense_network(model: Any) -> TwoLayerNetwork:
    """The network whose outputs are those of the model before any sigmoid, softmax or exponential.

    Of an estimator `network_`, of a model file its network for columns and targets as they are (after the encoding,
    where there is one); else what `networks.foreign.network_of` takes, with a column of ones and an offset.
    """
    scaling = getattr(model, "standardization", None)
    if isinstance(scaling, Standardization) and isinstance(model.network, TwoLayerNetwork):
        network: Any = model.network
        if not isinstance(network, ReLUConvNetwork):
            network = scaling.unscaled(network)
    elif type(model).__module__.startswith("neuralgauge.estimators"):
        if not hasattr(model, "network_"):
            raise InvalidInputError(
                f"the {type(model).__name__} must be fitted, got one that is not; call `fit` first."
            )
        network = model.network_
    elif hasattr(model, "named_steps"):
        raise InvalidInputError(
            "`network` must be a network or a fitted estimator, got a pipeline; pass its last step, with a box of the "
            "columns that the steps before it make."
        )
    else:
        network = model if isinstance(model, TwoLayerNetwork) else network_of(model, offset=True)
    if isinstance(network, ReLUConvNetwork) or not isinstance(network, TwoLayerNetwork):
        allowed = "a dense two-layer ReLU network, or a model that has one"
        raise wrong_kind("network", allowed, network)
    return network
