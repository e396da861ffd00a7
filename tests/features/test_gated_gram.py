"""Grams of gated rows where blocks share their gates, against maps that are formed whole."""

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.features.gated import gated


def operator_of(kind, m):
    rng = np.random.default_rng(5)
    images = rng.standard_normal((6, 4, 4, 1))
    if kind == "patches":
        problem = ng.ReLUConvProblem(images, rng.standard_normal(6), beta=1.0, filter_size=2)
    else:
        y = rng.standard_normal(16 if kind == "one output" else (16, 2))
        problem = ng.TrainingProblem(rng.standard_normal((16, 3)), y, beta=1.0)
    few = rng.random((3, problem.features.N)) < 0.5
    gates = few[rng.integers(3, size=m)]  # of three patterns, each in a row, apart, once or many times
    directions = np.eye(problem.q)[rng.integers(problem.q, size=m)] * rng.choice([-1.0, 1.0], (m, 1))
    return gated(problem.features, gates, directions)


@pytest.mark.parametrize("kind", ["one output", "two outputs", "patches"])
@pytest.mark.parametrize("m", [1, 2, 9])
def test_gram_of_blocks_that_share_gates(kind, m):
    operator = operator_of(kind, m)
    roots = np.random.default_rng(m).standard_normal((m, operator.d, operator.d))
    units = np.eye(m * operator.d).reshape(-1, m, operator.d)
    B = np.stack([operator.forward(W).ravel() for W in units], axis=1)
    inverse = np.zeros((m * operator.d, m * operator.d))
    for i, root in enumerate(roots):
        part = slice(i * operator.d, (i + 1) * operator.d)
        inverse[part, part] = root.T @ root
    assert np.allclose(np.tril(operator.gram(roots)), np.tril(B @ inverse @ B.T), atol=1e-10 * np.abs(roots).max() ** 2)


@pytest.mark.parametrize("kind", ["one output", "two outputs", "patches"])
def test_twins_are_alike_and_nothing_is_lost(kind):
    operator = operator_of(kind, 25)
    one, other, left = operator.twins
    assert sorted(np.concatenate([one, other, left]).tolist()) == list(range(25))
    assert len(left) <= 3 * operator.directions.shape[1]  # at most one of each kind
    assert np.array_equal(operator.gates[one], operator.gates[other])
    assert np.array_equal(np.abs(operator.directions[one]), np.abs(operator.directions[other]))
