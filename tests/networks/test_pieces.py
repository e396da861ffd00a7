"""Breakpoints and polygons are the network, exactly: against predictions, areas and rational numbers."""

from fractions import Fraction

import numpy as np
import pytest

import neuralgauge as ng


def network(rng, d, m, c=1, bias=True):
    return ng.TwoLayerNetwork(
        rng.standard_normal((d + bias, m)), rng.standard_normal((m, c)), bias, rng.standard_normal(c)
    )


@pytest.mark.parametrize("seed", range(6))
def test_the_table_is_the_function(seed):
    rng = np.random.default_rng(seed)
    net = network(rng, 1, int(rng.integers(0, 12)), 1 + seed % 2)
    points = net.breakpoints()
    x = np.concatenate([rng.uniform(-20, 20, 200), points.x])
    assert np.allclose(points.predict(x), net.predict(x[:, None]), rtol=1e-11, atol=1e-11)
    assert points.n_pieces == len(points.x) + 1 == len(points.slopes)
    assert np.all(np.diff(points.x) > 0)
    assert np.allclose(
        points.values, net.predict(points.x[:, None]).reshape(points.values.shape) if len(points.x) else 0.0
    )


@pytest.mark.parametrize("seed", range(4))
def test_breakpoints_are_those_of_rational_arithmetic(seed):
    rng = np.random.default_rng(seed)
    U, A = rng.integers(-3, 4, (2, 9)).astype(float), rng.integers(-2, 3, (9, 1)).astype(float)
    changes = {}
    for (slope, bias), (a,) in zip(U.T, A, strict=True):
        if slope:
            kink = Fraction(int(-bias), int(slope))
            changes[kink] = changes.get(kink, 0) + abs(int(slope)) * int(a)
    kinks = sorted(kink for kink, change in changes.items() if change)
    points = ng.TwoLayerNetwork(U, A).breakpoints()
    assert points.x.tolist() == [float(kink) for kink in kinks]
    assert np.diff(points.slopes[:, 0]).tolist() == [changes[kink] for kink in kinks]


def test_kinks_that_differ_by_rounding_are_one():
    kinks = np.array([0.3, 0.1 + 0.2, 0.3 * (1 + 1e-15)])
    net = ng.TwoLayerNetwork([[1.0, -1.0, 7.0], -kinks * [1.0, -1.0, 7.0]], [1.0, 2.0, 3.0])
    points = net.breakpoints()
    assert points.x == pytest.approx([0.3])
    assert points.slopes.ravel().tolist() == [-2.0, 22.0]


def test_neurons_that_cancel_are_no_breakpoint():
    points = ng.TwoLayerNetwork([[1.0, -1.0], [-0.7, 0.7]], [2.0, -2.0]).breakpoints()
    assert points.x.tolist() == []
    assert points.slopes.ravel().tolist() == [2.0]
    assert points.predict([10.0]).tolist() == pytest.approx([18.6])
    assert len(str(points).splitlines()) == 2


def test_no_neurons_no_bias_and_kinks_beyond_all_numbers():
    empty = ng.TwoLayerNetwork(np.zeros((2, 0)), np.zeros((0, 1)), offset=4.0).breakpoints()
    assert (empty.slopes.tolist(), empty.predict([3.0]).tolist()) == ([[0.0]], [4.0])
    bare = ng.TwoLayerNetwork([[2.0, -1.0]], [1.0, 1.0], bias=False).breakpoints()
    assert (bare.x.tolist(), bare.slopes.ravel().tolist()) == ([0.0], [-1.0, 2.0])
    far = ng.TwoLayerNetwork([[1e-300, -1e-300, 1.0], [1e300, 1e300, 0.0]], [1.0, 1.0, 1.0]).breakpoints()
    assert far.x.tolist() == [0.0]
    assert far.slopes.ravel().tolist() == pytest.approx([0.0, 1.0], abs=1e-290)


def test_several_outputs_in_the_table():
    lines = str(ng.TwoLayerNetwork([[1.0], [-1.0]], [[1.0, 2.0]]).breakpoints()).splitlines()
    words = ["from to value1 value2 slope1 slope2", "-inf 1 0 0 0 0", "1 inf 0 0 1 2"]
    assert [" ".join(line.split()) for line in lines] == words


@pytest.mark.parametrize("seed", range(6))
def test_pieces_cover_the_box_and_are_the_function(seed):
    rng = np.random.default_rng(seed)
    unit = np.array([1.0, 1e6 if seed % 2 else 1.0])
    net = network(rng, 2, 9, 1 + seed % 3, bias=seed != 4)
    U = net.U.copy()
    U[:2] /= unit[:, None]
    net = net.with_neurons(U, net.A)
    lower, upper = -2.0 * unit, 1.5 * unit
    pieces = net.pieces(lower, upper)
    assert sum(piece.area for piece in pieces) == pytest.approx(np.prod(upper - lower), rel=1e-9)
    assert all(piece.area > 0 for piece in pieces)
    for piece in pieces:
        mixed = rng.dirichlet(np.ones(len(piece.corners)), 5) @ piece.corners
        outputs = mixed @ piece.gradient + piece.constant
        assert np.allclose(outputs, net.predict(mixed).reshape(5, -1), rtol=1e-9, atol=1e-9)
    inside = rng.uniform(lower, upper, (4000, 2))
    design = np.column_stack([inside, np.ones(4000)])[:, : len(net.U)]
    assert len({tuple(row) for row in design @ net.U > 0}) <= len(pieces) <= 1 + 9 + 36


def test_known_pieces():
    net = ng.TwoLayerNetwork([[1.0, 1.0], [-1.0, -1.0], [0.0, 0.0]], [1.0, 2.0])  # one line, twice
    assert [piece.area for piece in net.pieces((0, 0), (2, 2))] == [2.0, 2.0]
    assert len(net.pieces((5, 0), (6, 1))) == 1
    through_corner = ng.TwoLayerNetwork([[1.0], [1.0], [0.0]], [1.0]).pieces((0, 0), (1, 1))
    assert [piece.active.tolist() for piece in through_corner] == [[True]]
    assert len(ng.TwoLayerNetwork(np.zeros((3, 0)), np.zeros((0, 1))).pieces((0, 0), (1, 1))) == 1


@pytest.mark.parametrize(
    ("lower", "upper"), [((0, 0), (1, 0)), ((0,), (1,)), ((0, np.nan), (1, 1)), ((2, 0), (1, 1)), ((0, 0), (1, np.inf))]
)
def test_boxes_that_are_refused(lower, upper):
    with pytest.raises(ng.InvalidInputError, match="`lower`"):
        ng.TwoLayerNetwork([[1.0], [1.0], [0.0]], [1.0]).pieces(lower, upper)
