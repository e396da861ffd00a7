"""Blocks of the convex program and neurons: one objective, both ways."""

import numpy as np
import pytest
from registry.losses import TYPICAL

import neuralgauge as ng
from neuralgauge.programs.block import BlockProgram
from neuralgauge.programs.mapping import network_of_blocks


def random_problem(seed, loss="squared", bias=True):
    rng = np.random.default_rng(seed)
    y = rng.standard_normal(15) if loss == "squared" else np.where(rng.random(15) > 0.5, 1.0, -1.0)
    return ng.TrainingProblem(
        rng.standard_normal((15, 2)), y, beta=0.4, loss=loss, bias=bias, sample_weight=rng.uniform(0.5, 2.0, 15)
    )


def random_network(problem, seed, m=7):
    rng = np.random.default_rng(seed)
    return ng.TwoLayerNetwork(rng.standard_normal((problem.d, m)), rng.standard_normal(m), problem.bias)


def blocks_of_network(network, problem):
    """The program over the network's own patterns and directions, and the blocks w_i = |alpha_i| u_i feasible in it."""
    balanced = network.balance()
    size = np.linalg.norm(balanced.A, axis=1)
    gates = problem.features.gates(balanced.U.T)
    program = BlockProgram(problem, gates, balanced.A / size[:, None])
    return program, np.ascontiguousarray((balanced.U * size).T)


every_loss = pytest.mark.parametrize("loss", TYPICAL)


@every_loss
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_network_to_blocks(loss, bias, seed):
    problem = random_problem(seed, loss, bias)
    network = random_network(problem, seed)
    program, W = blocks_of_network(network, problem)
    assert np.all(np.where(program.gates, 1.0, -1.0) * (W @ problem.X.T) >= 0)
    np.testing.assert_allclose(program.forward(W), network.forward(problem.X), atol=1e-12)
    assert program.objective(W) == pytest.approx(problem.objective(network.balance()))
    assert program.objective(W) <= problem.objective(network)


@every_loss
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_blocks_to_network(loss, bias, seed):
    """Feasible blocks: multiples of the witnesses of their patterns, some of them zero."""
    problem = random_problem(seed, loss, bias)
    patterns = ng.sample_patterns(problem.X, 8, random_state=seed)
    rng = np.random.default_rng(seed)
    W = rng.integers(0, 3, 8)[:, None] * patterns.witness(slice(None))
    signs = rng.choice([-1.0, 1.0], (8, 1))
    program = BlockProgram(problem, patterns.dense(), signs)
    network = network_of_blocks(W, signs, problem.empty_network())
    assert network.n_neurons == np.count_nonzero(W.any(axis=1))
    assert network.bias == bias
    np.testing.assert_allclose(network.forward(problem.X), program.forward(W), atol=1e-12)
    assert problem.objective(network) == pytest.approx(program.objective(W))
    assert network.weight_decay() == pytest.approx(np.linalg.norm(W, axis=1).sum())


@pytest.mark.parametrize("seed", range(3))
def test_there_and_back(seed):
    problem = random_problem(seed)
    balanced = random_network(problem, seed).balance()
    program, W = blocks_of_network(balanced, problem)
    back = network_of_blocks(W, program.directions, problem.empty_network())
    np.testing.assert_allclose(back.U, balanced.U, atol=1e-14)
    np.testing.assert_allclose(back.A, balanced.A, atol=1e-14)


def test_dead_neurons_have_no_block():
    problem = random_problem(0)
    network = ng.TwoLayerNetwork(np.zeros((3, 2)), [1.0, -1.0])
    program, W = blocks_of_network(network, problem)
    assert (program.n_blocks, W.shape) == (0, (0, 3))
    assert network_of_blocks(np.zeros((4, 3)), np.ones((4, 1)), problem.empty_network()).n_neurons == 0


@every_loss
def test_optimum_of_the_program_is_the_objective_of_its_network(loss):
    problem = random_problem(5, loss)
    solution = ng.solve_program(problem, ng.sample_patterns(problem.X, 10), tol=1e-7)
    assert problem.objective(solution.network) == pytest.approx(solution.certificate.upper, rel=1e-8)
    program, W = blocks_of_network(solution.network, problem)
    assert program.objective(W) == pytest.approx(solution.certificate.upper, rel=1e-8)


def test_adjoint_identity(rng):
    """<A W, v> = <W, A^T v>."""
    problem = random_problem(1)
    program = BlockProgram(problem, rng.random((6, 15)) > 0.5, rng.choice([-1.0, 1.0], (6, 1)))
    W, v = rng.standard_normal((6, 3)), rng.standard_normal(15)
    assert program.forward(W) @ v == pytest.approx(np.sum(W * program.adjoint(v)))


def test_forward_against_a_loop_and_on_a_subset(rng):
    problem = random_problem(2)
    program = BlockProgram(problem, rng.random((5, 15)) > 0.5, rng.choice([-1.0, 1.0], (5, 1)))
    W, keep = rng.standard_normal((5, 3)), np.array([True, False, True, True, False])
    terms = [
        s * np.diag(D.astype(float)) @ problem.X @ w
        for s, D, w in zip(program.directions, program.gates, W, strict=True)
    ]
    np.testing.assert_allclose(program.forward(W), sum(terms), atol=1e-13)
    part = BlockProgram(problem, program.gates[keep], program.directions[keep])
    np.testing.assert_allclose(part.forward(W[keep]), terms[0] + terms[2] + terms[3], atol=1e-13)
