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
