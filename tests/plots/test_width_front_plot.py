"""Pictures of a width front: what is drawn is what the front holds."""

import numpy as np
import pytest

import neuralgauge as ng


def front_of(*points):
    """Points of (neurons, beta, objective, training error, validation error)."""
    return ng.WidthFront(
        tuple(
            ng.FrontPoint(
                ng.TwoLayerNetwork(np.ones((2, m)), np.ones(m)),
                beta,
                ng.Certificate(p, 0.5, "estimated"),
                p,
                error,
                held,
            )
            for m, beta, p, error, held in points
        )
    )


def steps(axes):
    return axes.get_lines()[0].get_xydata().tolist()


def test_one_penalty_shows_the_objective_and_its_bound(plt):
    axes = ng.plot_width_front(front_of((0, 1.0, 3.0, 9.0, np.nan), (2, 1.0, 1.0, 8.0, np.nan)))
    assert steps(axes) == [[0.0, 3.0], [2.0, 1.0]]
    bound = axes.get_lines()[1]
    assert set(bound.get_ydata()) == {0.5}
    assert (bound.get_label(), bound.get_linestyle()) == ("lower bound of every width (estimated)", "--")
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("neurons", "training objective")
    assert not axes.collections


def test_several_penalties_show_an_error_and_what_is_not_on_the_front(plt):
    front = front_of((1, 2.0, 5.0, 0.9, 0.7), (2, 2.0, 4.0, 0.8, 0.8), (1, 1.0, 3.0, 0.7, 0.9), (3, 1.0, 2.0, 0.1, 0.2))
    axes = ng.plot_width_front(front)
    assert steps(axes) == [[1.0, 0.7], [3.0, 0.2]]
    assert axes.collections[0].get_offsets().tolist() == [[2.0, 0.8], [1.0, 0.9]]
    assert axes.get_ylabel() == "validation error"
    assert steps(ng.plot_width_front(front, of="train_error")) == [[1.0, 0.7], [3.0, 0.1]]
    with pytest.raises(ng.InvalidInputError, match="`of` must not be 'objective' for 2 penalties"):
        ng.plot_width_front(front, of="objective")
