"""Table 1: seconds and objectives of descent and of the convex methods on the problems of Figs. 2 to 5."""

from __future__ import annotations

from collections.abc import Mapping

from .baseline import NAME
from .convex import CERTIFIED
from .outcome import Check, Curve, Method, Outcome, Panel
from .scale import Scale

OPTIMUM_OF = ("Optimal", "nuclear norm [12]", "Alg1")  # what the paper's table sets against descent, where it ran
FIGURES = ("fig2", "fig3", "fig4", "fig5")


def table_1(scale: Scale, found: Mapping[str, Outcome]) -> Outcome:
    """From the outcomes of the figures; those that did not run are named."""
    methods = {
        f"{name} {problem}".replace("fig", "Fig. "): those
        for name in FIGURES
        if name in found
        for problem, those in found[name].methods.items()
    }
    names = list(dict.fromkeys(one.name for those in methods.values() for one in those))
    curves = []
    for name in names:
        points = [(problem, one.seconds) for problem, those in methods.items() for one in those if one.name == name]
        curves.append(Curve(name, [problem for problem, _ in points], [seconds for _, seconds in points], "points"))
    missing = tuple(f"{name} did not run, so its column is missing." for name in FIGURES if name not in found)
    return Outcome(
        "Seconds and objectives",
        {"quick": scale.quick},
        (
            "Seconds of descent are those of all trials at once, faster than one after the other, and without the "
            "search for a step size; seconds of Approximate and Alg1 to Alg3 are those of all their trials.",
            "The paper's seconds are of another machine and another solver; only who is faster can be compared.",
        ),
        methods,
        tuple(check for problem, those in methods.items() for check in _check(problem, those)),
        (Panel("seconds", "", "seconds", tuple(curves), (), (False, True)),) if curves else (),
        missing,
    )


def _check(problem: str, methods: tuple[Method, ...]) -> tuple[Check, ...]:
    named = {method.name: method for method in methods}
    convex = next((named[name] for name in OPTIMUM_OF if name in named), None)
    if convex is None or NAME not in named:
        return ()
    descent, ours = named[NAME], named.get(CERTIFIED)
    more = f"; {CERTIFIED} {ours.best:.5g} in {ours.seconds:.2f} s" if ours is not None else ""
    return (
        Check(
            f"{problem}: the convex program has a lower objective in less time.",
            "lower and faster",
            f"{convex.name} {convex.best:.5g} in {convex.seconds:.2f} s, SGD {descent.best:.5g} in "
            f"{descent.seconds:.2f} s{more}",
            convex.best <= descent.best and convex.seconds < descent.seconds,
            f"SGD: the best of {len(descent.objectives)} trials, the seconds of all.",
        ),
    )
