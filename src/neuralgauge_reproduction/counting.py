"""Section 3 and A.2: how many patterns there are, and that the rank counts, not the columns."""

from __future__ import annotations

from math import comb, e

import numpy as np

import neuralgauge as ng

from ._array import Array
from .outcome import Check, Curve, Outcome, Panel
from .scale import Scale

MOST = 60  # samples up to which the second bound is looked at


def counting(scale: Scale) -> Outcome:
    """Enumeration against the bounds."""
    rng = np.random.default_rng(0)
    sizes = {2: (5, 10, 20, 40), 3: (5, 10, 20, 40), 4: (5, 10, 20)}
    sets = {(n, r): ng.enumerate_patterns(rng.standard_normal((n, r))) for r, rows in sizes.items() for n in rows}
    found = {size: len(patterns) for size, patterns in sets.items()}
    without = sum(not patterns.dense().all(axis=1).any() for patterns in sets.values())
    curves = (
        *(Curve(f"enumerated, r = {r}", rows, [found[n, r] for n in rows], "marks") for r, rows in sizes.items()),
        *(Curve("2 sum C(n-1, k)", rows, [bound(n, r) for n in rows], "trial") for r, rows in sizes.items()),
        *(Curve("2 r (e (n-1) / r)^r", rows, [loose_bound(n, r) for n in rows], "bound") for r, rows in sizes.items()),
    )
    return Outcome(
        "Activation patterns",
        {"n": [5, 10, 20, 40], "r": list(sizes)},
        ("Normal random rows, which are in general position.",),
        checks=(_general(found, without), _degenerate(rng), _loose(), _rank(rng), _order(found)),
        panels=(Panel("patterns", "n", "P", curves, (), (True, True)),),
    )


def bound(n: int, r: int) -> int:
    """2 sum_{k < r} C(n-1, k)."""
    return 2 * sum(comb(n - 1, k) for k in range(r))


def loose_bound(n: int, r: int) -> float:
    """2 r (e (n-1) / r)^r."""
    return float(2.0 * r * (e * (n - 1) / r) ** r)


def _general(found: dict[tuple[int, int], int], without: int) -> Check:
    return Check(
        "A.2",
        "In general position P = 2 sum_{k < r} C(n-1, k).",
        "equal",
        f"{len(found)} matrices, n to 40, r = 2, 3, 4; at (20, 4): {found[20, 4]} enumerated, formula {bound(20, 4)}",
        all(count == bound(n, r) for (n, r), count in found.items()),
        "Of open cells. As D_i is defined, for arbitrary u, u = 0 adds the pattern of all ones where no cell has it, "
        f"here in {without} matrices, one more than the formula; its cone is {{0}}, so [8] does not need it.",
    )


def _degenerate(rng: np.random.Generator) -> Check:
    X = rng.integers(-1, 2, (12, 3)).astype(float)
    rank = int(np.linalg.matrix_rank(X))
    count = len(ng.enumerate_patterns(X))
    return Check(
        "section 3; A.2",
        "P is at most 2 sum_{k < r} C(n-1, k) for every X.",
        "at most",
        f"12 rows of -1, 0 and 1, rank {rank}: {count}, bound {bound(12, rank)}",
        count <= bound(12, rank),
        "Rows that are equal or on one line share their hyperplanes.",
    )


def _loose() -> Check:
    wrong = [(n, r) for n in range(2, MOST + 1) for r in range(1, n + 1) if bound(n, r) > loose_bound(n, r)]
    return Check(
        "section 3; Remark 3.2",
        "2 sum_{k < r} C(n-1, k) <= 2 r (e (n-1) / r)^r for r <= n.",
        "for r <= n",
        f"{len(wrong)} exceptions for 2 <= n <= {MOST} and r <= n",
        not wrong,
        f"For n = r = 1 the left side is {bound(1, 1)} and the right side {loose_bound(1, 1):g}.",
    )


def _rank(rng: np.random.Generator) -> Check:
    X = rng.standard_normal((15, 2)) @ rng.standard_normal((2, 6))
    left = np.linalg.svd(X, full_matrices=False)[0][:, :2]
    one, other = _distinct(ng.enumerate_patterns(X)), _distinct(ng.enumerate_patterns(left))
    return Check(
        "A.2",
        "X has the patterns of the left factor of its singular value decomposition, so d may be replaced by the rank.",
        "the same patterns",
        f"15 x 6 of rank 2: {len(one)} patterns, {len(one & other)} of them among the {len(other)} of the factor",
        one == other,
        "X z = U (Sigma V^T z), and Sigma V^T has full row rank.",
    )


def _distinct(patterns: ng.PatternSet) -> set[bytes]:
    return {row.tobytes() for row in np.asarray(patterns.packed)}


def _order(found: dict[tuple[int, int], int]) -> Check:
    growth: Array = np.log2([found[40, 2] / found[20, 2], found[40, 3] / found[20, 3], found[20, 4] / found[10, 4]])
    return Check(
        "A.2",
        "Cells can be enumerated in a number of steps polynomial in n, O(n^r).",
        "O(n^r)",
        f"exponent of P from the last doubling of n, r = 2, 3, 4: {', '.join(f'{one:.2f}' for one in growth)}",
        bool(np.all(growth <= [2.0, 3.0, 4.0])),
        "P itself grows as n^(r-1); the enumeration here visits each cell once.",
    )
