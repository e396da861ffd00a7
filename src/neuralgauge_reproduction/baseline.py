"""Descent as a method among others: its networks evaluated by the library, its traces as curves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from .descent import Trace, Training, descend
from .outcome import Curve, Method

NAME = "SGD"
Score = Callable[[Any], float]


@dataclass(frozen=True)
class Baseline:
    """What descent found.

    Attributes
    ----------
    method : Method
    objectives, scores : tuple of Curve
        Over the iterations, one a trial; scores where the networks are tested.
    networks : tuple
        Of the trials at the end.
    trace : Trace
    """

    method: Method
    objectives: tuple[Curve, ...]
    scores: tuple[Curve, ...]
    networks: tuple[Any, ...]
    trace: Trace

    def over_time(self, curves: tuple[Curve, ...]) -> tuple[Curve, ...]:
        """The curves over the mean seconds of a trial until then."""
        seconds = (self.trace.times / len(self.networks)).tolist()
        return tuple(replace(curve, x=seconds) for curve in curves)


def baseline(
    training: Training, network_of: Callable[[Any, Any], Any], objective: Score, score: Score | None = None
) -> Baseline:
    """Descend, then evaluate: `network_of` takes weights (U, A) to a network, `objective` and `score` judge it."""
    trace = descend(training)
    networks = tuple(network_of(U, A) for U, A in trace.weights)
    steps = trace.iterations.tolist()
    tested = () if score is None else tuple(map(score, networks))
    method = Method(
        NAME,
        tuple(objective(network) for network in networks),
        trace.seconds,
        tested,
        n_neurons=training.n_neurons,
        note=f"{training.trials} trials at once; step size {trace.step:g}, the best of those tried",
    )
    curves = tuple(Curve(NAME, steps, values) for values in trace.objectives.T.tolist())
    scores: tuple[Curve, ...] = ()
    if score is not None:
        scores = tuple(
            Curve(NAME, steps, [score(network_of(U[k], A[k])) for U, A in trace.snapshots])
            for k in range(training.trials)
        )
    return Baseline(method, curves, scores, networks, trace)
