"""Matplotlib without a screen, and solutions of known history."""

import numpy as np
import pytest

import neuralgauge as ng


@pytest.fixture
def plt():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    yield pyplot
    pyplot.close("all")


@pytest.fixture
def make_solution():
    """A solution with these records (seconds, objective, lower bound) and this certificate."""

    def make(records, upper, lower, scope="exact", seconds=None, **options):
        history = tuple(ng.Record(*record, 1) for record in records)
        return ng.Solution(
            ng.TwoLayerNetwork([[1.0], [0.0]], [1.0]),
            ng.Certificate(upper, lower, scope, **options),
            ng.Status.SOLVED,
            len(history),
            history[-1].seconds if seconds is None else seconds,
            np.zeros(3),
            history,
        )

    return make
