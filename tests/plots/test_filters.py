"""Pictures of filters: which are drawn, in what order, colours and scales; what is refused."""

import sys

import numpy as np
import pytest

import neuralgauge as ng


def network(shape=(6, 5, 1), m=5, c=1, seed=0):
    rng = np.random.default_rng(seed)
    geometry = ng.PatchGeometry(shape, 3)
    U = rng.normal(size=(geometry.d, m)) * np.arange(1, m + 1)
    return ng.ReLUConvNetwork(U, rng.normal(size=(m, c)), bias=False, geometry=geometry)


def test_filters_in_the_order_of_their_weight_decay(plt):
    net = network()
    axes = ng.plot_filters(net, 3)
    decay = (net.U**2).sum(axis=0) + (net.A**2).sum(axis=1)
    order = np.argsort(-decay)[:3]
    assert len(axes) == 3
    for place, j in zip(axes, order, strict=True):
        (image,) = place.get_images()
        np.testing.assert_array_equal(image.get_array(), net.filters[j, :, :, 0])
        assert image.get_clim() == (-np.abs(net.U[:, j]).max(), np.abs(net.U[:, j]).max())
        sign = "+" if net.A[j, 0] > 0 else "\N{MINUS SIGN}"
        assert place.get_title() == f"{sign} {100 * decay[j] / decay.sum():.0f} %"


def test_three_channels_are_colours(plt):
    net = network((6, 5, 3), c=2)
    axes = ng.plot_filters(net)
    for place in axes:
        values = place.get_images()[0].get_array()
        assert values.shape == (3, 3, 3)
        assert values.min() >= 0.0
        assert values.max() <= 1.0
        assert max(values.max() - 0.5, 0.5 - values.min()) == pytest.approx(0.5)
        assert place.get_title().endswith("%")
        assert place.get_title()[0].isdigit()


def test_other_channels_are_side_by_side(plt):
    net = network((6, 5, 2), m=1)
    drawn = ng.plot_filters(net)[0].get_images()[0].get_array()
    np.testing.assert_array_equal(drawn[:, :3], net.filters[0, :, :, 0])
    np.testing.assert_array_equal(drawn[:, 4:], net.filters[0, :, :, 1])
    assert np.ma.getmaskarray(drawn)[:, 3].all()


def test_signals_are_lines(plt):
    net = network((9, 2), m=2)
    place = ng.plot_filters(net, 1)[0]
    largest = np.argmax((net.U**2).sum(axis=0))
    lines = [line.get_ydata() for line in place.get_lines()][1:]
    np.testing.assert_array_equal(np.transpose(lines), net.filters[largest])
    low, high = place.get_ylim()
    assert low == -high


def test_linear_networks_and_axes_that_are_given(plt):
    geometry = ng.PatchGeometry((4, 4, 1), 2)
    net = ng.LinearConvNetwork(np.eye(4)[:, :2], np.ones((2, 9, 3)), geometry)
    figure, axes = plt.subplots(1, 3)
    drawn = ng.plot_filters(net, axes=axes, cmap="gray")
    assert drawn == list(axes[:2])
    assert not axes[2].axison
    assert drawn[0].get_images()[0].get_cmap().name == "gray"
    assert drawn[0].get_title() == "50 %"
    assert len(ng.plot_filters(net, axes=axes[:1])) == 1
    figure.canvas.draw()


def test_filters_of_zeros_and_of_no_weight(plt):
    geometry = ng.PatchGeometry((4, 4, 1), 2)
    net = ng.ReLUConvNetwork(np.zeros((4, 1)), [0.0], bias=False, geometry=geometry)
    assert ng.plot_filters(net)[0].get_title() == "0.0 %"


def test_what_is_refused(monkeypatch):
    geometry = ng.PatchGeometry((4, 4, 1), 2)
    empty = ng.ReLUConvNetwork(np.zeros((4, 0)), np.zeros((0, 1)), bias=False, geometry=geometry)
    model = ng.ReLUConvRegressor(filter_size=1, beta=1.0, gap=0.5).fit(np.ones((2, 2, 2, 1)), [1.0, 1.0])
    for given, limit, message in [
        (ng.TwoLayerNetwork([[1.0], [0.0]], [1.0]), 3, "a ReLUConvNetwork or a LinearConvNetwork, got TwoLayerNetwork"),
        (model, 3, "got ReLUConvRegressor; pass its `network_`"),
        (empty, 3, "must have filters to draw, got none"),
        (network(), 0, "`limit` must be >= 1, got 0"),
    ]:
        with pytest.raises(ng.InvalidInputError, match=message):
            ng.plot_filters(given, limit)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ng.MissingDependencyError, match=r"pip install .neuralgauge\[plots\]"):
        ng.plot_filters(network())


def test_colours_that_stand_for_weights_have_a_scale(plt):
    figure = ng.plot_filters(network(), 3)[0].figure
    assert len(figure.axes) == 4
    assert figure.axes[3].get_ylim() == (-1.0, 1.0)
    assert len(ng.plot_filters(network((6, 5, 2)), 3, cmap="gray")[0].figure.axes) == 4
    assert len(ng.plot_filters(network((6, 5, 3)), 3)[0].figure.axes) == 3  # red, green, blue
    assert len(ng.plot_filters(network((9, 2)), 3)[0].figure.axes) == 3  # signals
    figure, axes = plt.subplots(1, 2)
    ng.plot_filters(network(), axes=axes)
    assert figure.axes == list(axes)
