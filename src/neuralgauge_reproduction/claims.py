"""What the paper says of Alg1 to Alg3 against descent (Figs. 4 and 7 to 10), checked as it stands."""

from __future__ import annotations

from typing import Literal

import numpy as np

from .baseline import NAME
from .convex import ALGORITHMS, CERTIFIED
from .outcome import Check, Method

OF_PAPER = (NAME, *ALGORITHMS)


def claims(place: str, methods: tuple[Method, ...], score: Literal["test error", "test accuracy"]) -> tuple[Check, ...]:
    """Alg1 is first in objective and in score, by means over the trials; and how far it is from the best network."""
    named = {method.name: method for method in methods}
    objective = {name: float(np.mean(one.objectives)) for name, one in named.items()}
    scores = {name: float(np.mean(one.scores)) for name, one in named.items()}
    first = (min if score == "test error" else max)(scores[name] for name in OF_PAPER)
    alg1, ours = named["Alg1"], named[CERTIFIED]
    pairs = list(zip(alg1.objectives, named[NAME].objectives, strict=True))
    adjective = "lowest" if score == "test error" else "highest"
    return (
        Check(
            place,
            "Alg1 has the lowest objective.",
            "Alg1 lowest",
            listed(objective, OF_PAPER, ".5g"),
            objective["Alg1"] == min(objective[name] for name in OF_PAPER),
            "Means over the trials. The trained network is a feasible point of Alg1's program: the program ends no "
            f"higher in {sum(one <= other for one, other in pairs)} of {len(pairs)} trials.",
        ),
        Check(
            place,
            f"Alg1 has the {adjective} {score}.",
            f"Alg1 {adjective}",
            listed(scores, OF_PAPER, ".4f"),
            scores["Alg1"] == first,
            "Means as they are, without a margin for chance; a lower objective does not promise it.",
        ),
        Check(
            f"beyond {place}",
            "How far all of them are from the best network of any width.",
            "not known",
            f"column generation {ours.best:.5g}, {score} {scores[CERTIFIED]:.4f}, lower bound {ours.lower:.5g} "
            f"({ours.scope}); Alg1 lies {objective['Alg1'] / float(ours.lower or np.nan) - 1.0:.1%} above the bound",
            None,
            "The paper gives no bound.",
        ),
    )


def listed(values: dict[str, float], names: tuple[str, ...], digits: str) -> str:
    """The means of these methods in a sentence."""
    return "means: " + ", ".join(f"{name} {values[name]:{digits}}" for name in names)
