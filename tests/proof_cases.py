"""Problems whose optimum is known exactly, to hold proofs against."""

import numpy as np
from cases import rough_rows, targets_of
from registry.losses import ELEMENTWISE, VARIANTS, LogCosh

import neuralgauge as ng

LOSSES = [*ELEMENTWISE, *VARIANTS, LogCosh()]
names = lambda loss: loss if isinstance(loss, str) else f"{type(loss).__name__}"  # noqa: E731


def small_problem(loss, seed):
    """A small and often degenerate problem of rank <= 3, with weights and an offset at times."""
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(1, 12)), int(rng.integers(1, 4))
    X, y = rough_rows(rng, seed, n, d), targets_of(loss, rng.standard_normal((n, 1)))
    weight = rng.uniform(0.2, 3.0, n) if seed % 2 else None
    problem = ng.TrainingProblem(X, y, beta=1.0, loss=loss, bias=False, offset=seed % 4 > 1, sample_weight=weight)
    share = float(rng.choice([0.05, 0.3, 0.95, 1.2]))
    return problem.with_beta(share * max(float(ng.beta_max(problem)), 1e-3))


def small_problem_of(kind, loss, seed):
    """A small problem of several outputs, or of patches, whose optimum is known exactly; softmax has three classes."""
    rng = np.random.default_rng(seed)
    c = 3 if loss == "softmax" else 2 if kind == "outputs" else 1
    n = int(rng.integers(c, 7))
    y, weight = targets_of(loss, rng.standard_normal((n, c))), rng.uniform(0.2, 3.0, n) if seed % 2 else None
    options = {"beta": 1.0, "loss": loss, "bias": False, "offset": seed % 4 > 1, "sample_weight": weight}
    if kind == "outputs":
        problem = ng.TrainingProblem(rough_rows(rng, seed, n, int(rng.integers(1, 4))), y, **options)
    else:
        images = np.round(2.0 * rng.standard_normal((n, 4)))
        problem = ng.ReLUConvProblem(images, y, filter_size=2, readout=kind, **options)
    share = float(rng.choice([0.05, 0.3, 0.95, 1.2]))
    return problem.with_beta(share * max(float(ng.beta_max(problem)), 1e-3))
