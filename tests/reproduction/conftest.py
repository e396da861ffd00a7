"""Descent without PyTorch: its absence, and a twin in NumPy that takes a few full steps."""

import sys

import numpy as np
import pytest

from neuralgauge_reproduction import baseline
from neuralgauge_reproduction.descent import Trace


@pytest.fixture
def no_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)


def shapes(training):
    _, K, d = training.X.shape
    if training.readout == "circular":
        return training.filter_size, d
    return d, K if training.readout == "flattened" else 1


def few_steps(training, steps=30, rate=0.05):
    """Dense networks descend on all samples at once; others stay at random small weights."""
    rng = np.random.default_rng(training.seed)
    d, q = shapes(training)
    m, n = training.n_neurons, len(training.y)
    initial, snapshots = [], [[] for _ in range(2)]
    for _ in range(training.trials):
        U, A = rng.uniform(-1, 1, (d, m)) / np.sqrt(d), rng.uniform(-1, 1, (m, q)) / np.sqrt(m * q)
        initial.append(U)
        snapshots[0].append((U, A))
        for _ in range(steps if training.X.shape[1] == 1 and training.readout == "pooled" else 0):
            X = training.X[:, 0]
            Z = X @ U
            H = np.maximum(Z, 0.0)
            f = (H @ A)[:, 0]
            g = f - training.y if training.loss == "squared" else -training.y * (training.y * f < 1.0)
            by_U = X.T @ ((Z > 0) * np.outer(g, A[:, 0])) / n + training.beta / n * U
            by_A = H.T @ g[:, None] / n + training.beta / n * A
            U, A = U - rate * by_U, A - rate * by_A
        snapshots[1].append((U, A))
    stacked = [(np.stack([U for U, _ in one]), np.stack([A for _, A in one])) for one in snapshots]
    objectives = np.zeros((2, training.trials))
    return Trace(np.array([1, steps]), objectives, stacked, np.stack(initial), 0.1, rate)


@pytest.fixture
def twin(monkeypatch):
    """Descent by the twin; the trainings it was asked for."""
    asked = []

    def descend(training):
        asked.append(training)
        return few_steps(training)

    monkeypatch.setattr(baseline, "descend", descend)
    return asked
