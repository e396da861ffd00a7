"""Plain L-BFGS (SciPy) on the objective itself in double precision, from one random network after another."""

import numpy as np


def prepare(data):
    from scipy.optimize import minimize

    X, y, beta = data["X"], data["y"], float(data["betas"][-1])
    (_, d), m = X.shape, int(data["width"])
    squared = str(data["loss"]) == "squared"

    def loss(f):
        if squared:
            return 0.5 * np.sum((f - y) ** 2), f - y
        return np.sum(np.logaddexp(0.0, -y * f)), -y * 0.5 * (1.0 - np.tanh(0.5 * y * f))

    def objective(theta):
        U, alpha = theta[: d * m].reshape(d, m), theta[d * m :]
        X_U = X @ U
        hidden = np.maximum(X_U, 0.0)
        value, slope = loss(hidden @ alpha)
        gradient = beta * theta
        gradient[: d * m] += (X.T @ (np.outer(slope, alpha) * (X_U > 0))).ravel()
        gradient[d * m :] += hidden.T @ slope
        return value + 0.5 * beta * theta @ theta, gradient

    def descend(seed, watch, iterations):
        rng = np.random.default_rng(seed)
        U, alpha = rng.standard_normal((d, m)) * np.sqrt(2.0 / d), rng.standard_normal(m) * np.sqrt(1.0 / m)
        options = {"maxiter": iterations, "maxfun": 10**9, "ftol": float(data["tol"]), "gtol": 1e-8}
        theta = np.concatenate([U.ravel(), alpha])
        found = minimize(objective, theta, jac=True, method="L-BFGS-B", options=options, callback=watch)
        watch(found.x, force=True)

    def solve(recorder):
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
            descend(seed, watch, int(data["iterations"]))
            spent += recorder.seconds

    descend(0, lambda *arguments, **options: None, 2)
    return solve
