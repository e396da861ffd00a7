"""The baseline: stochastic gradient descent by PyTorch on the objective [2], all trials at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from threadpoolctl import threadpool_limits

import neuralgauge as ng

from ._array import Array

LossName = Literal["squared", "hinge"]
STEPS = (3e-1, 1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4)
SWEEP_PART = 5  # a step size is tried on a fifth of the iterations
CHECKPOINTS = 60


@dataclass(frozen=True)
class Training:
    """What is descended on, and how.

    Attributes
    ----------
    X : array of shape (n, K, d)
        K patches of each sample; K = 1 for a dense network, whose bias is a column of ones, and for "circular", where
        it is the whole signal.
    y : array of shape (n,)
    beta : float
        The penalty is beta / 2 times the squared weights, the loss a sum over samples.
    loss : {"squared", "hinge"}
    n_neurons, batch_size, iterations, trials : int
    readout : {"pooled", "flattened", "circular"}
        One output weight for the mean over patches, or one for each patch; "circular": linear filters of `filter_size`
        at every shift of the signal, an output weight each.
    filter_size : int
        For "circular" only.
    seed : int
    """

    X: Array
    y: Array
    beta: float
    loss: LossName
    n_neurons: int
    batch_size: int
    iterations: int
    trials: int
    readout: Literal["pooled", "flattened", "circular"] = "pooled"
    filter_size: int = 0
    seed: int = 0


@dataclass(frozen=True)
class Trace:
    """Trials of one descent.

    Attributes
    ----------
    iterations : array of shape (s,)
        Where the objective was looked at.
    objectives : array of shape (s, t)
        Of [2], over all samples, one column a trial.
    snapshots : list of s pairs of arrays
        Weights U (t, d, m) and A (t, m, q) at these iterations.
    initial_U : array of shape (t, d, m)
    seconds : float
        Of the iterations of all trials together, without looking and without the search of the step size.
    step : float
        Step size chosen.
    """

    iterations: Array
    objectives: Array
    snapshots: list[tuple[Array, Array]]
    initial_U: Array
    seconds: float
    step: float

    @property
    def weights(self) -> list[tuple[Array, Array]]:
        """U (d, m) and A (m, q) of each trial at the end."""
        return list(zip(*self.snapshots[-1], strict=True))


def descend(training: Training) -> Trace:
    r"""Minimise [2] from `trials` random starts with the best constant step size of a sweep.

    Mini-batches are drawn without replacement, anew each epoch and trial; the step goes along

    .. math:: \frac{1}{|B|} \sum_{i \in B} \nabla \ell_i + \frac{\beta}{n} (u, \alpha),

    an unbiased estimate of the gradient of [2] / n. Weights start as PyTorch's linear layers do, uniform in
    :math:`\pm 1 / \sqrt{\text{inputs}}`. The step size is the one with the lowest mean objective after a fifth of the
    iterations, from 0.3 down by factors of about 3; in the last fifth it falls linearly to zero.

    Raises
    ------
    MissingDependencyError
        If PyTorch is not installed.
    """
    torch = _torch()
    X, y = torch.tensor(training.X), torch.tensor(training.y, dtype=torch.float64)
    with threadpool_limits(1):  # products too small to share
        step = _best_step(lambda step: _run(torch, training, X, y, step, training.iterations // SWEEP_PART, 1))
        while True:
            trace = _run(torch, training, X, y, step, training.iterations, CHECKPOINTS)
            if np.isfinite(trace.objectives[-1]).all():
                return trace
            step /= 3.0


def _best_step(tried: Callable[[float], Trace]) -> float:
    """From the longest step down, until the mean objective at the end rises."""
    best, least = STEPS[-1], np.inf
    for step in STEPS:
        mean = float(np.mean(tried(step).objectives[-1]))
        if mean < least:  # not where it is NaN
            best, least = step, mean
        elif np.isfinite(least):
            break
    return best


def _torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise ng.MissingDependencyError(
            'Gradient descent needs PyTorch, which is not installed; `pip install "neuralgauge[torch]"`.'
        ) from error
    return torch


def _run(torch: Any, training: Training, X: Any, y: Any, step: float, iterations: int, checkpoints: int) -> Trace:
    t, n = training.trials, len(y)
    generator = torch.Generator().manual_seed(training.seed)
    U, A = _initial(torch, training, X.shape, generator)
    initial = U.detach().numpy().copy()
    looks = set(np.unique(np.geomspace(1, iterations, checkpoints).astype(int)).tolist()) | {iterations}
    seen, values, weights, seconds = [], [], [], 0.0
    batches = _batches(torch, n, training.batch_size, t, generator)
    for k in range(1, iterations + 1):
        begun = time.perf_counter()
        chosen = next(batches)
        f = _outputs(torch, training, X[chosen], U, A)
        loss = _loss(torch, training.loss, f, y[chosen]).sum() / chosen.shape[1]
        loss.backward()
        rate = step * min(1.0, SWEEP_PART * (iterations - k + 1) / iterations)
        with torch.no_grad():
            for W in (U, A):
                W -= rate * (W.grad + training.beta / n * W)
                W.grad = None
        seconds += time.perf_counter() - begun
        if k in looks:
            seen.append(k)
            values.append(_objectives(torch, training, X, y, U, A))
            weights.append((U.detach().numpy().copy(), A.detach().numpy().copy()))
    return Trace(np.array(seen), np.stack(values), weights, initial, seconds, step)


def _initial(torch: Any, training: Training, shape: Any, generator: Any) -> tuple[Any, Any]:
    t, m = training.trials, training.n_neurons
    _, K, d = shape
    q = K if training.readout == "flattened" else 1
    if training.readout == "circular":
        d, q = training.filter_size, d
    U = (2.0 * torch.rand((t, d, m), generator=generator, dtype=torch.float64) - 1.0) / d**0.5
    A = (2.0 * torch.rand((t, m, q), generator=generator, dtype=torch.float64) - 1.0) / (m * q) ** 0.5
    return U.requires_grad_(), A.requires_grad_()


def _batches(torch: Any, n: int, size: int, trials: int, generator: Any) -> Any:
    """Endless index arrays (t, size): a fresh order of the samples a trial and epoch, the rest of it left out."""
    size = min(size, n)
    while True:
        order = torch.stack([torch.randperm(n, generator=generator) for _ in range(trials)])
        for first in range(0, n - size + 1, size):
            yield order[:, first : first + size]


def _outputs(torch: Any, training: Training, X: Any, U: Any, A: Any) -> Any:
    """(t, b) of patches (t, b, K, d)."""
    t, b, K, d = X.shape
    if training.readout == "circular":
        shifted = torch.bmm(U, A)  # (t, h, d): what entry a of the filters gives to pixels a further on
        theta = sum(torch.roll(shifted[:, a], a, dims=1) for a in range(training.filter_size))
        return torch.bmm(X[:, :, 0], theta[:, :, None])[:, :, 0]
    H = torch.relu(torch.bmm(X.reshape(t, b * K, d), U))
    if training.readout == "pooled":
        return torch.bmm(H.reshape(t, b, K, -1).mean(dim=2), A)[:, :, 0]
    return torch.einsum("tbkm,tmk->tb", H.reshape(t, b, K, -1), A)


def _loss(torch: Any, name: LossName, f: Any, y: Any) -> Any:
    return 0.5 * (f - y) ** 2 if name == "squared" else torch.relu(1.0 - y * f)


def _objectives(torch: Any, training: Training, X: Any, y: Any, U: Any, A: Any) -> Array:
    """[2] of each trial, (t,), a trial at a time, for patches take memory."""
    with torch.no_grad():
        values = []
        for k in range(len(U)):
            f = _outputs(torch, training, X[None], U[k : k + 1], A[k : k + 1])
            penalty = 0.5 * training.beta * ((U[k] ** 2).sum() + (A[k] ** 2).sum())
            values.append(float(_loss(torch, training.loss, f, y[None]).sum() + penalty))
        return np.array(values)
