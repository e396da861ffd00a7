"""Facets of activation cones against linear programs."""

import numpy as np
import pytest
from scipy.optimize import linprog

from neuralgauge.patterns.facets import facet_rows, violated_rows


def is_facet(A, i):
    """Whether a_i^T w >= 0 is not implied by the other rows of A."""
    others = np.delete(A, i, axis=0)
    found = linprog(A[i], A_ub=-others, b_ub=np.zeros(len(others)), bounds=(-1.0, 1.0), method="highs")
    return found.fun < -1e-9


@pytest.mark.parametrize("d", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("integer", [False, True])
def test_no_facet_is_missed(d, seed, integer):
    rng = np.random.default_rng(seed)
    X = rng.integers(-2, 3, (12, d)).astype(float) if integer else rng.standard_normal((12, d))
    X = np.unique(X[np.any(X != 0.0, axis=1)], axis=0)
    witnesses = rng.standard_normal((5, d))
    rows = facet_rows(X, witnesses, nearest=2)
    for witness, chosen in zip(witnesses, rows, strict=True):
        A = np.sign(X @ witness)[:, None] * X
        for i in range(len(A)):
            # Of two equal constraints (x and -2 x, say) each is implied by the other: one of them is enough.
            twins = np.flatnonzero(np.abs(A @ A[i]) >= np.linalg.norm(A, axis=1) * np.linalg.norm(A[i]) * (1 - 1e-12))
            if len(twins) == 1 and is_facet(A, i):
                assert i in chosen


def test_far_fewer_than_all_in_space_and_the_nearest_above():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 3))
    assert facet_rows(X, rng.standard_normal((20, 3)), nearest=2).shape[1] <= 15
    X = rng.standard_normal((200, 6))
    witness = rng.standard_normal((1, 6))
    rows = facet_rows(X, witness, nearest=4)
    angles = np.abs(X @ witness[0]) / np.linalg.norm(X, axis=1)
    assert sorted(rows[0]) == sorted(np.argsort(angles)[:24])


def test_zero_rows_are_never_facets():
    X = np.vstack([np.zeros((2, 3)), np.random.default_rng(1).standard_normal((8, 3))])
    assert facet_rows(X, np.ones((1, 3)), nearest=2).min() >= 2


@pytest.mark.parametrize("d", [1, 2, 3, 5])
def test_nothing_but_zero_rows_has_no_facets(d):
    assert facet_rows(np.zeros((3, d)), np.ones((2, d)), nearest=2).shape == (2, 0)


@pytest.mark.parametrize("strict", [True, False])
def test_violated_rows_are_added(strict):
    X = np.eye(3)
    gates = np.ones((2, 3), dtype=bool)
    rows = np.array([[0], [0]])
    fine, outside = np.array([1.0, 1.0, 1.0]), np.array([1.0, -1.0, 1.0])
    assert violated_rows(X, gates, rows, np.array([fine, fine]), strict) is None
    more = violated_rows(X, gates, rows, np.array([fine, outside]), strict)
    assert 1 in more[1]
    dust = violated_rows(X, gates, rows, np.array([fine, 1e-5 * outside]), strict)
    assert (dust is None) != strict


def test_zero_rows_and_vanishing_blocks_are_not_violated():
    """Neither has a violation to divide by: products of lengths down to the least float underflow."""
    X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1e-8, 1e-8]])
    gates, rows = np.ones((3, 4), dtype=bool), np.array([[0], [1], [1]])
    for size in (1e-20, 1e-300):
        W = np.array([[1.0, 1.0], [size, size], [0.0, 0.0]])
        assert violated_rows(X, gates, rows, W, strict=True) is None
    more = violated_rows(X, gates, rows, np.array([[1.0, 1.0], [1e-20, -1e-20], [0.0, 0.0]]), strict=True)
    assert 2 in more[1]
