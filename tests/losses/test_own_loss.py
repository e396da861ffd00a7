"""The loss of the user in docs/losses.md: trained, solved over patterns, and certified."""

import re
from pathlib import Path

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.losses import LOSSES

TEXT = (Path(__file__).parents[2] / "docs" / "losses.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page():
    """The names that the page's code leaves behind."""
    (code,) = re.findall(r"^```python\n(.*?)^```$", TEXT, flags=re.DOTALL | re.MULTILINE)
    names = {}
    exec(compile(code, "docs/losses.md", "exec"), names)
    return names


def test_it_trains_with_a_certificate(page):
    solution, problem = page["solution"], page["problem"]
    assert solution.status is ng.Status.SOLVED
    assert solution.certificate.gap <= 1e-4
    assert solution.certificate.scope == "exact"
    residual = solution.network.forward(problem.X) - problem.y
    by_hand = np.sum(np.log(np.cosh(residual))) + problem.beta * solution.network.weight_decay()
    assert solution.certificate.upper == pytest.approx(by_hand, rel=1e-10)
    assert solution.certificate.upper < 0.5 * problem.objective(problem.empty_network())


def test_the_bound_holds_for_other_networks(page):
    problem, lower = page["problem"], page["solution"].certificate.lower
    rng = np.random.default_rng(1)
    for scale in (0.0, 0.1, 1.0):
        network = page["solution"].network
        U = network.U + scale * rng.standard_normal(network.U.shape)
        assert problem.objective(ng.TwoLayerNetwork(U, network.A, network.bias)) >= lower


def test_it_is_solved_over_all_patterns(page):
    """The convex program over all patterns has the value that training found."""
    problem, trained = page["problem"], page["solution"].certificate
    small = ng.TrainingProblem(problem.X[:12, :2], problem.y[:12], beta=0.1, loss=page["LogCosh"]())
    solved = ng.solve_program(small, ng.enumerate_patterns(small.X))
    assert solved.status is ng.Status.SOLVED
    assert solved.n_iter <= 30
    found = ng.train(small, gap=1e-6).certificate
    assert solved.certificate.upper == pytest.approx(found.upper, rel=3e-6)
    assert trained.lower > 0.0


def test_its_conjugate_keeps_fenchel_and_young(page):
    loss, rng = page["LogCosh"](), np.random.default_rng(2)
    f, y, g = 5 * rng.standard_normal(500), rng.standard_normal(500), rng.uniform(-1, 1, 500)
    assert np.all(loss.value(f, y) + loss.conjugate(g, y) >= g * f - 1e-12)
    g = loss.gradient(f, y)
    np.testing.assert_allclose(loss.value(f, y) + loss.conjugate(g, y), g * f, atol=1e-12)
    np.testing.assert_allclose(loss.value(f, y), np.log(np.cosh(f - y)), atol=1e-12)


def test_small_residuals_and_slopes_keep_their_digits(page):
    """Against the series at 0: lower bounds rely on the conjugate to some 10 eps of g^2."""
    loss = page["LogCosh"]()
    for size in (1e-3, -1e-5, 1e-8):
        f, g, zero = np.array([size]), np.array([size]), np.zeros(1)
        assert loss.value(f, zero)[0] == pytest.approx(size**2 / 2 - size**4 / 12 + size**6 / 45, rel=1e-15, abs=0)
        assert loss.conjugate(g, zero)[0] == pytest.approx(size**2 / 2 + size**4 / 12 + size**6 / 30, rel=2e-15, abs=0)


def test_a_loss_without_curvature_or_pieces_is_refused(page):
    kind = type("Flat", (page["LogCosh"],), {"hessian": property()})  # looked up, this raises AttributeError
    problem = ng.TrainingProblem([[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0], beta=0.1, loss=kind())
    with pytest.raises(ng.InvalidInputError, match=r"must have a `hessian`, or `pieces` .* got neither"):
        ng.solve_program(problem, ng.enumerate_patterns(problem.X))


def test_the_table_has_every_loss():
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)", TEXT, flags=re.MULTILINE)
    assert dict(rows) == {name: type(loss).__name__ for name, loss in LOSSES.items()}
