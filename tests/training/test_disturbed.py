"""Training ends solved whatever the last digits of the data: copies of small problems, disturbed by rounding errors."""

import numpy as np
import pytest
from cases import own_loss, rough_rows, targets_of

import neuralgauge as ng
from neuralgauge.losses import LOSSES, get_loss

N_PROBLEMS, COPIES = 40, 25
NOISE = 1e-13  # relative
SHAPES = ((30, 2, 1), (24, 2, 1), (40, 1, 1), (16, 1, 3))  # samples, columns, outputs
SHARES = (0.03, 0.2, 0.01, 0.1)  # of beta_max


def arguments_of(index):
    """X, y and the rest of a problem; every loss in turn, and the problem of the page first."""
    loss = (own_loss(), *LOSSES)[index % (1 + len(LOSSES))]
    rng = np.random.default_rng(index)
    if index == 0:
        X = rng.standard_normal((40, 2))
        return X, np.abs(X[:, 0]) - X[:, 1] + 0.1 * rng.standard_t(2, 40), {"beta": 0.1, "loss": loss}
    turn = index // (1 + len(LOSSES))
    n, d, c = SHAPES[turn]
    d, c = (1, 3) if get_loss(loss).coupled else (d, c)
    X = rough_rows(rng, index, n, d)
    z = np.abs(X[:, :1]) - X[:, -1:] + 0.3 * rng.standard_t(2, (n, c))
    options = {"loss": loss, "bias": index % 2 == 0, "offset": index % 3 == 0}
    if index % 5 == 0:
        options["sample_weight"] = rng.uniform(0.3, 3.0, n)
    y = targets_of(loss, z)
    beta = SHARES[turn] * ng.beta_max(ng.TrainingProblem(X, y, beta=1.0, **options))
    return X, y, {"beta": beta, **options}


def trained(index, copy):
    """The solution of a disturbed copy; copy 0 is the problem as it is."""
    X, y, options = arguments_of(index)
    rng, size = np.random.default_rng(copy), NOISE * (copy > 0)
    X = X * (1.0 + size * rng.standard_normal(X.shape))
    if get_loss(options["loss"]).targets == "real":
        y = y * (1.0 + size * rng.standard_normal(y.shape))
    return ng.train(ng.TrainingProblem(X, y, **options), gap=1e-4)


def assert_solved(solution):
    assert solution.status is ng.Status.SOLVED
    assert solution.certificate.gap <= 1e-4


@pytest.mark.parametrize("index", range(1 + len(LOSSES)))
def test_a_copy_of_every_loss(index):
    assert_solved(trained(index, 1))


@pytest.mark.slow
@pytest.mark.parametrize("index", range(N_PROBLEMS))
def test_all_copies(index):
    for copy in range(COPIES):
        assert_solved(trained(index, copy))
