"""Statements about degenerate problems against brute force in exact arithmetic, and that it would notice false ones."""

import decimal
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from degenerate.arrangement import Arrangement
from degenerate.claims import check
from degenerate.gauge import attained
from degenerate.optimum import Data
from degenerate.problems import case_of
from registry.losses import EXACT, FORMULAS, to_decimal

import neuralgauge as ng
from neuralgauge.losses import LOSSES

# Units of columns are wild here on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::neuralgauge.errors.ColumnScaleWarning")

QUICK, PROBLEMS, BLOCK = 22, 222, 20


def assert_true(seeds):
    reports = [check(seed) for seed in seeds]
    assert not {report.case.seed: report.false for report in reports if report.false}
    assert not {report.case.seed: report.raised for report in reports if report.raised}


@pytest.mark.parametrize("first", range(0, QUICK, len(FORMULAS)))
def test_no_statement_is_false(first):
    """Every loss, with one output and with two."""
    assert_true(range(first, first + len(FORMULAS)))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(QUICK, PROBLEMS, BLOCK))
def test_no_statement_of_two_hundred_problems_is_false(first):
    assert_true(range(first, first + BLOCK))


def test_every_loss_takes_part():
    assert set(FORMULAS) == {*LOSSES, "log_cosh"}, "write the loss in tests/registry/losses.py"
    cases = [case_of(seed) for seed in range(QUICK)]
    assert {case.loss for case in cases} == set(FORMULAS)
    assert {1, 2, 3} == {np.ndim(case_of(seed).y) and case_of(seed).problem().c for seed in range(33)}


@pytest.mark.parametrize("loss", FORMULAS)
def test_formulas_agree(loss, rng):
    """In sixty digits, in floating point, by difference quotients, and as the package has them."""
    case = next(case for case in map(case_of, range(500)) if case.loss == loss and len(case.X) > 3 and case.bias)
    data, problem = Data.of(case, 0.3), case.problem(0.3)
    U, A = rng.standard_normal((data.X.shape[1], 4)), rng.standard_normal((4, data.Y.shape[1]))
    U /= np.linalg.norm(data.X @ U)
    with decimal.localcontext(EXACT):
        exact = data.exact_objective(U, A, 0.0)[0]
    assert data.objective(U, A, 0.0) == pytest.approx(float(exact), rel=1e-9)
    assert problem.objective(ng.TwoLayerNetwork(U, A)) == pytest.approx(float(exact), rel=1e-9)
    f, step = np.maximum(data.X @ U, 0.0) @ A + 0.123, rng.standard_normal((len(U[0]), 1))[0] * 1e-6
    slope = (data.value(f + step) - data.value(f - step)) / 2
    assert slope == pytest.approx(float(np.sum(data.gradient(f) * step)), rel=1e-4, abs=1e-12 * data.value(f))


def test_cells_of_the_paper_and_of_ties():
    five = np.column_stack([[-2.0, -1.0, 0.0, 1.0, 2.0], np.ones(5)])
    assert len(Arrangement.of(five).patterns) == 10
    ties = Arrangement.of(
        np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 1.0, 2.0], [-2.0, 0.0, -2.0], [0.0, 0.0, 0.0]])
    )
    assert ties.rank == 2
    assert len(ties.patterns) == 6  # three lines of a plane
    assert all(pattern[4] and pattern[3] != pattern[0] for pattern in ties.patterns)


@pytest.mark.parametrize("c", [1, 2])
def test_brute_force_finds_the_gauge(c, rng):
    """As much as an exact sweep does, up to rounding, on problems where every candidate is well conditioned."""
    for _ in range(5):
        X, v = rng.standard_normal((6, 3)), rng.standard_normal((6, c))
        with decimal.localcontext(EXACT):
            found = attained(v, X, Arrangement.of(X))
        assert float(found) == pytest.approx(ng.price(v, X).value, rel=1e-12)


def test_brute_force_finds_the_optimum(paper):
    """The reference value of the paper's five points, from the patterns to the network."""
    data = Data(paper(0.1).X, np.array([[1.0], [-1.0], [1.0], [1.0], [-1.0]]), np.ones(5), "squared", 0.1, False)
    gates = np.array(sorted(Arrangement.of(data.X).patterns), dtype=float)
    network = data.convex(np.vstack([gates, gates]), np.repeat([[1.0], [-1.0]], len(gates), axis=0))
    with decimal.localcontext(EXACT):
        assert float(data.exact_objective(*network)[0]) == pytest.approx(0.891447, abs=1e-6)


def test_decimals_are_the_floats_themselves():
    assert to_decimal([[0.1]])[0, 0] == Decimal.from_float(0.1) != Decimal("0.1")


def lifted(**changes):
    """A certificate with some fields multiplied."""

    def corrupt(solution):
        certificate = solution.certificate
        fields = {name: getattr(certificate, name) * factor for name, factor in changes.items()}
        return replace(solution, certificate=replace(certificate, **fields))

    return corrupt


CORRUPTED = {
    "a bound above the objective": ("train", lifted(lower=1.0 + 1e-1), "train: lower"),
    "an objective that is not the network's": ("train", lifted(upper=1.0 - 1e-11), "train: upper"),
    "solved without its gap": (
        "train",
        lambda s: replace(s, certificate=replace(s.certificate, lower=0.5 * s.certificate.upper)),
        "train: solved",
    ),
    "a gauge below what is attained": ("price", lambda p: replace(p, bound=p.bound * (1 - 1e-12)), "price: bound"),
    "a value that its vector does not pay": ("price", lambda p: replace(p, value=p.value * (1 - 1e-9)), "price: value"),
    "a pattern too few": (
        "enumerate_patterns",
        lambda p: replace(p, packed=p.packed[:-1], mirrored=p.mirrored - 1, vectors=p.vectors),
        "missing from a complete set",
    ),
    "a penalty too small": ("beta_max", lambda value: value * (1 - 1e-6), "is below"),
    "a penalty at which neurons pay": ("beta_max", lambda value: 0.9 * value, "but a network has"),
    "a bound of a program above it": ("solve_program", lifted(lower=1.0 + 1e-4), "solve_program: lower"),
    "a certificate above its network": (
        "certify",
        lambda certificate: replace(certificate, lower=certificate.upper),
        "certify: lower",
    ),
    "a bound above the least weight decay": ("neural_gauge", lifted(lower=1.01), "neural_gauge: lower"),
    "a weight decay that is not the network's": ("neural_gauge", lifted(upper=1.0 + 1e-9), "neural_gauge: upper"),
    "a network that does not interpolate": (
        "neural_gauge",
        lambda s: replace(s, network=s.network.with_neurons(s.network.U, s.network.A * (1 + 1e-7))),
        "neural_gauge: misfit",
    ),
}
PROBLEM, SEEDS = 138, {"neural_gauge": 165, "beta_max": 4}  # where all statements are true, and many


@pytest.mark.parametrize("corruption", CORRUPTED)
def test_false_statements_are_noticed(corruption, monkeypatch):
    """One true statement changed."""
    name, corrupt, words = CORRUPTED[corruption]
    true = getattr(ng, name)
    monkeypatch.setattr(ng, name, lambda *args, **options: corrupt(true(*args, **options)))
    assert any(words in statement for statement in check(SEEDS.get(name, PROBLEM)).false)
