"""Bars and arrows of neurons."""

import numpy as np
import pytest

import neuralgauge as ng


def bars(axes):
    """Heights of the bars, one row a part."""
    return np.array([[bar.get_height() for bar in part] for part in axes.containers])


def test_costs_fall_and_are_coloured_by_sign(plt, rng):
    network = ng.TwoLayerNetwork(rng.normal(size=(4, 6)), rng.normal(size=6))
    axes = ng.plot_neurons(network)
    cost = np.linalg.norm(network.U, axis=0) * np.abs(network.A[:, 0])
    order = np.argsort(-cost)
    positive, negative = bars(axes)
    np.testing.assert_allclose(positive + negative, cost[order])
    np.testing.assert_array_equal(positive > 0, network.A[order, 0] > 0)
    assert bars(axes).sum() == pytest.approx(network.balance().weight_decay())
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "positive output weight", "negative output weight",
    ]  # fmt: skip
    colours = [part[0].get_facecolor() for part in axes.containers]
    assert colours[0] != colours[1]


def test_several_outputs_share_a_bar(plt):
    network = ng.TwoLayerNetwork([[1.0, 2.0], [0.0, 0.0]], [[3.0, 4.0], [0.0, -6.0]])
    axes = ng.plot_neurons(network)
    np.testing.assert_allclose(bars(axes), [[0.0, 5 * 9 / 25], [12.0, 5 * 16 / 25]])
    second = axes.containers[1][1]
    assert second.get_y() == pytest.approx(5 * 9 / 25)


def test_regions_of_an_output_count_together(plt, rng):
    geometry = ng.PatchGeometry((4, 1), 2)
    network = ng.ReLUConvNetwork(
        rng.normal(size=(2, 3)), rng.normal(size=(3, 6)), bias=False, geometry=geometry, readout="flattened"
    )
    assert network.n_outputs == 2
    heights = bars(ng.plot_neurons(network))
    assert heights.shape == (2, 3)
    assert heights.sum() == pytest.approx(network.balance().weight_decay())
    # Output k has the columns k, k + 2, .. of A, one a region.
    size = np.linalg.norm(network.A, axis=1)
    expected = [np.linalg.norm(network.U, axis=0) @ (np.sum(network.A[:, k::2] ** 2, axis=1) / size) for k in (0, 1)]
    np.testing.assert_allclose(heights.sum(axis=1), expected)


def test_neurons_without_output_and_no_neurons(plt):
    dead = ng.TwoLayerNetwork([[1.0, 1.0], [0.0, 0.0]], [[0.0, 0.0], [1.0, 1.0]])
    np.testing.assert_allclose(bars(ng.plot_neurons(dead)).sum(axis=0), [np.sqrt(2.0), 0.0])
    empty = ng.TwoLayerNetwork(np.zeros((2, 0)), np.zeros((0, 1)))
    for what in ("norms", "plane"):
        ng.plot_neurons(empty, what=what).figure.canvas.draw()


def test_arrows_are_the_weights(plt):
    network = ng.TwoLayerNetwork([[1.0, 0.0, -2.0], [2.0, 1.0, 1.0]], [2.0, -3.0, 0.5])
    axes = ng.plot_neurons(network, what="plane")
    positive, negative = axes.collections
    assert np.column_stack([positive.U, positive.V]).tolist() == [[2.0, 4.0], [-1.0, 0.5]]
    assert np.column_stack([negative.U, negative.V]).tolist() == [[0.0, 3.0]]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("weight on the feature", "hidden bias")
    axes.figure.canvas.draw()
    assert axes.get_xlim() == axes.get_ylim() == pytest.approx((-4.4, 4.4))


def test_arrows_of_two_features_and_outputs(plt):
    network = ng.TwoLayerNetwork([[1.0], [2.0], [7.0]], [[3.0, 4.0]])
    axes = ng.plot_neurons(network, what="plane")
    (arrows,) = axes.collections
    assert (arrows.U.item(), arrows.V.item()) == (5.0, 10.0)
    assert axes.get_ylabel() == "weight on feature 1"
    assert axes.get_legend() is None


def test_what_has_no_plane(plt):
    for network in (
        ng.TwoLayerNetwork(np.ones((4, 1)), [1.0]),
        ng.TwoLayerNetwork(np.ones((3, 1)), [1.0], bias=False),
        ng.TwoLayerNetwork(np.ones((1, 1)), [1.0], bias=False),
    ):
        with pytest.raises(ng.InvalidInputError, match="needs a network of two features, or of one with bias, got one"):
            ng.plot_neurons(network, what="plane")
    with pytest.raises(ng.InvalidInputError, match="`what` must be one of 'norms', 'plane', got 'bars'"):
        ng.plot_neurons(network, what="bars")
    assert plt.get_fignums() == []
