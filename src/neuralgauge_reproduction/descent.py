"""The baseline: stochastic gradient descent on the objective [2], all trials at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from ._array import Array
from .gradients import gradients, outputs

LossName = Literal["squared", "hinge"]
ReadoutName = Literal["pooled", "flattened", "circular"]
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
    readout: ReadoutName = "pooled"
    filter_size: int = 0
    seed: int = 0


@dataclass(frozen=True)
class Trace:
    """Trials of one descent.

    Attributes
    ----------
    iterations : array of shape (s,)
        Where the objective was looked at.
    times : array of shape (s,)
        Seconds of the iterations of all trials together until then, without looking and without the search of the step
        size.
    objectives : array of shape (s, t)
        Of [2], over all samples, one column a trial.
    snapshots : list of s pairs of arrays
        Weights U (t, d, m) and A (t, m, q) at these iterations.
    initial_U : array of shape (t, d, m)
    step : float
        Step size chosen.
    """

    iterations: Array
    times: Array
    objectives: Array
    snapshots: list[tuple[Array, Array]]
    initial_U: Array
    step: float

    @property
    def seconds(self) -> float:
        """Of all trials together, to the end."""
        return float(self.times[-1])

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
    """
    with threadpool_limits(1), np.errstate(over="ignore", invalid="ignore"):  # small products; steps that diverge
        step = _best_step(lambda step: _run(training, step, training.iterations // SWEEP_PART, 1))
        while True:
            trace = _run(training, step, training.iterations, CHECKPOINTS)
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


def _run(training: Training, step: float, iterations: int, checkpoints: int) -> Trace:
    n, rng = len(training.y), np.random.default_rng(training.seed)
    U, A = _initial(training, rng)
    initial = U.copy()
    looks = set(np.unique(np.geomspace(1, iterations, checkpoints).astype(int)).tolist()) | {iterations}
    seen, times, values, weights, seconds = [], [], [], [], 0.0
    batches = _batches(n, training.batch_size, training.trials, rng)
    for k in range(1, iterations + 1):
        begun = time.perf_counter()
        chosen = next(batches)
        rate = step * min(1.0, SWEEP_PART * (iterations - k + 1) / iterations)
        X, y = training.X[chosen], training.y[chosen]
        by_U, by_A = gradients(training.readout, X, U, A, partial(_slope, training.loss, y))
        U -= rate * (by_U + training.beta / n * U)
        A -= rate * (by_A + training.beta / n * A)
        seconds += time.perf_counter() - begun
        if k in looks:
            seen.append(k)
            times.append(seconds)
            values.append(_objectives(training, U, A))
            weights.append((U.copy(), A.copy()))
    return Trace(np.array(seen), np.array(times), np.stack(values), weights, initial, step)


def _initial(training: Training, rng: np.random.Generator) -> tuple[Array, Array]:
    t, m = training.trials, training.n_neurons
    _, K, d = training.X.shape
    q = K if training.readout == "flattened" else 1
    if training.readout == "circular":
        d, q = training.filter_size, d
    return rng.uniform(-1.0, 1.0, (t, d, m)) / d**0.5, rng.uniform(-1.0, 1.0, (t, m, q)) / (m * q) ** 0.5


def _batches(n: int, size: int, trials: int, rng: np.random.Generator) -> Iterator[npt.NDArray[np.intp]]:
    """Endless index arrays (t, size): a fresh order of the samples a trial and epoch, the rest of it left out."""
    size = min(size, n)
    while True:
        order = rng.permuted(np.tile(np.arange(n), (trials, 1)), axis=1)
        for first in range(0, n - size + 1, size):
            yield order[:, first : first + size]


def _slope(name: LossName, y: Array, f: Array) -> Array:
    """Gradient of the mean loss of each batch, (t, b)."""
    return (f - y if name == "squared" else np.where(y * f < 1.0, -y, 0.0)) / y.shape[1]


def _objectives(training: Training, U: Array, A: Array) -> Array:
    """[2] of each trial, (t,), a trial at a time, for patches take memory."""
    values = []
    for k in range(len(U)):
        f = outputs(training.readout, training.X[None], U[k : k + 1], A[k : k + 1])[0]
        y = training.y
        losses = 0.5 * (f - y) ** 2 if training.loss == "squared" else np.maximum(1.0 - y * f, 0.0)
        values.append(losses.sum() + 0.5 * training.beta * ((U[k] ** 2).sum() + (A[k] ** 2).sum()))
    return np.array(values)
