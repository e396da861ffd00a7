"""Rows that are equal up to rounding, against a comparison of every pair."""

import numpy as np
import pytest

from neuralgauge.features.grouping import group_rows


def slow_groups(rows, tolerance):
    """Labels in order of first appearance, by passing the least label on until nothing changes."""
    near = np.linalg.norm(rows[:, None] - rows[None], axis=2) <= tolerance
    label = np.arange(len(rows))
    while True:
        least = np.where(near, label[None], len(rows)).min(axis=1)
        if np.array_equal(least, label):
            return np.unique(label, return_inverse=True)[1]
        label = least


@pytest.mark.parametrize("seed", range(6))
def test_against_every_pair(seed):
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((12, 1 + seed % 3))[rng.integers(12, size=60)]
    rows = rows + 1e-9 * rng.integers(-1, 2, rows.shape)
    label, first = group_rows(rows, 1.1e-9)
    np.testing.assert_array_equal(label, slow_groups(rows, 1.1e-9))
    np.testing.assert_array_equal(label[first], np.arange(len(first)))
    assert all(first[k] == np.flatnonzero(label == k)[0] for k in range(len(first)))


def test_many_equal_rows_take_little_memory():
    """All their pairs would be 3 GB."""
    label, first = group_rows(np.repeat([[1.0, 2.0], [0.0, 1.0]], 20_000, axis=0), 1e-12)
    assert first.tolist() == [0, 20_000]
    assert label.tolist() == [0] * 20_000 + [1] * 20_000


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_nothing_to_compare(shape):
    label, first = group_rows(np.zeros(shape), 1e-12)
    assert label.tolist() == [0] * shape[0]
    assert first.tolist() == [0] * min(shape[0], 1)
