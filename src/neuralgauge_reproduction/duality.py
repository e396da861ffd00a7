"""Sections 2, 3, 5 and the appendix on dense networks: what they state, checked on small random data."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import nnls

import neuralgauge as ng
from neuralgauge.certificate import lower_bound

from .baseline import baseline
from .descent import Training
from .outcome import Check, Outcome
from .scale import Scale

N, BETA, SETS = 12, 0.05, 5
LOSSES = ("hinge", "logistic", "absolute", "huber")
SAME = 1e-6  # relative difference that counts as none


def duality(scale: Scale) -> Outcome:
    """Statements about [2] to [8], [15], [16] and [18] to [20]."""
    rng = np.random.default_rng(0)
    problems = [ng.TrainingProblem(rng.standard_normal((N, 2)), rng.standard_normal(N), beta=BETA) for _ in range(SETS)]
    solutions = [ng.train(problem, SAME) for problem in problems]
    problem = problems[0]
    program = ng.solve_program(problem, ng.enumerate_patterns(problem.X), 1e-9)
    return Outcome(
        "Duality and the convex program",
        {"n": N, "d": 2, "loss": "squared", "beta": BETA, "data sets": SETS, "losses of A.13": list(LOSSES)},
        ("Normal random numbers, with the bias of the hidden layer; the paper states its theorems for all data.",),
        checks=(
            _penalty(problem, rng),
            _weak_duality(problem, solutions[0], rng),
            _strong_duality(solutions),
            _width(solutions),
            _mapping(problem, program),
            _merging(problem, solutions[0].network),
            _suboptimality(problem, solutions[0]),
            _stationarity(problem, solutions[0].network, rng),
            _constraint(problem, rng),
            _limit(problem, rng),
            _losses(rng),
        ),
    )  # fmt: skip


def _penalty(problem: ng.TrainingProblem, rng: np.random.Generator) -> Check:
    network = ng.TwoLayerNetwork(rng.standard_normal((3, 6)), rng.standard_normal((6, 1)))
    balanced = network.balance()
    lengths = np.linalg.norm(network.U, axis=0) * np.abs(network.A[:, 0])
    loss = 0.5 * np.sum((problem.outputs(network).reshape(-1) - problem.y) ** 2)
    of_3, of_2 = float(loss + BETA * lengths.sum()), problem.objective(balanced)
    return Check(
        "A.3, Lemma 2; [2], [3]",
        "The weight decay of a network, at its least over scalings of the neurons, is the l1 penalty.",
        "equal",
        f"[3] {of_3:.8g}, [2] balanced {of_2:.8g}, [2] as drawn {problem.objective(network):.8g}",
        bool(abs(of_2 - of_3) <= 1e-12 * of_3 and of_2 <= problem.objective(network)),
        "|u|^2 + alpha^2 >= 2 |u| |alpha|, with equality for |u| = |alpha|.",
    )


def _weak_duality(problem: ng.TrainingProblem, solution: ng.Solution[Any], rng: np.random.Generator) -> Check:
    networks = [ng.TwoLayerNetwork(rng.standard_normal((3, m)), rng.standard_normal((m, 1))) for m in range(1, 51)]
    lowest = min(*map(problem.objective, networks), problem.objective(solution.network))
    points = [problem.y - problem.outputs(network).reshape(-1) for network in networks]
    highest = max(lower_bound(problem, v, ng.price(v, problem.X).bound) for v in points)
    return Check(
        "section 2, [4]",
        "Every feasible dual point bounds every network from below.",
        "p >= d",
        f"highest of 50 bounds {highest:.6g}, lowest of 51 networks {lowest:.6g}",
        highest <= lowest,
        "The points are residuals of networks, scaled into the polar set.",
    )


def _strong_duality(solutions: list[ng.Solution[Any]]) -> Check:
    gaps = [solution.certificate.gap for solution in solutions]
    exact = all(solution.certificate.scope == "exact" for solution in solutions)
    return Check(
        "section 2, A.8, A.11",
        "Strong duality holds: p* = d*.",
        "no gap",
        f"largest relative gap of {len(gaps)} data sets {max(gaps):.1e}, priced {'exactly' if exact else 'by search'}",
        exact and max(gaps) <= 2.0 * SAME,
        "Networks and feasible dual points meet to the gap asked for; the bound holds for every width.",
    )


def _width(solutions: list[ng.Solution[Any]]) -> Check:
    widths = [solution.network.n_neurons for solution in solutions]
    return Check(
        "section 2",
        f"An optimal network needs m* neurons, 1 <= m* <= n + 1 = {N + 1}.",
        f"at most {N + 1}",
        f"{', '.join(map(str, widths))} neurons in networks optimal to {SAME:g}",
        max(widths) <= N + 1,
        "After [5] the paper takes n + 1 from Caratheodory's theorem, after [4] it writes n; both hold here.",
    )


def _mapping(problem: ng.TrainingProblem, program: ng.Solution[Any]) -> Check:
    blocks = program.blocks
    assert blocks is not None
    lengths = np.linalg.norm(blocks, axis=1)
    signs = np.where(np.arange(len(blocks)) < len(blocks) // 2, 1.0, -1.0)
    kept = lengths > 0.0
    U, alpha = blocks[kept].T / np.sqrt(lengths[kept]), signs[kept] * np.sqrt(lengths[kept])
    outputs = np.maximum(problem.X @ U, 0.0) @ alpha
    value = 0.5 * np.sum((outputs - problem.y) ** 2) + 0.5 * BETA * (np.sum(U**2) + np.sum(alpha**2))
    return Check(
        "section 3, Theorem 1",
        "The blocks of [8] make a network of the same value by u = v / sqrt|v|, alpha = +-sqrt|v|.",
        "equal",
        f"[8] {program.certificate.upper:.9g}, [2] of the network {value:.9g}",
        bool(abs(value - program.certificate.upper) <= 1e-8 * value),
        f"{len(blocks)} blocks over {len(blocks) // 2} patterns.",
    )


def _merging(problem: ng.TrainingProblem, network: ng.TwoLayerNetwork) -> Check:
    parts = np.sqrt([0.3, 0.7])
    U = np.hstack([part * network.U for part in parts])
    split = network.with_neurons(U, np.vstack([part * network.A for part in parts]))
    one, other = problem.objective(network), problem.objective(split)
    return Check(
        "Remark 3.1",
        "Merging positively collinear neurons does not change the objective.",
        "equal",
        f"{network.n_neurons} neurons {one:.10g}, each in two parts {other:.10g}, merged "
        f"{problem.objective(split.merge()):.10g} with {split.merge().n_neurons}",
        abs(one - other) <= 1e-12 * one and split.merge().n_neurons == network.n_neurons,
        "A neuron and its positive multiples have one pattern, and their norms add up.",
    )


def _suboptimality(problem: ng.TrainingProblem, solution: ng.Solution[Any]) -> Check:
    training = Training(problem.X[:, None], problem.y, BETA, "squared", 6, N, 2000, 3)
    found = baseline(training, ng.TwoLayerNetwork, problem.objective)
    certificate = ng.certify(min(found.networks, key=problem.objective), problem)
    optimum = solution.certificate.upper
    return Check(
        "Remark 3.3",
        "The dual bounds the suboptimality of a network from descent.",
        "a bound",
        f"descent {certificate.upper:.6g}, lower bound {certificate.lower:.6g} ({certificate.scope}), optimum "
        f"{optimum:.6g}",
        certificate.lower <= optimum * (1.0 + SAME) and optimum * (1.0 - SAME) <= certificate.upper,
        "The bound lies below the optimum and descent's objective above.",
    )


def _stationarity(problem: ng.TrainingProblem, network: ng.TwoLayerNetwork, rng: np.random.Generator) -> Check:
    step, value = 1e-6, problem.objective(network)
    slopes = []
    for _ in range(500):
        dU, dA = rng.standard_normal(network.U.shape), rng.standard_normal(network.A.shape)
        moved = network.with_neurons(network.U + step * dU, network.A + step * dA)
        slopes.append((problem.objective(moved) - value) / step)
    return Check(
        "Remark 3.3",
        "The global optimum is a stationary point of [2].",
        "no direction descends",
        f"least slope of 500 random directions {min(slopes):.1e}, median {np.median(slopes):.2g}",
        min(slopes) >= -1e-3 * value,
        "In the sense of directional derivatives: at the optimum neurons lie on kinks, where [2] has no gradient.",
    )


def _constraint(problem: ng.TrainingProblem, rng: np.random.Generator) -> Check:
    v, X = rng.standard_normal(N), problem.X
    values = []
    for sign in (1.0, -1.0):
        for gates in ng.enumerate_patterns(X).dense():
            sides = np.where(gates, 1.0, -1.0)[:, None] * X
            values.append(nnls(sides.T, -(X.T @ (gates * sign * v)))[1])
    polar = ng.price(v, X).value
    return Check(
        "section 5, [16]; A.12, Lemma 4",
        "The largest score of a neuron is the largest, over the patterns, of a least-distance problem.",
        "equal",
        f"over {len(values) // 2} patterns and both signs {max(values):.10g}, by a sweep of all cells {polar:.10g}",
        bool(abs(max(values) - polar) <= 1e-9 * polar),
        "Least squares with multipliers >= 0, one problem for each pattern.",
    )


def _limit(problem: ng.TrainingProblem, rng: np.random.Generator) -> Check:
    few = ng.TrainingProblem(problem.X[:6], problem.y[:6], beta=1.0, bias=False)
    solution = ng.neural_gauge(few.X, few.y, bias=False, gap=SAME)
    ratios = {beta: ng.train(few.with_beta(beta), SAME).certificate.upper / beta for beta in (1e-3, 1e-5)}
    gauge = solution.certificate.upper
    listed = ", ".join(f"{ratio:.6g} at beta {beta:g}" for beta, ratio in ratios.items())
    return Check(
        "section 2.1, [6], [7]; A.10",
        "p* / beta tends to the least sum of |alpha| that interpolates, which the polar set gives too.",
        "equal in the limit",
        f"neural gauge {gauge:.6g}, lower bound by [7] {solution.certificate.lower:.6g}; p* / beta: {listed}",
        abs(ratios[1e-5] - gauge) <= 1e-3 * gauge and solution.certificate.gap <= 1e-4,
        "At beta 1e-5 within a thousandth; p* / beta rises as beta falls.",
    )


def _losses(rng: np.random.Generator) -> Check:
    X, y = rng.standard_normal((N, 2)), np.where(rng.standard_normal(N) > 0.0, 1.0, -1.0)
    worst = 0.0
    for loss in LOSSES:
        problem = ng.TrainingProblem(X, y, beta=BETA, loss=loss)
        program = ng.solve_program(problem, ng.enumerate_patterns(problem.X), 1e-9)
        bound = lower_bound(problem, program.dual, ng.price(program.dual, problem.X).bound)
        worst = max(worst, abs(problem.objective(program.network) - bound) / bound)
    return Check(
        "A.13, Theorems 5 and 6; [18] to [20]",
        "For every convex loss program and network have one value, and -l*(v) is its dual.",
        "equal",
        f"{', '.join(LOSSES)}: network and dual of the program differ by {worst:.1e} of the value at most",
        worst <= SAME,
        "The paper's v is the gradient of the loss, ours minus that; the constraint does not tell them apart.",
    )
