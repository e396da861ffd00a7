"""Bounds on the optimum over time, and the line style of a bound by its scope."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._array import Array
from ..certificate import PROVEN, Certificate
from ..interchange import StatedCertificate
from ..solvers.solution import Solution

SMALLEST = float(np.finfo(float).eps)  # of a gap that is drawn
LINE_STYLES = {"exact": "-", "bounded": "-", "patterns": "-.", "estimated": "--"}


def bounds_over_time(solution: Solution[Any]) -> tuple[Array, Array, Array]:
    """Seconds, upper and lower bounds: the history and then the certificate; what is infinite is NaN.

    Bounds of the history are not proven, and objectives of `neural_gauge` have a misfit; each is therefore replaced by
    that of the certificate where it is better, and the scope of the certificate holds for all.
    """
    certificate = solution.certificate
    rows = [
        (record.seconds, max(record.objective, certificate.upper), min(record.lower_bound, certificate.lower))
        for record in solution.history
    ]
    last = max([solution.seconds, *(record.seconds for record in solution.history)])
    table = np.array([*rows, (last, certificate.upper, certificate.lower)])
    seconds, upper, lower = np.where(np.isfinite(table), table, np.nan).T
    return seconds, upper, lower


def gaps(upper: Array, lower: Array) -> Array:
    """Return `Certificate.gap` of each pair of bounds, at least SMALLEST; NaN where it is not finite."""
    between = upper - lower
    of_zero = np.where(between > 0.0, np.nan, between)
    return np.maximum(np.divide(between, np.abs(upper), out=of_zero, where=upper != 0.0), SMALLEST)


def label_seconds(place: Any) -> None:
    """Label the time axis, and start a linear one at 0."""
    place.set_xlabel("seconds")
    if place.get_xscale() == "linear":
        place.set_xlim(left=0.0)


def scope_of(certificate: Certificate) -> str:
    """Return the scope for a legend, with a remark where a file states it."""
    scope = f"{certificate.scope}, one output a neuron" if certificate.separate else certificate.scope
    return f"{scope} as a file states" if isinstance(certificate, StatedCertificate) else scope


def line_style(certificate: Certificate) -> str:
    """Return the style of the scope, that of "estimated" for what a file states."""
    return LINE_STYLES["estimated" if isinstance(certificate, StatedCertificate) else certificate.scope]


def proves_less(certificate: Certificate) -> bool:
    """Whether there is a proven bound beside one that is not."""
    return certificate.scope not in PROVEN and bool(np.isfinite(certificate.proven))


def proven_style(certificate: Certificate) -> dict[str, Any]:
    """Return how the level line of what is proven is drawn: solid and thin, dashed for what a file states."""
    return {"linestyle": "--" if isinstance(certificate, StatedCertificate) else "-", "linewidth": 0.8}
