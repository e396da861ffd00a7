"""The polygons of a network in a picture."""

import numpy as np
import pytest

import neuralgauge as ng

NETWORK = ng.TwoLayerNetwork([[1.0, 0.0], [-1.0, 1.0], [0.0, -0.5]], [[2.0, 0.0], [1.0, -1.0]], offset=[0.0, 3.0])


def test_every_piece_is_drawn_with_the_value_in_its_middle(plt):
    axes = ng.plot_pieces(NETWORK, (0, 0), (1, 1), feature_names=("a$b", "size"), output=1)
    drawn, pieces = axes.collections[0], NETWORK.pieces((0, 0), (1, 1))
    assert len(drawn.get_paths()) == len(pieces) == 4
    middles = np.array([piece.corners.mean(axis=0) for piece in pieces])
    assert np.allclose(drawn.get_array(), NETWORK.predict(middles)[:, 1])
    assert len(axes.texts) == 4
    assert any("3" in text.get_text() for text in axes.texts)
    assert (axes.get_xlabel(), axes.get_ylabel()) == (r"a\$b", "size")
    axes.figure.canvas.draw()


def test_one_piece_is_drawn(plt):
    axes = ng.plot_pieces(ng.TwoLayerNetwork(np.zeros((3, 0)), np.zeros((0, 1))), (0, 0), (1, 1))
    assert len(axes.collections[0].get_paths()) == 1
    axes.figure.canvas.draw()


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((object(), (0, 0), (1, 1)), {}, "TwoLayerNetwork"),
        ((NETWORK, (0, 0), (1, 1)), {"output": 2}, "`output` must be from 0 to 1"),
        ((NETWORK, (0, 0), (1, 1)), {"feature_names": ("a",)}, "two names"),
        ((NETWORK, (1, 1), (0, 0)), {}, "`lower`"),
    ],
)
def test_refusals(plt, arguments, options, message):
    with pytest.raises(ng.InvalidInputError, match=message):
        ng.plot_pieces(*arguments, **options)
