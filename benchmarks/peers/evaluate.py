"""What a trace is worth: objectives by one function for everyone, gaps to the best known and to our lower bound."""

from typing import Any

import numpy as np

import neuralgauge as ng

Data = dict[str, Any]
Array = np.ndarray


def objectives(data: Data, weights: dict[str, Array]) -> Array:
    """(readings, k): the objective at every beta, from the weights alone.

    Training has one reading: [2] of the networks, balanced first, |u_j| = |alpha_j|, which changes no output and lowers
    weight decay. Blocks of a program have the reading of the program; with cones a second one, [2] of the ReLU network
    they make. The two agree where the blocks lie in their cones, and only there do they count as a solution.
    """
    betas = np.atleast_1d(data["betas"])
    if data["kind"] == "training":
        return np.array([[network_objective(data, float(betas[0]), weights["U"], weights["A"])]])
    if data["kind"] == "path":
        return np.array(
            [[network_objective(data, float(b), weights[f"U{k}"], weights[f"A{k}"]) for k, b in enumerate(betas)]]
        )
    values = [[program_objective(data, beta, W) for beta, W in zip(betas, weights["W"], strict=True)]]
    if data["kind"] == "relu":
        values.append(
            [network_objective(data, float(beta), *network_of(W)) for beta, W in zip(betas, weights["W"], strict=True)]
        )
    return np.array(values)


def network_objective(data: Data, beta: float, U: Array, A: Array) -> float:
    """[2], from the network's own ReLU outputs."""
    problem = ng.TrainingProblem(data["X"], data["y"], beta=beta, loss=data["loss"], bias=False)
    return problem.objective(ng.TwoLayerNetwork(U, A, False).balance())


def program_objective(data: Data, beta: float, W: Array) -> float:
    """[8] with its gates fixed, whether or not the blocks lie in the cones."""
    used = np.any(W != 0.0, axis=1)
    gates = data["gates"] if data["kind"] == "gated" else np.vstack([data["gates"], data["gates"]])
    outputs = np.sum(signs(data, len(W))[used, None] * gates[used] * (W[used] @ data["X"].T), axis=0)
    return float(0.5 * np.sum((outputs - data["y"]) ** 2) + beta * np.sum(np.linalg.norm(W, axis=1)))


def signs(data: Data, m: int) -> Array:
    return np.ones(m) if data["kind"] == "gated" else np.repeat([1.0, -1.0], m // 2)


def network_of(W: Array) -> tuple[Array, Array]:
    """U (d, m) and A (m, 1) of the balanced network of blocks, those with plus before those with minus."""
    size, sign = np.linalg.norm(W, axis=1), np.repeat([1.0, -1.0], len(W) // 2)
    alive = size > 0
    root = np.sqrt(size[alive])
    return (W[alive] / root[:, None]).T, (sign[alive] * root)[:, None]


def best_known(traces: list[Array], lower: Array) -> Array:
    """The least objective at every beta that anyone reached, in the reading where it is largest, above the bound.

    Without the bound, blocks outside their cones would set the mark of a program: they are no solutions of it.
    """
    return np.maximum(np.min([values.max(axis=0) for values in traces], axis=0), lower)


def excess(values: Array, best: Array) -> float:
    """How far from the best known, relatively, where it is most along the path; below counts like above.

    Only blocks outside their cones lie below.
    """
    return float(np.max(np.abs(values - best) / best))


def certified_gap(values: Array, lower: Array) -> float:
    """The relative gap to our lower bound, where it is largest along the path and in the readings."""
    return float(np.max(np.maximum(values - lower, 0.0) / values))
