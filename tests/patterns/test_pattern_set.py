"""Packed patterns and their witnesses."""

import numpy as np
import pytest

import neuralgauge as ng


@pytest.fixture
def patterns(rng):
    return ng.enumerate_patterns(rng.standard_normal((11, 3)))


def test_packed_bits_are_the_patterns(patterns):
    np.testing.assert_array_equal(np.packbits(patterns.dense(), axis=1), patterns.packed)
    np.testing.assert_array_equal(patterns.dense(3, 7), patterns.dense()[3:7])
    assert patterns.dense().dtype == bool


def test_witnesses_by_any_index(patterns):
    every = patterns.witness(np.arange(len(patterns)))
    assert every.shape == (len(patterns), 3)
    np.testing.assert_array_equal(patterns.witness(slice(None)), every)
    np.testing.assert_array_equal(patterns.witness(-1), every[-1])
    np.testing.assert_array_equal(patterns.witness([5, 0]), every[[5, 0]])
    assert patterns.witness(0).shape == (3,)


def test_opposites_share_a_witness(patterns):
    half = len(patterns) // 2
    assert patterns.mirrored == len(patterns.vectors) == half
    np.testing.assert_array_equal(patterns.dense(half), ~patterns.dense(0, half))


def test_from_vectors_keeps_the_first_of_each(rng):
    X = rng.standard_normal((6, 2))
    U = rng.standard_normal((5, 2))
    patterns = ng.PatternSet.from_vectors(X, np.vstack([U, 2.0 * U]))
    distinct = list(dict.fromkeys(map(tuple, (U @ X.T >= 0).tolist())))
    assert [tuple(row) for row in patterns.dense().tolist()] == distinct
    np.testing.assert_array_equal(patterns.witness(0), U[0])
    assert not patterns.complete
