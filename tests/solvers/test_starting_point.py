"""The start on the central path: inside the cones, and as long as stationarity says."""

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.features.cones import cone_rows
from neuralgauge.patterns.strategies import interior_vectors
from neuralgauge.programs.block import BlockProgram
from neuralgauge.solvers._starting_point import centred_blocks
from neuralgauge.solvers.blocks import solve_blocks
from neuralgauge.solvers.run import Run


@pytest.mark.parametrize("shape", [(9, 31), (30, 4)])
@pytest.mark.parametrize("seed", range(5))
def test_blocks_are_near_the_minimum_of_phi(shape, seed):
    # At the minimum w^T grad phi = |w|^2 / t - k = 0 with t = 1/2 + (1/4 + |w|^2)^(1/2), hence k < |w| < k + 1.
    rng = np.random.default_rng(seed)
    X = np.hstack([rng.uniform(size=(shape[0], shape[1] - 1)), np.ones((shape[0], 1))])
    witnesses = interior_vectors(X, rng.standard_normal((40, shape[1])), rng)
    W = centred_blocks(cone_rows(X, witnesses @ X.T >= 0, None), witnesses)
    assert np.all((W @ X.T > 0) == (witnesses @ X.T >= 0))
    sizes = np.linalg.norm(W, axis=1)
    assert sizes.max() < 1.5 * len(X)
    assert np.mean(np.abs(sizes - len(X) - 0.5) < 1.0) > 0.5


def test_blocks_that_add_up_begin_large_enough():
    """Two of three blocks push the outputs up: lowered until the loss is that of the empty network, it took 34."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.standard_normal((200, 5)), np.ones(200)])
    f = np.maximum(X @ rng.standard_normal((6, 5)), 0.0) @ rng.standard_normal(5) + 0.3 * rng.standard_normal(200)
    problem = ng.TrainingProblem(X, f - f.mean(), beta=1.0, bias=False)
    problem = problem.with_beta(0.003 * ng.beta_max(problem))
    witnesses = rng.standard_normal((120, 6))
    signs = np.where(np.arange(120) % 3 == 0, -1.0, 1.0)[:, None]
    solved = solve_blocks(BlockProgram(problem, witnesses @ X.T > 0, signs), witnesses, Run(1e-3), 100)
    assert solved.status is ng.Status.SOLVED
    assert solved.n_iter <= 25
