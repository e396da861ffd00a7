"""The number of activation patterns."""

from __future__ import annotations

from math import comb

from ..errors import InvalidInputError


def count_patterns(n: int, rank: int) -> int:
    r"""Number of activation patterns of n rows of that rank in general position, an upper bound otherwise.

    .. math:: P = 2 \sum_{k=0}^{r-1} \binom{n-1}{k}

    Parameters
    ----------
    n : int
        Rows, no two of them collinear (collinear rows count once), >= 1.
    rank : int
        Rank r of the rows, 1 <= r.

    Raises
    ------
    InvalidInputError
        For n < 1 or rank < 1.

    Notes
    -----
    Source: Cover (1965); [A.2] of Pilanci & Ergen (2020).

    Examples
    --------
    >>> import neuralgauge as ng
    >>> ng.count_patterns(1000, 3)
    999002
    """
    if n < 1 or rank < 1:
        raise InvalidInputError(f"`n` and `rank` must be at least 1, got n={n} and rank={rank}.")
    return 2 * sum(comb(n - 1, k) for k in range(min(rank, n)))
