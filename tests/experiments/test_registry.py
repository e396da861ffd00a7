"""Data sets: verified, or refused with a sentence that says what to do."""

import hashlib

import numpy as np
import pytest

from neuralgauge import MissingDataError
from neuralgauge.experiments import registry


@pytest.fixture
def table(monkeypatch, rng):
    """A small set under the name of Boston, with its own digest."""
    X, y = rng.standard_normal((6, 3)), rng.standard_normal(6)
    source = registry.SOURCES["boston"]
    known = registry.digest({"X": X, "y": y})
    changed = registry.Source(source.name, source.title, source.file, source.openml, known, source.select)
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
    with pytest.raises(MissingDataError, match="must hold arrays X and y"):
        registry.load("kinematics", tmp_path)


def test_a_file_that_is_no_archive(tmp_path):
    (tmp_path / "kin8nm.npz").write_bytes(b"no archive")
    with pytest.raises(MissingDataError, match=r"kin8nm.npz could not be read"):
        registry.load("kinematics", tmp_path)


def test_pickles_are_not_read(tmp_path):
    np.savez(tmp_path / "kin8nm.npz", X=np.array([{}, {}], dtype=object), y=np.ones(2))
    with pytest.raises(MissingDataError, match="could not be read"):
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
