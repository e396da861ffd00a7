"""The peers, run by the Python of their own environment: they pin an older NumPy than neuralgauge needs.

    .venv-peers/bin/python benchmarks/peers.py {adelie,scnn} INPUT OUTPUT

Both take a mean over samples where neuralgauge takes a sum, so beta becomes beta / n.
"""

import logging
import os

import numpy as np
from measure import main

THREADS = int(os.environ.get("OMP_NUM_THREADS", "1"))


def adelie(data):
    """Group elastic net on the gated features [D_1 X, ..., D_m X], one group a block, along a path down to beta."""
    import adelie as ad

    X, y, gates = data["X"], data["y"], data["gates"]
    (n, d), m = X.shape, len(gates)

    def solve(m=m):
        features = ad.matrix.convex_relu(
            np.asfortranarray(X), np.asfortranarray(gates[:m].T), gated=True, n_threads=THREADS
        )
        largest = np.max(np.linalg.norm((gates[:m] * y) @ X, axis=1)) / n
        state = ad.grpnet(
            features,
            ad.glm.gaussian(y),
            groups=np.arange(0, m * d, d),
            penalty=np.ones(m),
            lmda_path=np.geomspace(largest, float(data["beta"]) / n, int(data["path"])),
            intercept=False,
            early_exit=False,
            adev_tol=1.0,
            tol=float(data["tol"]),
            n_threads=THREADS,
            progress_bar=False,
        )
        return {"W": np.asarray(state.betas[-1].todense()).reshape(m, d)}

    solve(4)
    return solve


def scnn(data):
    """The augmented Lagrangian in double precision; the network it returns.

    Its default scaling of the columns to unit norm changes the penalty. Where all columns have one norm s it is the
    same program with beta / s; `unitize` asks for that.
    """
    import torch
    from scnn.metrics import Metrics
    from scnn.models import ConvexReLU
    from scnn.optimize import optimize_model
    from scnn.regularizers import NeuronGL1
    from scnn.solvers import AL

    torch.set_num_threads(THREADS)
    logging.disable(logging.WARNING)
    X, y, unitize, tol = data["X"], data["y"], bool(data["unitize"]), float(data["tol"])
    norms = np.linalg.norm(X, axis=0)
    if unitize and not np.allclose(norms, norms[0]):
        raise ValueError("columns of different norms: unitizing them changes the penalty")
    penalty = float(data["beta"]) / len(X) / (norms[0] if unitize else 1.0)

    def solve(m=None, iterations=int(data["iterations"])):
        model = ConvexReLU(data["vectors"][:m].T)
        network, _ = optimize_model(
            model,
            AL(model, max_primal_iters=iterations, tol=tol, constraint_tol=tol),
            Metrics(metric_freq=10**9),
            X,
            y,
            regularizer=NeuronGL1(penalty),
            unitize_data=unitize,
            dtype="float64",
        )
        hidden, output = (np.asarray(weights) for weights in network.get_parameters())
        return {"U": hidden.T, "A": output.T}

    solve(4, iterations=2)
    return solve


if __name__ == "__main__":
    main({"adelie": adelie, "scnn": scnn})
