"""Patches against SciPy's and PyTorch's convolutions, adjoint identities, memory, and what is refused."""

import tracemalloc

import numpy as np
import pytest
from scipy.signal import correlate

import neuralgauge as ng
from neuralgauge.features import patches

# shape, filter_size, stride, padding, padding_mode
CASES = [
    ((7, 1), 3, 1, 0, "zeros"),
    ((9, 2), 3, 2, 0, "zeros"),
    ((8, 2), 4, 2, 1, "zeros"),
    ((8, 3), 3, 1, "same", "circular"),
    ((8, 2), 8, 1, "same", "circular"),
    ((8, 1), 4, 3, "same", "zeros"),
    ((6, 1), 6, 1, 6, "circular"),
    ((6, 6, 1), 3, 1, 0, "zeros"),
    ((7, 5, 3), (3, 2), (2, 1), (1, 0), "zeros"),
    ((6, 7, 2), (2, 3), (1, 2), (0, 1), "circular"),
    ((5, 6, 2), 4, 1, "same", "circular"),
    ((4, 4, 2), 4, 1, 0, "zeros"),
    ((3, 4, 2), (1, 1), 1, 0, "zeros"),
]
geometries = pytest.mark.parametrize("geometry", [ng.PatchGeometry(*case) for case in CASES], ids=map(str, CASES))


def padded(images, geometry):
    """The padded images, pixel by pixel."""
    (n, *_), pads = images.shape, geometry.pads
    result = np.zeros((n, *geometry.padded_shape, geometry.channels))
    for where in np.ndindex(*geometry.padded_shape):
        source = [i - before for i, (before, _) in zip(where, pads, strict=True)]
        inside = all(0 <= i < length for i, length in zip(source, geometry.spatial_shape, strict=True))
        if geometry.padding_mode == "circular":
            source = [i % length for i, length in zip(source, geometry.spatial_shape, strict=True)]
        if inside or geometry.padding_mode == "circular":
            result[(slice(None), *where)] = images[(slice(None), *source)]
    return result


@geometries
def test_outputs_are_scipys_cross_correlation(geometry, rng):
    images, U = rng.standard_normal((3, *geometry.shape)), rng.standard_normal((geometry.d, 4))
    steps = tuple(slice(None, None, step) for step in geometry.strides)
    expected = np.empty((3, *geometry.output_shape, 4))
    for i, image in enumerate(padded(images, geometry)):
        for j, u in enumerate(U.T):
            full = correlate(image, u.reshape(*geometry.filters, geometry.channels), mode="valid", method="direct")
            expected[i, ..., j] = full[..., 0][steps]
    expected = expected.reshape(3, geometry.n_positions, 4)
    np.testing.assert_allclose(geometry.hidden(images, U), expected, atol=1e-12)
    np.testing.assert_allclose(geometry.stack(images) @ U, expected.reshape(-1, 4), atol=1e-12)


@pytest.mark.parametrize("case", [case for case in CASES if case[3] != "same"], ids=str)
def test_outputs_are_those_of_pytorch(case, rng):
    torch = pytest.importorskip("torch")
    geometry = ng.PatchGeometry(*case)
    images, U = rng.standard_normal((3, *geometry.shape)), rng.standard_normal((geometry.d, 4))
    layer = (torch.nn.Conv1d, torch.nn.Conv2d)[len(geometry.filters) - 1](
        geometry.channels, 4, geometry.filters, geometry.strides, case[3], bias=False, padding_mode=case[4]
    ).double()
    weight = U.T.reshape(4, *geometry.filters, geometry.channels)
    with torch.no_grad():
        layer.weight[:] = torch.from_numpy(np.moveaxis(weight, -1, 1).copy())
        outputs = layer(torch.from_numpy(np.moveaxis(images, -1, 1).copy())).numpy()
    np.testing.assert_allclose(
        geometry.hidden(images, U), np.moveaxis(outputs, 1, -1).reshape(3, geometry.n_positions, 4), atol=1e-12
    )


@geometries
@pytest.mark.parametrize("c", [1, 3])
def test_spread_is_the_adjoint_of_gather(geometry, c, rng):
    theta = rng.standard_normal((geometry.n_pixels, c))
    Z = rng.standard_normal((geometry.n_positions, geometry.d, c))
    patches_of_theta, spread = geometry.unfold(theta), geometry.fold(Z)
    assert patches_of_theta.shape == Z.shape
    assert spread.shape == theta.shape
    assert np.sum(patches_of_theta * Z) == pytest.approx(np.sum(theta * spread), rel=1e-12)
    images = rng.standard_normal((5, *geometry.shape))
    X = geometry.stack(images).reshape(5, geometry.n_positions, geometry.d)
    np.testing.assert_allclose(images.reshape(5, -1) @ spread, np.einsum("nkd,kdc->nc", X, Z), atol=1e-12)
    np.testing.assert_array_equal(geometry.unfold(images[0].reshape(-1, 1))[..., 0], X[0])


@geometries
def test_the_view_holds_the_patches_and_copies_nothing_but_for_padding(geometry, rng):
    images = rng.standard_normal((3, *geometry.shape))
    view = geometry.view(images)
    assert view.shape == (3, *geometry.output_shape, *geometry.filters, geometry.channels)
    np.testing.assert_array_equal(view.reshape(-1, geometry.d), geometry.stack(images))
    assert np.shares_memory(view, images) == (not any(map(any, geometry.pads)))
    assert not view.flags.writeable
    base = view
    while base.base is not None:
        base = base.base
    assert base.nbytes == 8 * 3 * np.prod(geometry.padded_shape) * geometry.channels


@pytest.mark.parametrize("limit", [1, 60, 100, 250, 10**6])
def test_chunks_bound_the_copied_patches_and_cover_each_once(limit, rng, monkeypatch):
    geometry = ng.PatchGeometry((6, 5, 1), 2)  # 5 x 4 positions, d = 4: 80 entries an image, 16 a row of positions
    images, U = rng.integers(0, 256, (7, 6, 5), dtype=np.uint8), rng.standard_normal((4, 3))
    expected, rows = geometry.hidden(images, U), geometry.stack(images)
    monkeypatch.setattr(patches, "COPIED_AT_A_TIME", limit)
    seen = np.zeros((7, 5), dtype=int)
    for samples, positions in geometry.chunks(7):
        seen[samples, positions] += 1
        assert seen[samples, positions].size * 16 <= max(limit, 16)
    assert np.all(seen == 1)
    np.testing.assert_allclose(geometry.hidden(images, U), expected, rtol=1e-12)
    np.testing.assert_array_equal(geometry.stack(images), rows)


def test_images_of_any_number_type_are_not_changed(rng):
    geometry = ng.PatchGeometry((5, 4, 1), 2)
    images = rng.integers(0, 256, (3, 5, 4), dtype=np.uint8)
    original = images.copy()
    for given in (images, images.astype(np.float32), images.tolist(), images[..., None]):
        assert geometry.images(given).dtype == geometry.view(given).dtype == geometry.stack(given).dtype == np.float64
        np.testing.assert_array_equal(geometry.images(given)[..., 0], images)
        np.testing.assert_array_equal(geometry.view(given)[:, 0, 0].reshape(3, 4), images[:, :2, :2].reshape(3, 4))
    np.testing.assert_array_equal(images, original)
    values = images[..., None].astype(float)
    assert np.shares_memory(geometry.images(values), values)


def test_a_geometry_is_data():
    geometry = ng.PatchGeometry((32, 32, 3), 5, stride=2, padding=2)
    assert geometry == ng.PatchGeometry((32, 32, 3), (5, 5), (2, 2), (2, 2))
    assert hash(geometry) == hash(ng.PatchGeometry(np.array([32, 32, 3]), np.int64(5), [2, 2], (2, 2), "zeros"))
    assert (geometry.d, geometry.n_positions, geometry.n_pixels) == (75, 256, 3072)
    assert geometry.output_shape == (16, 16)


@pytest.mark.parametrize(
    ("case", "dropped"),
    [
        (((8, 1), 3, 2), 1),
        (((10, 2), 2, 4), 4),
        (((7, 6, 1), 3, (2, 3)), 0),
        (((8, 6, 1), 3, (2, 3)), 6),
        (((5, 5, 1), 1, 2), 16),
        (((8, 1), 3, 2, 1), 0),
        (((8, 1), 2, 3, 2, "circular"), 1),
    ],
)
def test_pixels_that_no_filter_sees_are_counted_and_warned_of(case, dropped):
    if dropped:
        with pytest.warns(ng.DroppedPixelsWarning, match=f"^filters .* never see {dropped} of the") as caught:
            geometry = ng.PatchGeometry(*case)
        assert caught[0].filename == __file__
    else:
        geometry = ng.PatchGeometry(*case)
    image = np.ones((1, *geometry.shape))
    seen = geometry.fold(np.ones((geometry.n_positions, geometry.d, 1))).reshape(image.shape)[..., 0]
    assert geometry.dropped_pixels == dropped == np.sum(seen == 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filter_size": 9}, r"`filter_size` must be at most .*padded image, got \(9, 9\) for \(8, 7\).*pad more"),
        ({"shape": (3, 32, 32), "filter_size": 5}, "channels come last"),
        ({"filter_size": 9, "padding": 0}, "smaller filter or pad more"),
        ({"filter_size": 0}, "`filter_size` must hold whole numbers >= 1, got 0"),
        ({"filter_size": 2.5}, "got 2.5"),
        (
            {"filter_size": (2, 2, 3)},
            r"`filter_size` must be one number or one per spatial axis \(2\), got \(2, 2, 3\)",
        ),
        ({"stride": 0}, "`stride` must hold whole numbers >= 1, got 0"),
        ({"stride": (1, -1)}, "`stride` must hold whole numbers >= 1, got -1"),
        ({"stride": True}, "`stride` must hold whole numbers"),
        ({"padding": -1}, "`padding` must hold whole numbers >= 0, got -1"),
        ({"padding": "valid"}, "`padding` must be whole numbers >= 0 or \"same\", got 'valid'"),
        ({"padding": 8, "padding_mode": "circular"}, r"circular `padding` must be at most .*\(8, 7\), got \(8, 8\)"),
        ({"padding_mode": "reflect"}, '`padding_mode` must be "zeros" or "circular", got \'reflect\''),
        ({"shape": (8,)}, r"`shape` must be \(height, width, channels\) or \(length, channels\).*got \(8,\)"),
        ({"shape": 8}, r"`shape` must be \(height, width, channels\)"),
        ({"shape": (8, 0)}, "`shape` must hold whole numbers >= 1, got 0"),
    ],
)
def test_refused_geometries(arguments, message):
    with pytest.raises(ng.InvalidInputError, match=message):
        ng.PatchGeometry(**{"shape": (8, 7, 2), "filter_size": 3, **arguments})


@pytest.mark.parametrize(
    ("shape", "images", "message"),
    [
        ((8, 7, 3), np.zeros((2, 3, 8, 7)), r"got \(2, 3, 8, 7\); channels come last: np.moveaxis\(images, 1, -1\)"),
        ((8, 3), np.zeros((2, 3, 8)), r"\(n, length, channels\) = \(n, 8, 3\).*channels come last: np.moveaxis"),
        ((8, 7, 3), np.zeros((8, 7, 3)), r"give a single one as images\[None\]"),
        ((8, 7, 1), np.zeros((8, 7)), r"give a single one as images\[None\]"),
        ((8, 7, 3), np.zeros((2, 168)), r"unflatten them: images.reshape\(-1, 8, 7, 3\)"),
        ((8, 7, 3), np.zeros((2, 7, 8, 3)), r"\(n, height, width, channels\) = \(n, 8, 7, 3\).*got \(2, 7, 8, 3\)\."),
        ((8, 7, 3), np.zeros((0, 8, 7, 3)), "n >= 1, got"),
        ((8, 7, 3), np.zeros((2, 8, 7, 3), dtype=complex), "`images` must hold real numbers, got complex128"),
        ((2, 1), [["a", "b"]], "`images` must hold real numbers"),
        ((2, 1), [[1.0, 2.0], [3.0]], "`images` must all have one size, got a ragged list"),
    ],
)
def test_refused_images(shape, images, message):
    geometry = ng.PatchGeometry(shape, 2)
    for method in (geometry.images, geometry.view, geometry.stack, lambda x: geometry.hidden(x, np.zeros((4, 1)))):
        with pytest.raises(ng.InvalidInputError, match=message):
            method(images)


def test_refused_values_and_filters():
    geometry = ng.PatchGeometry((3, 1), 2)
    with pytest.raises(ng.InvalidInputError, match=r"`images` must be finite, got NaN in image 1 \(2 such values\)"):
        geometry.images([[1.0, 2.0, 3.0], [1.0, np.nan, np.inf]])
    with pytest.raises(ng.InvalidInputError, match=r"`U` must have one row per filter entry \(2\).*got shape \(3, 2\)"):
        geometry.hidden(np.zeros((1, 3)), np.zeros((3, 2)))


@pytest.mark.parametrize("padding_mode", ["zeros", "circular"])
@pytest.mark.filterwarnings("ignore::neuralgauge.DroppedPixelsWarning")
def test_dropped_pixels_of_every_small_geometry(padding_mode):
    for length, size, stride, padding in np.ndindex(7, 8, 9, 7):
        if size + 1 > length + 1 + 2 * padding or (padding_mode == "circular" and padding > length + 1):
            continue
        geometry = ng.PatchGeometry((length + 1, 1), size + 1, stride + 1, padding, padding_mode)
        ones = np.ones((geometry.n_positions, geometry.d, 1))
        assert geometry.dropped_pixels == np.sum(geometry.fold(ones) == 0), geometry


def test_a_geometry_takes_no_memory_for_its_positions():
    tracemalloc.start()
    try:
        assert ng.PatchGeometry((2**15, 2**15, 1), (64, 64)).n_positions > 2**29
        with pytest.warns(ng.DroppedPixelsWarning):
            assert ng.PatchGeometry((2**20, 1), 2, 3, 1, "circular").dropped_pixels > 2**18
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()
