"""The number of patterns in general position."""

import pytest

import neuralgauge as ng


@pytest.mark.parametrize(
    ("n", "rank", "count"), [(1, 1, 2), (5, 1, 2), (5, 2, 10), (4, 3, 14), (3, 3, 8), (50, 3, 2452), (1000, 3, 999_002)]
)
def test_known_counts(n, rank, count):
    assert ng.count_patterns(n, rank) == count


@pytest.mark.parametrize("rank", range(1, 8))
def test_deletion_and_restriction(rank):
    """A further row cuts as many cells as there are in one dimension less."""
    for n in range(rank, 12):
        assert ng.count_patterns(n + 1, rank + 1) == ng.count_patterns(n, rank + 1) + ng.count_patterns(n, rank)


@pytest.mark.parametrize("n", [1, 5, 12])
def test_every_sign_vector_for_independent_rows(n):
    assert ng.count_patterns(n, n) == ng.count_patterns(n, n + 3) == 2**n


@pytest.mark.parametrize(("n", "rank"), [(0, 1), (3, 0), (-1, 2)])
def test_wrong_arguments(n, rank):
    with pytest.raises(ng.InvalidInputError, match=f"at least 1, got n={n} and rank={rank}"):
        ng.count_patterns(n, rank)
