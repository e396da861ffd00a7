"""`neuralgauge patterns`: how many activation patterns a table has."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import typer

from .._array import with_ones
from ..errors import TooManyPatternsError
from ..patterns import count_patterns, enumerate_patterns
from ..preparation import Standardization
from .columns import matrix
from .exit_codes import DONE
from .options import Bias, Data, Drop, Json, plain_errors
from .report import print_json, print_lines
from .tables import read_table


@plain_errors
def patterns(
    data: Data,
    target: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Target column, left out; repeatable.")
    ] = None,
    bias: Bias = True,
    drop: Drop = None,
    max_patterns: Annotated[int, typer.Option(min=1, help="The most that may be listed to count them.")] = 100_000,
    as_json: Json = False,
) -> int:
    """Count the activation patterns of DATA: the sets of rows on which one neuron can be active.

    They are counted by listing them where they are few enough; else the bound for rows in general position is given.
    """
    table = read_table(data).without([*(drop or ()), *(target or ())])
    X = matrix(table, table.columns)
    # With a bias, centring and scaling change no pattern and make the numerical rank certain.
    design = with_ones(Standardization.fit(X, names=table.columns).features(X)) if bias else X
    rank = int(np.linalg.matrix_rank(design))
    bound = int(count_patterns(len(design), rank))
    count, reason = None, ""
    try:
        count = len(enumerate_patterns(design, max_patterns=max_patterns))
    except TooManyPatternsError as error:
        reason = str(error)
    if as_json:
        fields = {"n": len(design), "d": design.shape[1], "rank": rank, "bound": bound, "count": count}
        print_json({**fields, "listed": count is not None, "reason": reason or None, "max_patterns": max_patterns})
        return DONE
    ones = " (one of them the constant of the bias)" if bias else ""
    lines = [
        ("rows", str(len(design))),
        ("columns", f"{design.shape[1]}{ones}"),
        ("rank", str(rank)),
        ("patterns", f"at most {_readable(bound)}" if count is None else f"{count} (listed one by one)"),
    ]
    print_lines(lines + ([("not listed", reason)] if reason else [("bound", _readable(bound))]))
    return DONE


def _readable(count: int) -> str:
    return f"{count:,}" if count < 10**15 else f"about 10^{len(str(count)) - 1}"
