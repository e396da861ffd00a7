"""beta_max against exact pricing at the empty network."""

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.pricing import price
from neuralgauge.problems.penalty import beta_max


def test_one_output(rng):
    problem = ng.TrainingProblem(rng.standard_normal((20, 2)), rng.standard_normal(20), beta=1.0)
    assert beta_max(problem) == pytest.approx(price(problem.y, problem.X).value, rel=1e-8)


def test_several_outputs_that_do_not_share_neurons_have_the_largest_of_their_own(rng):
    """Samples on different axes: no neuron gains from serving both."""
    X, Y = np.zeros((20, 2)), np.zeros((20, 2))
    for k in range(2):
        X[10 * k : 10 * k + 10, k], Y[10 * k : 10 * k + 10, k] = rng.standard_normal(10), rng.standard_normal(10)
    problem = ng.TrainingProblem(X, Y, beta=1.0, bias=False)
    assert beta_max(problem) == pytest.approx(max(price(Y[:, k], X).value for k in range(2)), rel=1e-8)
