"""The registry of problems: one of each kind, small. A new kind adds its line to `PROBLEMS`."""

from collections.abc import Callable

import numpy as np
from cases import rough_rows, targets_of

import neuralgauge as ng
from neuralgauge.losses import get_loss


def _targets(loss, seed, n, c=1):
    c = max(c, 3) if get_loss(loss).coupled else c
    return targets_of(loss, np.random.default_rng(100 + seed).standard_normal((n, c)))


def _dense(loss, seed, c=1, **options):
    X = rough_rows(np.random.default_rng(seed), seed, 16, 2)
    weight = np.random.default_rng(seed).uniform(0.3, 3.0, 16) if seed % 2 else None
    return ng.TrainingProblem(X, _targets(loss, seed, 16, c), beta=0.3, loss=loss, sample_weight=weight, **options)


def _conv(kind, loss, seed, shape, **options):
    images = np.random.default_rng(seed).standard_normal((8, *shape))
    return kind(images, _targets(loss, seed, 8), beta=0.3, filter_size=(2,) * (len(shape) - 1), loss=loss, **options)


PROBLEMS: dict[str, Callable] = {
    "dense": lambda loss, seed: _dense(loss, seed),
    "dense, outputs and offset": lambda loss, seed: _dense(loss, seed, c=2, offset=True),
    "pooled": lambda loss, seed: _conv(ng.ReLUConvProblem, loss, seed, (5, 1)),
    "flattened": lambda loss, seed: _conv(ng.ReLUConvProblem, loss, seed, (4, 1), readout="flattened", offset=True),
    "regions": lambda loss, seed: _conv(ng.ReLUConvProblem, loss, seed, (6, 1), readout=(2,), bias=False),
    "separable": lambda loss, seed: _conv(ng.ReLUConvProblem, loss, seed, (4, 1), readout="separable"),
    "linear": lambda loss, seed: _conv(ng.LinearConvProblem, loss, seed, (4, 3, 2), offset=True),
    "circular": lambda loss, seed: _conv(
        ng.LinearConvProblem, loss, seed, (6, 2), padding="same", padding_mode="circular"
    ).with_full_filters(),
}


def random_network(problem, seed, m=4, scale=1.0):
    """A network of this problem with random weights."""
    rng, empty = np.random.default_rng(seed), problem.empty_network()
    U = scale * rng.standard_normal((problem.d, m))
    return problem.network_of((U, scale * rng.standard_normal((m, *empty.A.shape[1:])), empty.offset))
