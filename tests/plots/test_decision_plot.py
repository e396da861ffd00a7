"""The plane of two features: what is predicted where, the boundary, the neurons' lines, the samples."""

import numpy as np
import pytest

import neuralgauge as ng

X = np.array([[-1.0, -2.0], [2.0, 1.0], [0.5, 1.5], [-0.5, 0.0]])
Y = np.array([-1.0, 1.0, 1.0, -1.0])


def network(m=5, c=1, rows=3, seed=0, **options):
    rng = np.random.default_rng(seed)
    return ng.TwoLayerNetwork(rng.normal(size=(rows, m)), rng.normal(size=(m, c)), **options)


def contour(axes):
    """Vertices of the boundary."""
    found = [part for part in axes.collections if hasattr(part, "levels")]
    return np.vstack([path.vertices for part in found for path in part.get_paths() if len(path.vertices)])


def colour_at(axes, point):
    """The pixel under a point."""
    (image,) = axes.get_images()
    left, right, bottom, top = image.get_extent()
    assert image.origin == "lower"
    pixels = image.get_array()
    column = int((point[0] - left) / (right - left) * pixels.shape[1])
    row = int((point[1] - bottom) / (top - bottom) * pixels.shape[0])
    return tuple(pixels[row, column])


def segments(axes):
    (lines,) = [part for part in axes.collections if hasattr(part, "get_segments") and not hasattr(part, "levels")]
    return lines.get_segments()


@pytest.mark.parametrize(
    ("net", "features"),
    [
        (network(seed=3, offset=0.3), X),
        (network(rows=2, seed=1, bias=False, offset=-0.4), X),
        (network(rows=3, seed=3, bias=False, offset=0.3), np.column_stack([X, np.ones(4)])),
    ],
    ids=["bias", "no bias", "ones"],
)
def test_the_boundary_is_where_f_is_zero(plt, net, features):
    axes = ng.plot_decision_boundary(net, features, Y)
    vertices = contour(axes)
    assert len(vertices) > 20
    points = vertices if features.shape[1] == 2 else np.column_stack([vertices, np.ones(len(vertices))])
    f = net.predict(points)
    slope = np.linalg.norm(net.U[:2], axis=0) @ np.abs(net.A[:, 0])  # of f, at most
    spacing = np.ptp(axes.get_xlim()) / 299 + np.ptp(axes.get_ylim()) / 299
    assert np.max(np.abs(f)) <= slope * spacing
    assert np.median(np.abs(f)) < 1e-12  # only squares that a neuron's line crosses are inexact
    low, high = (axes.get_xlim()[k] for k in (0, 1))
    assert low < X[:, 0].min()
    assert high > X[:, 0].max()


def test_the_plane_is_coloured_by_sign(plt, rng):
    net = network(seed=3, offset=0.3)
    axes = ng.plot_decision_boundary(net, X, Y)
    points = rng.uniform(X.min(axis=0), X.max(axis=0), size=(300, 2))
    f = net.predict(points)
    points, f = points[np.abs(f) > 0.1], f[np.abs(f) > 0.1]
    colours = {sign: {colour_at(axes, p) for p in points[np.sign(f) == sign]} for sign in (1.0, -1.0)}
    assert len(colours[1.0]) == len(colours[-1.0]) == 1
    assert colours[1.0] != colours[-1.0]


def test_outputs_of_zero_belong_to_the_first_class(plt):
    net = ng.TwoLayerNetwork([[1.0], [0.0], [0.0]], [1.0])  # (x_1)_+, zero all over the left half
    axes = ng.plot_decision_boundary(net, X, Y)
    assert colour_at(axes, (-0.5, 0.0)) != colour_at(axes, (0.5, 0.0))
    assert np.all(np.abs(contour(axes)[:, 0]) < 0.02)


def test_lines_are_those_on_which_neurons_switch_on(plt):
    net = network(m=8, seed=4)
    axes = ng.plot_decision_boundary(net, X, Y)
    drawn = segments(axes)
    ends = np.array(drawn)
    pre = ends @ net.U[:2] + net.U[2]  # (lines, 2, m)
    zero = np.all(np.abs(pre) < 1e-10, axis=1)
    assert np.all(zero.sum(axis=1) == 1)
    # A neuron has a line exactly if the view has points on both of its sides.
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    corners = np.array([[x, y, 1.0] for x in (left, right) for y in (bottom, top)]) @ net.U
    crossing = (corners.min(axis=0) < 0) & (corners.max(axis=0) > 0)
    assert np.all(zero.any(axis=0) >= crossing)
    lengths = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    assert np.all(lengths >= np.hypot(right - left, top - bottom) * (1 - 1e-12))


def test_lines_without_bias_and_neurons_without_lines(plt):
    net = ng.TwoLayerNetwork([[1.0, 0.0], [2.0, 0.0]], [1.0, -1.0], bias=False)
    (line,) = segments(ng.plot_decision_boundary(net, X, Y))
    np.testing.assert_allclose(line @ [1.0, 2.0], 0.0, atol=1e-12)
    far = ng.TwoLayerNetwork([[1.0, 0.0], [0.0, 0.0], [100.0, 1.0]], [1.0, -1.0])
    assert segments(ng.plot_decision_boundary(far, X, Y)) == []
    axes = ng.plot_decision_boundary(net, X, Y, arrangement=False)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["-1.0", "1.0", "f(x) = 0"]


def test_samples_are_drawn_by_label(plt):
    axes = ng.plot_decision_boundary(network(), X, ["cat", "dog", "dog", "cat"])
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts == ["cat", "dog", "f(x) = 0", "neurons"]
    cats, dogs = (part for part in axes.collections if part.get_label() in ("cat", "dog"))
    np.testing.assert_array_equal(cats.get_offsets(), X[[0, 3]])
    np.testing.assert_array_equal(dogs.get_offsets(), X[[1, 2]])


@pytest.mark.parametrize("given", ["labels", "indicators"])
def test_several_outputs_are_regions_of_the_largest(plt, rng, given):
    net = network(m=7, c=3, seed=2)
    labels = np.array(["a", "b", "c", "a"])
    y = labels if given == "labels" else np.eye(3)[[0, 1, 2, 0]]
    axes = ng.plot_decision_boundary(net, X, y)
    points = rng.uniform(X.min(axis=0), X.max(axis=0), size=(400, 2))
    f = np.sort(net.predict(points), axis=1)
    clear = f[:, 2] - f[:, 1] > 0.1
    best = np.argmax(net.predict(points), axis=1)
    colours = [{colour_at(axes, p) for p in points[clear & (best == k)]} for k in range(3)]
    assert [len(found) for found in colours if found] == [1] * len(set(best[clear]))
    assert len(set.union(*colours)) == len(set(best[clear])) >= 2
    names = [text.get_text() for text in axes.get_legend().get_texts()][:4]
    assert names == (["a", "b", "c", "boundary"] if given == "labels" else ["0", "1", "2", "boundary"])
    top = np.sort(net.predict(contour(axes)), axis=1)
    assert np.median(top[:, 2] - top[:, 1]) < 1e-12


def test_two_outputs_of_two_classes(plt):
    net = network(m=4, c=2, seed=5)
    axes = ng.plot_decision_boundary(net, X, [0, 1, 1, 0])
    f = net.predict(contour(axes))
    assert np.median(np.abs(f[:, 0] - f[:, 1])) < 1e-12


def test_numbers_are_drawn_by_value(plt):
    net, y = network(seed=1), np.array([0.1, 0.5, 2.0, -1.0])
    axes = ng.plot_decision_boundary(net, X, y, resolution=50)
    (image,) = axes.get_images()
    assert image.origin == "lower"
    left, right, bottom, top = image.get_extent()
    x = left + (right - left) * (np.arange(50) + 0.5) / 50
    z = bottom + (top - bottom) * (np.arange(50) + 0.5) / 50
    expected = [[net.predict([[a, b]])[0] for a in x] for b in z]
    np.testing.assert_allclose(image.get_array(), expected, atol=1e-12)
    (samples,) = [part for part in axes.collections if part.get_label() == "samples"]
    np.testing.assert_array_equal(samples.get_array(), y)
    assert samples.get_clim() == image.get_clim()
    assert len(axes.figure.axes) == 2  # and a colour bar
    figure, own = plt.subplots()
    ng.plot_decision_boundary(net, X, y, axes=own)
    assert figure.axes == [own]


def test_networks_that_predict_one_thing(plt):
    empty = ng.TwoLayerNetwork(np.zeros((3, 0)), np.zeros((0, 1)))
    for y in (Y, np.arange(4.0)):
        axes = ng.plot_decision_boundary(empty, X, y)
        axes.figure.canvas.draw()
        assert "f(x) = 0" not in [text.get_text() for text in axes.get_legend().get_texts()]
    ng.plot_decision_boundary(network(), X[:1], [0.5]).figure.canvas.draw()


def test_what_is_refused(plt):
    geometry = ng.PatchGeometry((2, 1), 2)
    conv = ng.ReLUConvNetwork(np.ones((2, 1)), [1.0], bias=False, geometry=geometry)
    for net, features, y, options, message in [
        (conv, X, Y, {}, "must be a TwoLayerNetwork of two features, got ReLUConvNetwork"),
        (network(rows=4), np.ones((4, 3)), Y, {}, "must have two features to be drawn in a plane, got 3"),
        (network(rows=3, bias=False), np.eye(3), Y[:3], {}, "must have two features to be drawn in a plane, got 3"),
        (network(), np.ones((4, 3)), Y, {}, "`X` must have 2 columns for this network, got 3"),
        (network(), X, Y[:3], {}, r"`y` must have one entry or row per row of X \(4\), got shape \(3,\)"),
        (network(), X, list("abca"), {}, "must hold numbers or labels of two classes for a network of 1 output, got 3"),
        (network(c=3), X, Y, {}, r"labels of 3 classes or of shape \(n, 3\) for a network of 3 outputs, got 2"),
        (network(), X, np.ones((4, 2)), {}, r"got 1 different values of shape \(4, 2\); draw single outputs with"),
        (network(), X, [1.0, 2.0, 3.0, np.inf], {}, "`y` must be finite, got inf in row 3"),
        (network(), X, Y, {"resolution": 1}, "`resolution` must be >= 2, got 1"),
    ]:
        with pytest.raises(ng.InvalidInputError, match=message):
            ng.plot_decision_boundary(net, features, y, **options)
    assert plt.get_fignums() == []
