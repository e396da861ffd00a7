"""The bound that `prove_bound` proves for one degenerate problem, held against the objective of the best network found.

That objective is computed in sixty digits, so a bound that is above the truth by its last bit is noticed.
"""

from __future__ import annotations

import decimal
import warnings
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import numpy as np
from degenerate.optimum import Data
from degenerate.problems import case_of
from degenerate.report import weights_of
from registry.losses import EXACT
from threadpoolctl import threadpool_limits

import neuralgauge as ng
from neuralgauge.relaxation import prove

MOST_RANK = 3  # up to which training prices exactly, and its network is the optimum
PROOFS = 2, 30  # after so many a call is interrupted, on every machine: in one or another of the relaxations
KNOWN = 1e-6  # gap of an optimum
LIMIT = 5.0  # seconds, which none of them needs


@dataclass(frozen=True)
class Proof:
    """What was proven about a problem, and what is true.

    Attributes
    ----------
    seed : int
    loss : str
    kinds : tuple of str
        What is degenerate about it.
    share : float
        beta over beta_max.
    started : bool
        Whether the proof began at the network.
    known : bool
        Whether training proves, by exact pricing, that its network is optimal to 1e-6; otherwise it is an upper bound.
    optimum : Decimal
        The objective of the network, exactly.
    value, checked : float
        Of the bound, when it was proven and when it was checked.
    """

    seed: int
    loss: str
    kinds: tuple[str, ...]
    share: float
    started: bool
    known: bool
    optimum: Decimal
    value: float
    checked: float

    @property
    def false(self) -> list[str]:
        """Statements that are not true."""
        said = []
        if not Decimal(self.value) <= self.optimum:
            said.append(f"seed {self.seed}: {self.value!r} is above {self.optimum:.20}")
        if self.checked != self.value:
            said.append(f"seed {self.seed}: {self.value!r} is checked as {self.checked!r}")
        return said

    @property
    def margin(self) -> float:
        """(optimum - value) / optimum: negative where the bound is false; 0 where both are 0."""
        return float((self.optimum - Decimal(self.value)) / self.optimum) if self.optimum else 0.0 - self.value


def is_covered(seed: int, several: bool = False) -> bool:
    """Whether exact pricing covers the problem of this seed, which has one output, or else several."""
    case = case_of(seed)
    X = Data.of(case, 1.0).X
    return (case.y.ndim > 1 or case.loss == "softmax") == several and np.linalg.matrix_rank(X) <= MOST_RANK


def proof_of(seed: int) -> Proof | None:
    """The proof of the problem of this seed; None where a number of it leaves double precision and is refused."""
    case = case_of(seed)
    with decimal.localcontext(EXACT), threadpool_limits(1):
        try:
            return _proof(case, case.problem(), np.random.default_rng([33, seed]))
        except ng.InvalidInputError:
            return None


def _proof(case: Any, problem: ng.TrainingProblem, rng: np.random.Generator) -> Proof:
    share = 1.0 if rng.random() < 0.05 else float(10.0 ** rng.uniform(-6.0, 0.3))
    problem = problem.with_beta(share * (float(ng.beta_max(problem)) or 1.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of training at the ends of double precision; not of the proof
        trained = ng.train(problem, gap=1e-9, time_limit=LIMIT)
    started = bool(rng.random() < 0.5)
    last = Interruption(int(rng.integers(*PROOFS)))
    # The rung of degree four is for more rows than there are here; every other proof takes it all the same.
    rows = (0 if case.seed % 2 else prove.QUARTIC_ROWS[0], prove.QUARTIC_ROWS[1])
    with patch.object(prove, "QUARTIC_ROWS", rows):
        bound = ng.prove_bound(problem, time_limit=LIMIT, start=trained if started else None, progress=last)
    data, certificate = Data.of(case, problem.beta), trained.certificate
    optimum = min(data.exact_objective(*weights_of(one))[0] for one in (trained.network, problem.empty_network()))
    known = certificate.scope == "exact" and certificate.gap <= KNOWN
    return Proof(case.seed, case.loss, case.kinds, share, started, known, optimum, bound.value, bound.check(problem))


class Interruption:
    """A callback that ends a call at its record of this number, as Ctrl-C does."""

    def __init__(self, records: int):
        self.left = records

    def __call__(self, record: Any) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
