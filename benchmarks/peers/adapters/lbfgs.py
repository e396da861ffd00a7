"""Plain L-BFGS (SciPy) on the objective itself in double precision, from one random network after another.

A path of penalties goes upwards from a random network at the least of them, each from the network before.
"""

import numpy as np
from recorder import TimeUp


def prepare(data):
    from scipy.optimize import minimize

    X, y = data["X"], data["y"]
    (_, d), m = X.shape, int(data["width"])
    squared = str(data["loss"]) == "squared"

    def loss(f):
        if squared:
            return 0.5 * np.sum((f - y) ** 2), f - y
        return np.sum(np.logaddexp(0.0, -y * f)), -y * 0.5 * (1.0 - np.tanh(0.5 * y * f))

    def objective(theta, beta):
        U, alpha = theta[: d * m].reshape(d, m), theta[d * m :]
        X_U = X @ U
        hidden = np.maximum(X_U, 0.0)
        value, slope = loss(hidden @ alpha)
        gradient = beta * theta
        gradient[: d * m] += (X.T @ (np.outer(slope, alpha) * (X_U > 0))).ravel()
        gradient[d * m :] += hidden.T @ slope
        return value + 0.5 * beta * theta @ theta, gradient

    def random(seed):
        rng = np.random.default_rng(seed)
        U, alpha = rng.standard_normal((d, m)) * np.sqrt(2.0 / d), rng.standard_normal(m) * np.sqrt(1.0 / m)
        return np.concatenate([U.ravel(), alpha])

    def descend(theta, beta, watch, iterations=int(data["iterations"])):
        options = {"maxiter": iterations, "maxfun": 10**9, "ftol": float(data["tol"]), "gtol": 1e-8}
        method = {"method": "L-BFGS-B", "args": (beta,), "jac": True, "options": options}
        return minimize(objective, theta, callback=watch, **method).x

    def solve_path(recorder):
        """From the least penalty, at a random network, upwards: each from the network before."""

        def watch(theta):
            if recorder.left <= 0.0:
                raise TimeUp

        theta, found = random(0), {}
        for k in reversed(range(len(data["betas"]))):
            theta = descend(theta, float(data["betas"][k]), watch)
            found |= {f"U{k}": theta[: d * m].reshape(d, m), f"A{k}": theta[d * m :, None]}
        recorder.add(**found)

    def solve(recorder):
        beta = float(data["betas"][-1])
        spent = 0.0

        def watch(theta, force=False):
            if force or recorder.due():
                recorder.add(U=theta[: d * m].reshape(d, m), A=theta[d * m :, None])
            if not force and recorder.left <= 0.0:
                raise StopIteration

        for seed in range(int(data["restarts"])):
            left = float(data["limit"]) - spent
            if left <= 0.0:
                break
            if seed:
                recorder.begin(f"seed {seed}", left)
            else:
                recorder.run = "seed 0"
            watch(descend(random(seed), beta, watch), force=True)
            spent += recorder.seconds

    descend(random(0), float(data["betas"][-1]), lambda theta: None, 2)
    return solve_path if str(data["kind"]) == "path" else solve
