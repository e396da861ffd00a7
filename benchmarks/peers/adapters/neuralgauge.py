"""Ours: the convex program over given patterns, its gated form along a path, and training to the global optimum."""

import numpy as np

WARMING = 3_000  # entries of X that rounds of every kind are warmed up on: below 2,000 some of them are left out


def prepare(data):
    import joblib

    import neuralgauge as ng

    joblib.parallel_config(n_jobs=int(data["threads"]))  # up to eight cores otherwise
    return {"relu": program, "gated": program, "training": training, "path": path}[str(data["kind"])](ng, data)


def problem_of(ng, data, beta, n=None):
    return ng.TrainingProblem(data["X"][:n], data["y"][:n], beta=beta, loss=str(data["loss"]), bias=False)


def warm_up(ng, data, limit):
    """Train on some of the rows, which loads what is compiled."""
    few = problem_of(ng, data, float(data["betas"][-1]), max(30, -(-WARMING // data["X"].shape[1])))
    ng.train(few, 0.5, time_limit=limit)


def program(ng, data):
    gated, tol, limit = str(data["kind"]) == "gated", float(data["tol"]), float(data["limit"])
    gates, vectors = data["gates"], data["vectors"]
    patterns = ng.PatternSet(np.packbits(gates, axis=1), gates.shape[1], vectors)

    def solve_all(patterns, betas):
        problem = problem_of(ng, data, betas[0])
        if len(betas) == 1:
            return [ng.solve_program(problem, patterns, tol, gated=gated, time_limit=limit)]
        return ng.program_path(problem, patterns, betas=betas, gap=tol, gated=gated, time_limit=limit).solutions

    def solve(recorder):
        found = solve_all(patterns, data["betas"])
        if len(found) < len(data["betas"]):
            raise RuntimeError(f"{len(found)} of the penalties within the limit")
        recorder.add(W=np.array([solution.blocks for solution in found]))
        lower = [solution.certificate.lower for solution in found]
        return {"lower": lower, "scope": "patterns", "status": worst(found)}

    few = ng.PatternSet(np.packbits(gates[:4], axis=1), gates.shape[1], vectors[:4])
    solve_all(few, data["betas"][-1:])
    return solve


def worst(solutions):
    return max((solution.status.name.lower() for solution in solutions), key=lambda name: name != "solved")


def path(ng, data):
    gap, limit = float(data["tol"]), float(data["limit"])
    warm_up(ng, data, limit)

    def solve(recorder):
        problem = problem_of(ng, data, float(data["betas"][-1]))
        found = ng.relu_path(problem, betas=data["betas"], gap=gap, time_limit=limit).solutions
        if len(found) < len(data["betas"]):
            raise RuntimeError(f"{len(found)} of the penalties within the limit")
        recorder.add(**networks([(solution.network.U, solution.network.A) for solution in found]))
        certificates = [solution.certificate for solution in found]
        scope = next((str(c.scope) for c in certificates if str(c.scope) != "exact"), "exact")
        return {"lower": [c.lower for c in certificates], "scope": scope, "status": worst(found)}

    return solve


def networks(pairs):
    """The names under which a recorder keeps the networks of a path."""
    return {f"{name}{k}": weights for k, pair in enumerate(pairs) for name, weights in zip("UA", pair, strict=True)}


def training(ng, data):
    from neuralgauge.networks.dense import TwoLayerNetwork
    from neuralgauge.solvers.run import Run

    offer = Run.offer
    limit, gap = float(data["limit"]), float(data["tol"])
    warm_up(ng, data, limit)

    def solve(recorder):
        def watched(run, value, point):
            """Record every network that is better than those before; of runs on a part of the rows, all of theirs."""
            better = offer(run, value, point)
            if better and isinstance(point, TwoLayerNetwork):
                recorder.add(U=point.U, A=point.A)
            return better

        Run.offer = watched
        solution = ng.train(problem_of(ng, data, float(data["betas"][-1])), gap, time_limit=limit)
        recorder.add(U=solution.network.U, A=solution.network.A)
        certificate = solution.certificate
        return {"lower": [certificate.lower], "scope": str(certificate.scope), "status": worst([solution])}

    return solve
