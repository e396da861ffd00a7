"""All patterns, against exact integer arithmetic."""

import itertools
import tracemalloc
from math import comb

import numpy as np
import pytest

import neuralgauge as ng


def small_integer_problem(seed):
    """Full of zero, duplicate and collinear rows, common ties and missing ranks."""
    rng = np.random.default_rng(seed)
    n, d, largest = rng.integers(1, [8, 6, 4])
    return rng.integers(-largest, largest, (n, d), endpoint=True)


def larger_integer_problem(seed):
    rng = np.random.default_rng(seed)
    d = int(rng.integers(2, 6))
    n = int(rng.integers(5, {2: 50, 3: 30, 4: 14, 5: 10}[d]))
    largest = int(rng.choice([1, 2, 4, 7, 1000]))
    X = rng.integers(-largest, largest, (n, d), endpoint=True)
    if seed % 3 == 0:
        X[:, -1] = 1
    return X


def pattern_tuples(patterns):
    return [tuple(row) for row in patterns.dense().tolist()]


def check_witnesses(X, patterns):
    products = patterns.witness(np.arange(len(patterns))) @ X.T
    nonzero = np.any(X != 0, axis=1)
    assert np.all(products[:, nonzero] != 0)
    np.testing.assert_array_equal((products >= 0)[:, nonzero], patterns.dense()[:, nonzero])
    assert patterns.dense()[:, ~nonzero].all()


@pytest.mark.parametrize("first_seed", range(0, 400, 50))
def test_agrees_with_exact_arithmetic(first_seed, exact):
    for seed in range(first_seed, first_seed + 50):
        X = small_integer_problem(seed)
        found = pattern_tuples(ng.enumerate_patterns(X))
        assert len(found) == len(set(found)), f"seed {seed}: a pattern twice"
        assert set(found) == exact.open_cells(X.tolist()), f"seed {seed}"


@pytest.mark.parametrize("first_seed", range(0, 200, 50))
def test_count_witnesses_and_uniqueness(first_seed, exact):
    for seed in range(first_seed, first_seed + 50):
        X = larger_integer_problem(seed)
        patterns = ng.enumerate_patterns(X)
        assert len(patterns) == exact.count_cells(X.tolist()), f"seed {seed}"
        assert len(np.unique(patterns.packed, axis=0)) == len(patterns)
        assert patterns.complete
        check_witnesses(X, patterns)


@pytest.mark.parametrize("seed", range(40))
def test_invariances(seed):
    X = larger_integer_problem(seed)
    n, d = X.shape
    rng = np.random.default_rng(seed)
    expected = set(pattern_tuples(ng.enumerate_patterns(X)))

    order = rng.permutation(n)
    permuted = ng.enumerate_patterns(X[order]).dense()
    assert {tuple(row) for row in permuted[:, np.argsort(order)].tolist()} == expected

    lower, upper = (np.tril(rng.integers(-1, 2, (d, d)), -1) + np.eye(d, dtype=int) for _ in range(2))
    assert set(pattern_tuples(ng.enumerate_patterns(X @ lower @ upper.T))) == expected

    # Rounding moves every tie a little here, so this asks for the tolerance, too.
    general = X @ rng.standard_normal((d, d + 1)) * np.exp2(rng.uniform(-40, 40, (n, 1)))
    assert set(pattern_tuples(ng.enumerate_patterns(general))) == expected


@pytest.mark.parametrize(
    ("n", "r"), [(1, 1), (1, 3), (7, 1), (9, 2), (3, 3), (30, 3), (150, 3), (25, 4), (14, 5), (10, 6), (8, 8), (6, 9)]
)
def test_general_position(n, r, rng):
    X = rng.standard_normal((n, r))
    patterns = ng.enumerate_patterns(X)
    distinct = n if r > 1 else 1
    assert len(patterns) == len(np.unique(patterns.packed, axis=0)) == ng.count_patterns(distinct, min(n, r))
    check_witnesses(X, patterns)


@pytest.mark.parametrize(("inputs", "count"), [(2, 14), (3, 104), (4, 1882)])
def test_threshold_functions(inputs, count):
    """The patterns of the cube's corners with a bias are the Boolean threshold functions, whose numbers are known."""
    corners = [[*corner, 1] for corner in itertools.product([0, 1], repeat=inputs)]
    assert len(ng.enumerate_patterns(corners)) == count


def test_offset_columns(exact):
    """Rows that differ in their last digits only, as years or time stamps do."""
    rng = np.random.default_rng(3)
    X = np.column_stack([1_600_000_000 + rng.integers(0, 10**6, (20, 2)), np.ones(20, dtype=int)])
    assert len(ng.enumerate_patterns(X)) == exact.count_cells(X.tolist())


@pytest.mark.parametrize("spread", [1e-4, 1e-6, 1e-8, 1e-10, 1e-15])
def test_nearly_collinear_rows(spread, rng):
    """Cells too thin for double precision are left out and that is said; what is listed is right."""
    centres = np.repeat(rng.standard_normal((5, 3)), 3, axis=0)
    X = centres + spread * rng.standard_normal(centres.shape)
    patterns = ng.enumerate_patterns(X)
    assert len(np.unique(patterns.packed, axis=0)) == len(patterns)
    assert {1e-4: 212, 1e-15: 22}.get(spread, len(patterns)) == len(patterns)
    assert patterns.complete == (spread in (1e-4, 1e-6, 1e-15))
    if spread > 1e-13:
        check_witnesses(X, patterns)


@pytest.mark.parametrize("seed", range(20))
def test_ties_are_closures_of_open_cells(seed):
    """Any u, on hyperplanes or not: where it is off them its pattern is that of some open cell."""
    X = larger_integer_problem(seed)
    cells = ng.enumerate_patterns(X).dense()
    for u in np.random.default_rng(seed).integers(-2, 3, (20, X.shape[1])):
        product = X @ u
        off = product != 0
        assert np.any(np.all(cells[:, off] == (product > 0)[off], axis=1))


@pytest.mark.parametrize("X", [np.zeros((3, 2)), np.zeros((1, 1))])
def test_zero_data_has_one_pattern(X):
    patterns = ng.enumerate_patterns(X)
    assert pattern_tuples(patterns) == [(True,) * len(X)]
    assert patterns.complete
    assert patterns.witness(0).shape == (X.shape[1],)


def test_opposite_and_tiny_rows():
    X = [[1.0, 2.0], [-3.0, -6.0], [0.0, 0.0], [1e-200, 0.0], [1.0, 2.0]]
    expected = {(s, not s, True, t, s) for s in (False, True) for t in (False, True)}
    assert set(pattern_tuples(ng.enumerate_patterns(X))) == expected


def test_inputs_are_left_alone(rng):
    X = rng.standard_normal((12, 3))
    before = X.copy()
    X.setflags(write=False)
    first, second = ng.enumerate_patterns(X), ng.enumerate_patterns(X)
    np.testing.assert_array_equal(X, before)
    np.testing.assert_array_equal(first.packed, second.packed)
    np.testing.assert_array_equal(first.vectors, second.vectors)


def test_refusal_says_how_many_how_large_and_what_to_do(rng):
    with pytest.raises(ng.TooManyPatternsError) as refusal:
        ng.enumerate_patterns(rng.standard_normal((100, 20)))
    message = str(refusal.value)
    bound = 2 * sum(comb(99, k) for k in range(20))
    memory = f"{bound * 100 / 8 / 2**30:.4g} GiB"
    for part in ("100 distinct rows of rank 20", f"{bound:.4g} patterns", memory, "5000000", "sample_patterns"):
        assert part in message
    assert isinstance(refusal.value, MemoryError)
    with pytest.raises(ng.TooManyPatternsError, match="allows 9"):
        ng.enumerate_patterns([[-2, 1], [-1, 1], [0, 1], [1, 1], [2, 1]], max_patterns=9)


def test_refusal_of_a_number_no_float_can_hold(rng):
    with pytest.raises(ng.TooManyPatternsError, match=r"1e3[0-9][0-9] patterns"):
        ng.enumerate_patterns(rng.standard_normal((1100, 600)))


def test_progress_ends_at_one(rng):
    seen = []
    ng.enumerate_patterns(rng.standard_normal((30, 3)), progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


@pytest.mark.parametrize("degenerate", [False, True])
def test_peak_memory(degenerate, rng):
    X = rng.standard_normal((150, 3))
    if degenerate:
        X = np.column_stack([*np.divmod(np.arange(169), 13), np.ones(169)])
    ng.enumerate_patterns(X[:10])
    tracemalloc.start()
    patterns = ng.enumerate_patterns(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert patterns.packed.shape == (len(patterns), -(-len(X) // 8))
    assert peak < 3 * patterns.packed.nbytes


@pytest.mark.slow
@pytest.mark.parametrize(("n", "r", "count"), [(1000, 3, 999_002), (200, 4, 2_627_200)])
def test_large(n, r, count, rng):
    X = rng.standard_normal((n, r))
    patterns = ng.enumerate_patterns(X)
    assert len(patterns) == count
    for index in np.random.default_rng(1).integers(count, size=1000):
        product = X @ patterns.witness(index)
        np.testing.assert_array_equal(product > 0, patterns.dense(index, index + 1)[0])
    assert len(np.unique(patterns.packed, axis=0)) == count


@pytest.mark.slow
def test_threshold_functions_of_five_inputs():
    assert len(ng.enumerate_patterns([[*corner, 1] for corner in itertools.product([0, 1], repeat=5)])) == 94572
