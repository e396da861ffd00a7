"""adelie: its group elastic net on the features [D_1 X, ..., D_m X], with cones as linear constraints of the groups.

It takes a mean over samples where the objective has a sum, so beta becomes beta / n.
"""

import numpy as np

PATH = 30  # penalties on the way to a single one


def prepare(data):
    import adelie as ad

    X, y, gates, tol = data["X"], data["y"], data["gates"], float(data["tol"])
    (n, d), threads, gated = X.shape, int(data["threads"]), str(data["kind"]) == "gated"

    def lmda_path(gates):
        betas = np.atleast_1d(data["betas"]) / n
        if len(betas) > 1:
            return betas
        largest = np.max(np.linalg.norm((gates * y) @ X, axis=1)) / n
        return np.geomspace(max(largest, 1.01 * betas[0]), betas[0], PATH)

    def fit(gates):
        masks = np.asfortranarray(gates.T)
        features = ad.matrix.convex_relu(np.asfortranarray(X), masks, gated=gated, n_threads=threads)
        groups = len(gates) * (1 if gated else 2)
        return ad.grpnet(
            features,
            ad.glm.gaussian(y),
            constraints=None if gated else cones(ad, X, gates, threads),
            groups=np.arange(0, groups * d, d),
            penalty=np.ones(groups),
            lmda_path=lmda_path(gates),
            intercept=False,
            early_exit=False,
            adev_tol=1.0,
            tol=tol,
            n_threads=threads,
            progress_bar=False,
        )

    def solve(recorder):
        state = fit(gates)
        n_betas = np.size(data["betas"])
        if state.betas.shape[0] < n_betas:
            raise RuntimeError(f"stopped after {state.betas.shape[0]} of the penalties")
        blocks = np.array([np.asarray(row.todense()).reshape(-1, d) for row in state.betas[-n_betas:]])
        recorder.add(W=blocks)

    fit(gates[:4])
    return solve


def cones(ad, X, gates, threads):
    """0 <= (2 D_i - I) X w for each pattern, with either sign."""
    zero, infinity = np.zeros(len(X)), np.full(len(X), np.inf)
    return [
        ad.constraint.linear(
            np.ascontiguousarray(np.where(gate, 1.0, -1.0)[:, None] * X),
            zero,
            infinity,
            configs={"n_threads": threads},
            copy=True,
        )
        for gate in np.vstack([gates, gates])
    ]
