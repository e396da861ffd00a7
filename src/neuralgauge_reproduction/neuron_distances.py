"""Fig. 11: how far the neurons of the program in Fig. 10 are from those of descent."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ._array import Array
from .baseline import NAME
from .convolution import LEAST, ORIGINS
from .outcome import Check, Matrix, Outcome
from .scale import Scale

MATCH = 0.3  # distance of unit vectors that point the same way


def figure_11(scale: Scale, found: Mapping[str, Outcome]) -> Outcome:
    """Distances between the filters of descent and those of Alg1, of the first trial of Fig. 10."""
    filters, stand_in = found["fig10"].kept, found["fig10"].stand_in
    near = {name: _distances(filters[name], filters["descent"]) for name in ORIGINS if len(filters[name])}
    return Outcome(
        "Filters of descent and of the program",
        {"trial": 1, **{f"neurons, {name}": len(one) for name, one in filters.items()}},
        (
            f"Filters shorter than {LEAST:g} of the longest are left out. Rows are ordered by the filter of descent "
            "that is nearest. The program is that of Alg1, over both kinds of patterns at once.",
        ),
        {},
        _checks(filters, near),
        tuple(
            Matrix(f"neurons for {name}", f"neuron of {NAME}", "neuron of the program", one, 2.0)
            for name, one in near.items()
        ),
        stand_in=stand_in,
    )


def _distances(rows: Array, columns: Array) -> Array:
    """|w_i / |w_i| - u_j / |u_j||, rows in the order of their nearest columns."""
    distances = np.linalg.norm(rows[:, None] - columns[None], axis=2)
    result: Array = distances[np.lexsort((distances.min(axis=1), distances.argmin(axis=1)))]
    return result


def _checks(filters: Mapping[str, Array], near: Mapping[str, Array]) -> tuple[Check, ...]:
    least = {name: float(one.min(axis=1).mean()) for name, one in near.items()}
    own = least.get(ORIGINS[0], np.inf)
    return (
        Check(
            "Fig. 11; A.1",
            "Neurons that the program has for the patterns of descent match those found by descent.",
            "they match",
            "mean distance to the nearest neuron of descent: those "
            + ", ".join(f"for {name} {value:.3f}" for name, value in least.items()),
            own <= MATCH,
            f"Counted as a match up to {MATCH:g} on average; random directions are 1.4 apart.",
        ),
        Check(
            "Fig. 11; A.1",
            "The difference to descent comes from the patterns of clusters.",
            "their neurons are others",
            f"{len(filters[ORIGINS[1]])} of {sum(len(filters[name]) for name in ORIGINS)} neurons of the program "
            f"have patterns of clusters" + (f", on average {least[ORIGINS[1]]:.3f} away" if len(least) > 1 else ""),
            least.get(ORIGINS[1], 0.0) > max(own, MATCH),
            "Where the program makes use of a cluster's pattern, its neuron is none of descent's."
            if len(least) > 1
            else "The program makes no use of a cluster's pattern, so its lower objective has another reason: it "
            "solves for the weights that descent only approaches.",
        ),
    )
