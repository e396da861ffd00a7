"""CVXPY with Clarabel or SCS: the program written as its documentation would, compiled once for all penalties."""

import numpy as np


def prepare(data):
    import cvxpy as cp

    gated = str(data["kind"]) == "gated"
    betas, solver = np.atleast_1d(data["betas"]), str(data["solver"])
    tol = float(data["tol"])  # 0: the defaults

    def options(left):
        if solver == "CLARABEL":
            tight = {"tol_gap_abs": tol, "tol_gap_rel": tol, "tol_feas": tol} if tol else {}
            return {"solver": cp.CLARABEL, "time_limit": left, "max_threads": int(data["threads"]), **tight}
        tight = {"eps_abs": tol, "eps_rel": tol, "max_iters": 10**7} if tol else {}
        return {"solver": cp.SCS, "time_limit_secs": left, **tight}

    def build(X, y, gates):
        signs = np.ones(len(gates)) if gated else np.repeat([1.0, -1.0], len(gates))
        masks = (gates if gated else np.vstack([gates, gates])).T
        W, beta = cp.Variable((X.shape[1], len(signs))), cp.Parameter(nonneg=True)
        X_W = X @ W
        f = cp.multiply(masks, X_W) @ signs
        cones = [] if gated else [cp.multiply(np.where(masks, 1.0, -1.0), X_W) >= 0]
        value = 0.5 * cp.sum_squares(f - y) + beta * cp.sum(cp.norm(W, 2, axis=0))
        return cp.Problem(cp.Minimize(value), cones), W, beta

    def solve_all(left, X, y, gates):
        task, W, beta = build(X, y, gates)
        found, status = [], "optimal"
        for value in betas:
            beta.value = value
            task.solve(warm_start=True, **options(max(left(), 0.1)))
            if W.value is None:
                raise RuntimeError(f"no solution: {task.status}")
            status = status if status != "optimal" else task.status
            found.append(W.value.T.copy())
        return np.array(found), status

    def solve(recorder):
        found, status = solve_all(lambda: recorder.left, data["X"], data["y"], data["gates"])
        recorder.add(W=found)
        return {"status": status}

    solve_all(lambda: 10.0, data["X"][:20], data["y"][:20], data["gates"][:4, :20])
    return solve
