"""Data sets: verified, or refused with a sentence that says what to do."""

import hashlib
import tracemalloc
import zipfile

import numpy as np
import pytest

from neuralgauge import MissingDataError
from neuralgauge_reproduction import Scale, registry
from neuralgauge_reproduction.images import two_classes


@pytest.fixture
def table(monkeypatch, rng):
    """A small set under the name of Boston, with its own digest."""
    X, y = rng.standard_normal((6, 3)), rng.standard_normal(6)
    source = registry.SOURCES["boston"]
    known = registry.digest({"X": X, "y": y})
    changed = registry.Source(
        source.name, source.title, source.file, source.openml, known, source.select, registry._shapes(6, 3)
    )
    monkeypatch.setitem(registry.SOURCES, "boston", changed)
    return X, y


def test_from_a_folder(tmp_path, table):
    X, y = table
    np.savez(tmp_path / "boston.npz", X=X, y=y, more=np.ones(2))
    data = registry.load("boston", tmp_path)
    np.testing.assert_array_equal(data.X, X)
    np.testing.assert_array_equal(data.y, y)
    assert data.verified
    assert "boston.npz" in data.origin


def test_another_checksum_is_refused_unless_allowed(tmp_path, table):
    X, y = table
    np.savez(tmp_path / "boston.npz", X=X[::-1], y=y)
    with pytest.raises(MissingDataError, match=r"checksum .* must be .*got .*--unverified"):
        registry.load("boston", tmp_path)
    data = registry.load("boston", tmp_path, unverified=True)
    assert not data.verified
    np.testing.assert_array_equal(data.X, X[::-1])


def test_missing_file_says_which(tmp_path):
    with pytest.raises(MissingDataError, match=r"Bank \(bank32nh\) is missing: put bank32nh.npz .*--data"):
        registry.load("bank", tmp_path)


def test_a_file_without_arrays(tmp_path):
    np.savez(tmp_path / "kin8nm.npz", Z=np.ones(3))
    with pytest.raises(MissingDataError, match=r"kin8nm.npz .*is not that data set, it has no array 'X'; replace"):
        registry.load("kinematics", tmp_path)


def test_a_file_that_is_no_archive(tmp_path):
    (tmp_path / "kin8nm.npz").write_bytes(b"no archive")
    with pytest.raises(MissingDataError, match=r"it is no NumPy archive"):
        registry.load("kinematics", tmp_path)


def test_pickles_are_not_read(tmp_path):
    np.savez(tmp_path / "kin8nm.npz", X=np.full((8192, 8), {}, dtype=object), y=np.ones(8192))
    with pytest.raises(MissingDataError, match=r"X must hold numbers, got the type .object"):
        registry.load("kinematics", tmp_path)


def test_without_a_folder_the_fetcher_is_asked(table):
    X, y = table
    asked = []

    def fetch(source):
        asked.append(source.openml)
        return {"X": X, "y": y}

    data = registry.load("boston", fetch=fetch)
    assert asked == [531]
    assert data.verified
    assert data.origin == "OpenML, set 531"


def test_no_network_is_a_sentence():
    def fetch(_):
        raise ConnectionError("no route")

    with pytest.raises(MissingDataError, match=r"OpenML gave no answer \(ConnectionError\).*--data"):
        registry.load("boston", fetch=fetch)


def test_images_of_two_classes_in_their_order(tmp_path, rng):
    y = rng.integers(0, 10, 3000)
    y_test = rng.integers(0, 10, 1500)
    X, X_test = (rng.integers(0, 256, (len(labels), 32, 32, 3), dtype=np.uint8) for labels in (y, y_test))
    np.savez(tmp_path / "cifar10.npz", X=X, y=y, X_test=X_test, y_test=y_test)
    data = registry.load("cifar10", tmp_path, unverified=True)
    chosen = [i for i in range(len(y)) if y[i] in (0, 1)][: registry.IMAGES]
    np.testing.assert_array_equal(data.X, X[chosen])
    np.testing.assert_array_equal(data.y, y[chosen])
    assert len(data.X_test) == registry.TEST_IMAGES
    assert set(data.y_test) == {0, 1}


def test_digest_is_of_names_shapes_types_and_values():
    arrays = {"y": np.array([1.5]), "X": np.array([[2.0, 3.0]])}
    by_hand = hashlib.sha256()
    for text, values in (("X (1, 2) <f8", arrays["X"]), ("y (1,) <f8", arrays["y"])):
        by_hand.update(text.encode() + values.tobytes())
    assert registry.digest(arrays) == by_hand.hexdigest()
    assert registry.digest({**arrays, "X": arrays["X"].T}) != by_hand.hexdigest()
    assert registry.digest({**arrays, "X": arrays["X"].astype(">f8")}) == by_hand.hexdigest()


def write(folder, name="boston.npz", **arrays):
    np.savez(folder / name, **{"X": np.ones((6, 3)), "y": np.ones(6), **arrays})


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"X": np.ones((6, 4))}, r"X must have the shape \(6, 3\), got \(6, 4\)"),
        ({"X": np.ones((6, 3, 1))}, r"X must have the shape \(6, 3\), got \(6, 3, 1\)"),
        ({"X": np.ones((0, 3)), "y": np.ones(0)}, r"X must have the shape \(6, 3\), got \(0, 3\)"),
        ({"y": np.ones(5)}, r"y must have the shape \(6,\) or \(6, 1\), got \(5,\)"),
        ({"y": np.ones(())}, r"y must have the shape \(6,\) or \(6, 1\), got \(\)"),
        ({"X": np.full((6, 3), "red")}, "X must hold numbers, got the type .<U3"),
        ({"X": np.full((6, 3), 1j)}, "X must hold numbers, got the type .complex128"),
        ({"X": np.full((6, 3), "2020-01-01", dtype="M8[D]")}, "X must hold numbers, got the type .datetime64"),
        ({"X": np.zeros((6, 3), dtype=[("größe", "f8")])}, "X "),
        ({"X": np.where(np.eye(6, 3), np.nan, 0.0)}, r"X must hold finite numbers, got nan at \[0, 0\]"),
        ({"y": np.array([1, 2, np.inf, 3, 4, 5], dtype="f4")}, r"y must hold finite numbers, got inf at \[2\]"),
    ],
)
@pytest.mark.parametrize("unverified", [False, True])
def test_arrays_that_are_not_the_set(tmp_path, table, arrays, sentence, unverified):
    write(tmp_path, **arrays)
    with pytest.raises(
        MissingDataError, match=rf"^Boston Housing: boston.npz .*not that data set, {sentence}.*replace"
    ):
        registry.load("boston", tmp_path, unverified=unverified)


def npy(shape, data=b"", descr="<f8", version=1):
    """An array as a file, whose header may say more than is there."""
    header = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode() + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + len(header).to_bytes(2 if version == 1 else 4, "little") + header + data


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (npy((10**6, 10**6)), r"X must have the shape \(6, 3\), got \(1000000, 1000000\)"),
        (npy((10**12, 3), version=2), r"X must have the shape"),
        (npy((6, -3)), r"X must have the shape"),
        (npy((6, 3), descr="|V1000000000"), "X must hold numbers, got the type"),
        (npy((6, 3), b"\0" * 8), "it cannot be read: .*EOF"),
        (npy((6, 3), version=9), "X is of version"),
        (npy(()).replace(b"{", b"(" * 5000), "it cannot be read"),
        (npy((6, 3)).replace(b"descr", b"de\0cr"), "it cannot be read"),
        (b"\x93NUM", "it cannot be read"),
        (b"X,y\n1,2\n", "it cannot be read"),
        (b"", "it cannot be read"),
    ],
)
def test_headers_that_lie(tmp_path, table, content, sentence):
    with zipfile.ZipFile(tmp_path / "boston.npz", "w") as archive:
        archive.writestr("X.npy", content)
    with pytest.raises(MissingDataError, match=rf"not that data set, {sentence}") as caught:
        registry.load("boston", tmp_path, unverified=True)
    assert len(str(caught.value)) < 300


def test_bombs_are_not_unpacked(tmp_path, table):
    """Half a gigabyte in half a megabyte: neither where the header says so, nor after a modest header."""
    for shape, allowed in (((2**26, 1), False), ((6, 3), True)):
        with (
            zipfile.ZipFile(tmp_path / "boston.npz", "w", zipfile.ZIP_DEFLATED) as archive,
            archive.open("X.npy", "w", force_zip64=True) as file,
        ):
            file.write(npy(shape))
            for _ in range(64):
                file.write(bytes(2**20))
        tracemalloc.start()
        with pytest.raises(MissingDataError, match="it has no array 'y'" if allowed else "must have the shape"):
            registry.load("boston", tmp_path, unverified=True)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 2**22


def test_damaged_archives_are_sentences(tmp_path, table):
    """Cut short anywhere, or with a byte changed anywhere: read as it was, or refused."""
    X, y = table
    np.savez_compressed(tmp_path / "whole.npz", X=X, y=y)
    content = (tmp_path / "whole.npz").read_bytes()
    damaged = [content[:size] for size in range(0, len(content), 23)]
    for position in range(0, len(content), 3):
        damaged += [
            content[:position] + bytes([content[position] ^ flip]) + content[position + 1 :] for flip in (1, 128)
        ]
    messages = []
    for one in damaged:
        (tmp_path / "boston.npz").write_bytes(one)
        try:
            data = registry.load("boston", tmp_path)
        except MissingDataError as error:
            messages.append(str(error))
        else:
            np.testing.assert_array_equal(data.X, X)
    assert len(messages) > len(damaged) // 2
    assert max(map(len, messages)) < 300


def test_no_archive_at_all(tmp_path, table):
    np.save(tmp_path / "boston.npy", np.ones((6, 3)))
    (tmp_path / "boston.npy").rename(tmp_path / "boston.npz")
    with pytest.raises(MissingDataError, match="it is no NumPy archive"):
        registry.load("boston", tmp_path)
    (tmp_path / "boston.npz").unlink()
    (tmp_path / "boston.npz").mkdir()
    with pytest.raises(MissingDataError, match=r"put boston.npz with the arrays X, y into"):
        registry.load("boston", tmp_path)
    with pytest.raises(MissingDataError, match=r"put boston.npz"):
        registry.load("boston", tmp_path / ("m" * 300))


def images(rng, n=1000, **changes):
    arrays = {"X": rng.integers(0, 256, (n, 3072), dtype=np.uint8), "y": np.arange(n) % 2}
    return {**arrays, "X_test": arrays["X"], "y_test": arrays["y"], **changes}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"y": np.arange(1000) % 10}, "y must hold the labels 0 and 1, both among the first 400 of them, got 200"),
        ({"y_test": np.zeros(1000)}, "y_test must hold the labels 0 and 1, both among the first 190"),
        ({"y": np.zeros(999)}, "X and y must be of one length, got 1000 and 999"),
        ({"X": np.full((1000, 3072), 0.5, dtype=np.float32)}, "X must hold whole numbers from 0 to 255"),
        ({"X_test": np.full((1000, 3072), 256, dtype=np.int16)}, "X_test must hold whole numbers from 0 to 255"),
        ({"X": np.full((1000, 3072), -1e300)}, "X must hold whole numbers from 0 to 255"),
        ({"X": np.zeros((1000, 32, 32), dtype=np.uint8)}, r"X must have the shape \(n, 32, 32, 3\) or \(n, 3072\)"),
        ({"X": np.zeros((60001, 0), dtype=np.uint8)}, r"X must have the shape"),
    ],
)
def test_images_that_are_not_the_set(tmp_path, rng, changes, sentence):
    np.savez(tmp_path / "cifar10.npz", **images(rng, **changes))
    with pytest.raises(MissingDataError, match=sentence):
        registry.load("cifar10", tmp_path, unverified=True)


def test_the_quick_form_takes_a_folder_where_one_is_given(tmp_path, table):
    X, y = table
    np.savez(tmp_path / "boston.npz", X=X, y=y)
    assert Scale(quick=True).stands_in
    assert not Scale(quick=True, folder=tmp_path).stands_in
    assert not Scale(folder=tmp_path).stands_in
    with pytest.raises(MissingDataError, match="CIFAR-10 is missing"):
        two_classes(Scale(quick=True, folder=tmp_path))
