"""What was found on one problem, and the brute force that its checks share.

A statement is *false* when exact arithmetic contradicts it. Exceptions, warnings and runs that end short of their gap
are kept beside those: nothing that was said is contradicted.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from degenerate.arrangement import Arrangement
from degenerate.optimum import Data, Weights
from degenerate.problems import Case

import neuralgauge as ng

EPS = float(np.finfo(float).eps)


@dataclass
class Report:
    """Statements about one problem that are false, exceptions raised, odd ends, and processor seconds by function."""

    case: Case
    rank: int
    beta: float = 0.0
    false: list[str] = field(default_factory=list)
    raised: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def expect(self, holds: Any, statement: str) -> None:
        """Note a statement that is false."""
        if not holds:
            self.false.append(statement)

    def call(self, name: str, function: Callable[[], Any], allowed: tuple[type[Exception], ...] = ()) -> Any:
        """The result or an allowed exception; None after another one, which is noted like the warnings and the time."""
        start = time.process_time()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                return function()
            except allowed as error:
                return error
            except Exception as error:
                place = _innermost(error)
                self.raised.append(f"{name}: {type(error).__name__}: {str(error)[:200]} ({place})")
                return None
            finally:
                self.odd += sorted(
                    {f"{name}: warning: {w.message} ({Path(w.filename).name}:{w.lineno})" for w in caught}
                )
                self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - start


def _innermost(error: BaseException) -> str:
    trace = error.__traceback__
    assert trace is not None
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"


@dataclass
class Bench:
    """One problem as the package sees it and as brute force does.

    Attributes
    ----------
    problem : TrainingProblem
        What the package is given.
    data : Data
        The same numbers, and plain formulas of them.
    arrangement : Arrangement
        The patterns of the design matrix in exact arithmetic.
    rng : Generator
    limit : float
        Seconds that one call may take.
    attained : Decimal
        The lowest objective of any network found so far.
    """

    case: Case
    report: Report
    problem: ng.TrainingProblem
    data: Data
    arrangement: Arrangement
    rng: np.random.Generator
    limit: float
    attained: Decimal = Decimal("inf")

    def judge(self, name: str, certificate: Any, exact: Decimal, size: Decimal, low: Decimal, room: float) -> None:
        """A certificate against the exact objective of its network, up to `room`, and the lowest that is attained."""
        report, upper, lower = self.report, certificate.upper, certificate.lower
        if np.isfinite(upper):
            true = abs(Decimal(upper) - exact) <= Decimal(room) * size
            report.expect(true, f"{name}: upper {upper!r} but the network has {exact:.20}")
        if not Decimal(lower) <= low:
            kept = report.odd if certificate.scope == "estimated" else report.false
            kept.append(f'{name}: lower {lower!r} of scope "{certificate.scope}" is above {low:.20}')
        distance = 0.0 if upper <= lower else (upper - lower) / abs(upper)
        report.expect(abs(certificate.gap - distance) <= 1e-15 * distance, f"{name}: gap {certificate.gap}")

    def judge_end(self, name: str, solution: Any, gap: float, low: Decimal) -> None:
        """Status and gap; short of the gap, how far each side is from `low`, the lowest that is attained."""
        certificate, solved = solution.certificate, solution.status is ng.Status.SOLVED
        self.report.expect(not solved or certificate.gap <= gap, f"{name}: solved with {certificate.gap} for {gap}")
        if solved:
            return
        scale = max(abs(certificate.upper), 1e-300)
        above, below = (certificate.upper - float(low)) / scale, (float(low) - certificate.lower) / scale
        nothing = self.data.exact_objective(*self.data.nothing)[0]
        vanishes = " (optimum 0)" if low <= Decimal("1e-12") * nothing else ""
        self.report.odd.append(
            f"{name}: {solution.status.name}{vanishes}, gap {certificate.gap:.1e} for {gap:.0e}, "
            f'"{certificate.scope}", '
            f"upper {above:.1e} above and lower {below:.1e} below the best known"
        )


def weights_of(network: Any) -> Weights:
    """The arrays of a network of the package."""
    return network.U, network.A, np.asarray(network.offset)
