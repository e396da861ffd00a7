"""Data sets of the experiments: from a local folder, from scikit-learn or from OpenML, verified by checksums."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import neuralgauge as ng

from ._array import Array
from .archive import Shape, read_archive

Arrays = dict[str, Any]  # of floats or bytes
CLASSES = (0, 1)  # of CIFAR-10: airplanes and automobiles
IMAGES, TEST_IMAGES = 400, 190  # of these classes, the first ones in the order of the set


@dataclass(frozen=True)
class Source:
    """A public data set: how OpenML numbers it, its file in a folder and the arrays in there, and their digest."""

    name: str
    title: str
    file: str
    openml: int
    digest: str
    select: Callable[[Arrays], Arrays] = field(repr=False)
    shapes: Mapping[str, Sequence[Shape]] = field(repr=False)


@dataclass(frozen=True)
class Data:
    """Arrays of a set and where they came from; `verified` says whether the checksum is the known one."""

    X: Array
    y: Array
    X_test: Array
    y_test: Array
    origin: str
    verified: bool


def _table(arrays: Arrays) -> Arrays:
    """A regression table, all rows; experiments split it."""
    X = np.ascontiguousarray(arrays["X"], dtype=np.float64)
    return {"X": X, "y": np.ascontiguousarray(arrays["y"], dtype=np.float64).reshape(len(X))}


def _two_classes(arrays: Arrays) -> Arrays:
    """The first images of two classes, (n, 32, 32, 3) in bytes, and labels 0 and 1; the test part likewise."""
    result: Arrays = {}
    for suffix, count in (("", IMAGES), ("_test", TEST_IMAGES)):
        X, y = np.asarray(arrays["X" + suffix]), np.asarray(arrays["y" + suffix]).reshape(-1)
        if len(X) != len(y):
            raise ng.InvalidInputError(f"X{suffix} and y{suffix} must be of one length, got {len(X)} and {len(y)}")
        chosen = np.flatnonzero(np.isin(y, CLASSES))[:count]
        if len(chosen) < count or len(np.unique(y[chosen])) < len(CLASSES):
            raise ng.InvalidInputError(
                f"y{suffix} must hold the labels 0 and 1, both among the first {count} of them, got {len(chosen)}"
            )
        if not np.array_equal(X[chosen], np.clip(np.rint(X[chosen]), 0, 255)):
            raise ng.InvalidInputError(f"X{suffix} must hold whole numbers from 0 to 255")
        result["X" + suffix] = np.ascontiguousarray(X[chosen].reshape(len(chosen), 32, 32, 3), dtype=np.uint8)
        result["y" + suffix] = y[chosen].astype(np.int64)
    return result


def _shapes(rows: int, columns: int) -> dict[str, Sequence[Shape]]:
    return {"X": [(rows, columns)], "y": [(rows,), (rows, 1)]}


IMAGE_SHAPES: dict[str, Sequence[Shape]] = {
    "X": [(None, 32, 32, 3), (None, 3072)],
    "y": [(None,), (None, 1)],
    "X_test": [(None, 32, 32, 3), (None, 3072)],
    "y_test": [(None,), (None, 1)],
}
SOURCES = {
    source.name: source
    for source in (
        Source(
            "boston",
            "Boston Housing",
            "boston.npz",
            531,
            "3b72fe8f19c677e8e45248954e04d4e40d9ddced7255cb97d0a9e7c410e52bda",
            _table,
            _shapes(506, 13),
        ),
        Source(
            "kinematics",
            "Kinematics (kin8nm)",
            "kin8nm.npz",
            189,
            "56d8b8520fb6088ceb8db6bec49f24524fbcc3a925e730acd80bc341c733a4dc",
            _table,
            _shapes(8192, 8),
        ),
        Source(
            "bank",
            "Bank (bank32nh)",
            "bank32nh.npz",
            558,
            "93ead728435c480f0963b2ac0766fdfdbbcd9b7ffaf5cf63eee4a11d164d05ab",
            _table,
            _shapes(8192, 32),
        ),
        Source(
            "cifar10",
            "CIFAR-10",
            "cifar10.npz",
            40927,
            "7d30f7593a968e359f609c9bad8cc8df01a0ce5be1ea6168a932d34917f3d145",
            _two_classes,
            IMAGE_SHAPES,
        ),
    )
}


def digest(arrays: Arrays) -> str:
    """SHA-256 of names, shapes, types and bytes of the arrays, in the order of their names."""
    result = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        result.update(f"{name} {array.shape} {array.dtype.newbyteorder('<').str}".encode())
        result.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
    return result.hexdigest()


def load(
    name: str,
    folder: Path | None = None,
    *,
    unverified: bool = False,
    fetch: Callable[[Source], Arrays] | None = None,
) -> Data:
    """A data set by name, verified.

    Parameters
    ----------
    name : {"boston", "kinematics", "bank", "cifar10"}
    folder : Path, optional
        Where `boston.npz`, `kin8nm.npz`, `bank32nh.npz` and `cifar10.npz` lie, with arrays X and y of the published
        shape (and X_test, y_test for images, (n, 32, 32, 3) in the order of the published batches). Without it OpenML
        is asked.
    unverified : bool
        Take arrays whose checksum is not the known one; `Data.verified` is then False.
    fetch : callable, optional
        In place of scikit-learn's fetcher.

    Raises
    ------
    MissingDataError
        If the set is neither in the folder nor reachable, or its file is damaged, holds other arrays or such that are
        not finite numbers, or its checksum differs; the message says what to do.
    """
    source = SOURCES[name]
    if folder is not None:
        origin, arrays = f"{source.file} of the given folder", _from_folder(source, folder)
    else:
        origin, arrays = f"OpenML, set {source.openml}", _fetched(source, fetch or _from_openml)
    try:
        chosen = source.select(arrays)
    except (KeyError, ValueError, TypeError) as error:
        raise ng.MissingDataError(
            f"{source.title}: {origin} is not that data set, {error}; replace the file."
        ) from error
    found = digest(chosen)
    if found != source.digest and not unverified:
        raise ng.MissingDataError(
            f"{source.title}: the checksum of {origin} must be {source.digest[:12]}..., got {found[:12]}...; check the "
            "file and its order, or allow it with `--unverified`."
        )
    X, y = chosen["X"], chosen["y"]
    return Data(X, y, chosen.get("X_test", X[:0]), chosen.get("y_test", y[:0]), origin, found == source.digest)


def _from_folder(source: Source, folder: Path) -> Arrays:
    path = folder / source.file
    if not os.path.isfile(path):
        raise ng.MissingDataError(
            f"{source.title} is missing: put {source.file} with the arrays {', '.join(source.shapes)} into the "
            "`--data` folder."
        )
    try:
        return read_archive(path, source.shapes)
    except ng.InvalidInputError as error:
        raise ng.MissingDataError(
            f"{source.title}: {source.file} of the given folder is not that data set, {error}; replace the file."
        ) from error


def _fetched(source: Source, fetch: Callable[[Source], Arrays]) -> Arrays:
    try:
        return fetch(source)
    except Exception as error:  # the fetcher's own errors are many: HTTP, sockets, parsers, checksums
        raise ng.MissingDataError(
            f"{source.title} is missing: OpenML gave no answer ({type(error).__name__}); give a folder with "
            f"{source.file} by `--data`, or connect to the network."
        ) from error


def _from_openml(source: Source) -> Arrays:
    """By scikit-learn's fetcher, which verifies the checksum of the download itself."""
    from sklearn.datasets import fetch_openml

    X, y = fetch_openml(data_id=source.openml, return_X_y=True, as_frame=False, parser="liac-arff", n_retries=0)
    if source.name != "cifar10":
        return {"X": np.asarray(X, dtype=np.float64), "y": np.asarray(y, dtype=np.float64)}
    # 50,000 images to train and 10,000 to test, planes of colour first.
    images = np.moveaxis(np.asarray(X, dtype=np.uint8).reshape(-1, 3, 32, 32), 1, -1)
    labels = np.asarray(y).astype(np.int64)
    return {"X": images[:50000], "y": labels[:50000], "X_test": images[50000:], "y_test": labels[50000:]}
