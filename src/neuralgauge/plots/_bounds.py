"""What is known of the optimum over time, and how a bound is drawn so that no search looks like a proof."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._array import Array
from ..certificate import Certificate
from ..interchange import StatedCertificate
from ..solvers.solution import Solution

LINE_STYLES = {"exact": "-", "bounded": "-", "patterns": "-.", "estimated": "--"}


def bounds_over_time(solution: Solution) -> tuple[Array, Array, Array]:
    """Seconds, upper and lower bounds: the history and then the certificate; what is infinite is NaN.

    Records come before their bounds are proven, and objectives of `neural_gauge` have a misfit, so none is taken to be
    better than the certificate: then all of them hold as far as its scope goes.
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


def label_seconds(place: Any) -> None:
    """The axis of time, from the start of the runs on."""
    place.set_xlabel("seconds")
    if place.get_xscale() == "linear":
        place.set_xlim(left=0.0)


def scope_of(certificate: Certificate) -> str:
    """The scope for a legend, and whether it is no more than what a file states."""
    scope = f"{certificate.scope}, one output a neuron" if certificate.separate else certificate.scope
    return f"{scope} as a file states" if isinstance(certificate, StatedCertificate) else scope


def line_style(certificate: Certificate) -> str:
    """Solid for what was proven; what a file states was not."""
    return LINE_STYLES["estimated" if isinstance(certificate, StatedCertificate) else certificate.scope]
