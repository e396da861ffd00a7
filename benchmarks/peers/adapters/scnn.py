"""scnn in double precision: the augmented Lagrangian for cones, R-FISTA along a path for the gated model.

It takes a mean over samples where the objective has a sum, so beta becomes beta / n. Its scaling of the columns to unit
norm, on by default, changes the penalty: where all columns have one norm s, beta / s restores it, and elsewhere the
scaling has to be off.
"""

import logging

import numpy as np
from recorder import TimeUp


def prepare(data):
    import torch
    from scnn.models import ConvexGatedReLU, ConvexReLU
    from scnn.private.methods.optimization_procedures import double_loop_procedure, iterative

    torch.set_num_threads(int(data["threads"]))
    logging.disable(logging.WARNING)
    gated, X = str(data["kind"]) == "gated", data["X"]
    norms = np.linalg.norm(X, axis=0)
    unitize = bool(data["unitize"]) and np.allclose(norms, norms[0])
    scale = norms[0] if unitize else 1.0

    def fit(watch, vectors, iterations):
        model = (ConvexGatedReLU if gated else ConvexReLU)(vectors.T)
        for module in (double_loop_procedure, iterative):
            module.update_metrics = watching(module.update_metrics, watch)
        return run(data, model, gated, unitize, scale, iterations)

    fit(lambda model: None, data["vectors"][:4], 2)

    def solve(recorder):
        def watch(model):
            if not gated and recorder.due():
                recorder.add(W=in_order(data, model.weights, model.U)[None] / scale)
                if recorder.left <= 0.0:
                    raise TimeUp

        models = fit(watch, data["vectors"], int(data["iterations"]))
        recorder.add(W=np.array([in_order(data, model.parameters, model.G) for model in models]))

    return solve


def in_order(data, weights, gates):
    """Its blocks in the order of the patterns given to it: it sorts them, and drops copies and the zero pattern."""
    position = {vector.tobytes(): k for k, vector in enumerate(np.ascontiguousarray(data["vectors"]))}
    order = [position[vector.tobytes()] for vector in np.ascontiguousarray(np.asarray(gates, dtype=float).T)]
    parts = np.array(weights, dtype=float).reshape(-1, len(order), data["X"].shape[1])
    blocks = np.zeros((len(parts), len(position), data["X"].shape[1]))
    blocks[:, order] = parts
    return blocks.reshape(-1, data["X"].shape[1])


def watching(update, watch):
    """scnn's bookkeeping after each iteration, shown to `watch` first."""

    def watched(log, model, *rest, **options):
        watch(model)
        return update(log, model, *rest, **options)

    return watched


def run(data, model, gated, unitize, scale, iterations):
    """The convex models at all betas, from the largest down, in the units of X."""
    from scnn.metrics import Metrics
    from scnn.optimize import optimize_path
    from scnn.regularizers import NeuronGL1
    from scnn.solvers import AL, RFISTA

    tol = float(data["tol"])
    solver = (
        RFISTA(model, max_iters=iterations, tol=tol)
        if gated
        else AL(model, max_primal_iters=iterations, tol=tol, constraint_tol=tol)
    )
    penalties = [NeuronGL1(float(beta) / len(data["y"]) / scale) for beta in np.atleast_1d(data["betas"])]
    found, _ = optimize_path(
        model, solver, penalties, Metrics(), data["X"], data["y"],
        return_convex=True, unitize_data=unitize, dtype="float64",
    )  # fmt: skip
    return found
