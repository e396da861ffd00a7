"""Certificates in words, for readers who know no theory."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from .quoting import rounded_down, rounded_up

Certificate = Any  # of the module that imports this one

LEAST_PERCENT = Fraction(1, 1000)  # said in place of smaller ones
WHAT_IS_BETTER = "Better means a lower training objective: the loss on these rows plus the penalty on the weights."


def certified(certificate: Certificate) -> str:
    """What `Certificate.in_words` returns."""
    upper, lower = certificate.upper, certificate.lower
    if not math.isfinite(upper) or math.isnan(lower):
        return "The training objective or its bound is not a finite number, so nothing is known of better networks."
    if certificate.gap < 0.0:
        return "The lower bound is above the training objective, so one of the two is wrong and nothing is certified."
    if lower == -math.inf:
        return "Nothing is known about how much better another network can be: there is no lower bound."
    if certificate.scope in ("exact", "bounded"):
        return f"{_for_every_network(certificate, lower)} {WHAT_IS_BETTER}"
    if certificate.scope == "patterns":
        among = f"No network with these activation patterns{_restricted(certificate)}"
        said = f"{among} can {_better(upper, lower, certificate.gap)} (proven); other networks may."
    else:
        better = _better(upper, lower, certificate.gap, be="is", have="has")
        said = f"A search found no network{_restricted(certificate)} that {better}; {_no_proof(certificate)}."
    if certificate.proven_gap < 1.0:
        said += f" {_for_every_network(certificate, certificate.proven)}"
    return f"{said} {WHAT_IS_BETTER}"


def _for_every_network(certificate: Certificate, bound: float) -> str:
    """The sentence on a bound that is proven for every width."""
    among = f"No network of any size{_restricted(certificate)}"
    others = "; other networks may" if certificate.separate or certificate.constrained else ""
    return f"{among} can {_better(certificate.upper, bound, certificate.proven_gap)} (proven){others}."


def _restricted(certificate: Certificate) -> str:
    if certificate.constrained:
        return " whose neurons obey the constraints"
    return " whose neurons serve one output each" if certificate.separate else ""


def _better(upper: float, bound: float, gap: float, *, be: str = "be", have: str = "have") -> str:
    """What no network does: be better by a share of the objective, or have one below the bound."""
    if gap == 0.0:
        return f"{be} better on these rows by more than rounding"
    if gap < 1.0:
        percent = 100 * (Fraction(upper) - Fraction(bound)) / abs(Fraction(upper))
        return f"{be} more than {rounded_up(max(percent, LEAST_PERCENT))} % better on these rows"
    return f"{have} a training objective below {rounded_down(bound, 4)} on these rows, where this one has {upper:.4g}"


def _no_proof(certificate: Certificate) -> str:
    if certificate.support and certificate.weak:
        return "that is not a proof, and the search was too short to say much"
    return "that is not a proof"
