"""Problems that several test files share."""

import numpy as np
import pytest

import neuralgauge as ng


@pytest.fixture
def paper():
    """The paper's five points on a line (Fig. 2)."""

    def make(beta):
        return ng.TrainingProblem([[-2.0], [-1.0], [0.0], [1.0], [2.0]], [1.0, -1.0, 1.0, 1.0, -1.0], beta=beta)

    return make


@pytest.fixture
def rng():
    return np.random.default_rng(0)
