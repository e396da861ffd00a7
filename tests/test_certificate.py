"""Certificates: the lower bound holds in floating-point arithmetic, and nothing is claimed beyond it."""

from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from registry.losses import TYPICAL

import neuralgauge as ng
from neuralgauge.certificate import SCOPE_SENTENCES, lower_bound


def p_log_p(p):
    return p * p.ln() if p > 0 else Decimal(0)


def exact_entropy_bound(problem, v, scale):
    """-L*(-scale v), softmax rows normalised to sum to one exactly."""
    total, softmax = Decimal(0), problem.loss.name == "softmax"
    for row_v, row_y in zip(v, problem.y, strict=True):
        moved, ys = [scale * Decimal(float(a)) for a in row_v], [Decimal(float(b)) for b in row_y]
        ps = [max(b - a, Decimal(0)) for a, b in zip(moved, ys, strict=True)]
        if softmax:
            ys, ps = [b / sum(ys) for b in ys], [p / sum(ps) for p in ps]
        total -= sum(p_log_p(p) - p_log_p(b) for p, b in zip(ps, ys, strict=True)) + (0 if softmax else sum(moved))
    return total


@pytest.mark.parametrize(("loss", "only_small"), [("softmax", False), ("softmax", True), ("poisson", False)])
@pytest.mark.parametrize("seed", range(30))
def test_entropy_bounds_are_never_above_those_of_a_hundred_digits(loss, only_small, seed):
    """Targets down to 1e-12, where v log y is far larger than v y and cancels in a row if only small ones move."""
    rng = np.random.default_rng(seed)
    y = 10.0 ** rng.uniform(-12.0, 0.0, (6, 4))
    move = 10.0 ** rng.uniform(-14.0, 1.0) * rng.standard_normal((6, 4)) * y
    if only_small:
        y[:, 2] = y[:, 1]
        y[:, 3] = 1.0 - y[:, :3].sum(axis=1)
        y = np.abs(y * [0.1, 1e-3, 1e-3, 1.0])
        step = 10.0 ** rng.uniform(-8.0, -1.0, 6) * y[:, 1]
        move = step[:, None] * [0.0, 1.0, -1.0, 0.0]
    y = y / y.sum(axis=1, keepdims=True) if loss == "softmax" else y
    problem = ng.TrainingProblem(rng.standard_normal((6, 2)), y, beta=1.0, loss=loss)
    v = problem.fit.project(move)
    lower = lower_bound(problem, v, 1e-300)  # so small a gauge leaves v as it is, up to 8 eps
    with localcontext() as context:
        context.prec = 100
        scales = Decimal(1), Decimal(1.0 - 8 * np.finfo(float).eps)
        assert Decimal(lower) <= max(Decimal(0), *(exact_entropy_bound(problem, v, scale) for scale in scales))


def test_total_of_outputs_trained_apart():
    proven, searched = ng.Certificate(3.0, 2.0, "exact"), ng.Certificate(1.0, 0.5, "estimated", 128)
    total = ng.Certificate.total([proven, searched])
    assert (total.upper, total.scope, total.starts, total.separate) == (4.0, "estimated", 128, True)
    assert 2.5 - 1e-12 <= total.lower < 2.5
    assert "serve one output each" in str(total)
    assert "serve one output each" not in str(proven)
    assert ng.Certificate.total([proven]).separate is False
    assert ng.Certificate.total([proven, ng.Certificate(1.0, 0.5, "bounded")]).scope == "bounded"
    assert total.proven == -np.inf


@pytest.mark.parametrize("scopes", [("exact", "bounded"), ("exact", "estimated"), ("estimated", "patterns")])
@pytest.mark.parametrize("seed", range(20))
def test_totals_are_never_above_the_exact_sums(scopes, seed):
    """Summed from left to right, terms of either sign would lose more than what is subtracted."""
    rng = np.random.default_rng(seed)
    bounds = rng.standard_normal((6, 2)) * 10.0 ** rng.integers(-3, 15, (6, 1))
    parts = [
        ng.Certificate(float(bound.max()) + 1.0, float(bound.max()), scopes[k % 2], proven=float(bound.min()))
        for k, bound in enumerate(bounds)
    ]
    total = ng.Certificate.total(parts)
    for name in ("lower", "proven"):
        exact = sum(Fraction(getattr(part, name)) for part in parts)
        assert Fraction(getattr(total, name)) < exact
        assert getattr(total, name) == pytest.approx(float(exact), rel=1e-12, abs=1e-12)
    assert total.with_proven(total.proven) == total


def integer_problem(seed, loss, beta=None):
    """One feature without bias: G(v) is the larger of |sum v x_+| and |sum v x_-|, a rational number."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 9))
    y = rng.integers(-5, 6, n) if loss == "squared" else rng.choice([-1, 1], n)
    weight = rng.integers(1, 4, n) if seed % 2 else None
    beta = float(rng.choice([0.1, 1.0, 3.0, 20.0]))
    return ng.TrainingProblem(rng.integers(-4, 5, (n, 1)), y, beta=beta, loss=loss, bias=False, sample_weight=weight)


def fractions(array):
    return [Fraction(float(a)) for a in array]


def exact_gauge(v, problem):
    x = fractions(problem.X[:, 0])
    return max(abs(sum(a * max(s * b, Fraction(0)) for a, b in zip(fractions(v), x, strict=True))) for s in (1, -1))


def rounded_up(value):
    """The smallest float that is not below."""
    number = float(value)
    return number if Fraction(number) >= value else float(np.nextafter(number, np.inf))


def exact_best_dual(problem, v, largest):
    """The largest dual objective -L*(-kappa v) over 0 <= kappa <= largest, as a rational number."""
    v, y, s = fractions(v), fractions(problem.y), fractions(problem.sample_weight)
    linear = sum(a * b for a, b in zip(v, y, strict=True))
    if problem.loss.name == "hinge":
        return max(Fraction(0), largest * linear)
    energy = sum(a * a / w for a, w in zip(v, s, strict=True))
    kappa = min(largest, max(linear / energy, Fraction(0))) if energy else Fraction(0)
    return kappa * linear - kappa**2 * energy / 2


def random_dual(problem, seed):
    rng = np.random.default_rng(seed)
    v = rng.standard_normal(problem.n) * float(rng.choice([1e-3, 1.0, 1e3])) + (seed % 3) * problem.y
    return problem.fit.project(v)


@pytest.mark.parametrize("first_seed", range(0, 400, 100))
def test_squared_bound_is_never_above_the_exact_one(first_seed):
    for seed in range(first_seed, first_seed + 100):
        problem = integer_problem(seed, "squared")
        v = random_dual(problem, seed)
        gauge = exact_gauge(v, problem)
        largest = Fraction(problem.beta) / gauge if gauge else Fraction(10**9)
        bound, exact = lower_bound(problem, v, rounded_up(gauge)), exact_best_dual(problem, v, largest)
        assert Fraction(bound) <= exact, f"seed {seed}"
        assert bound >= float(exact) - 1e-12 * (1.0 + float(problem.y @ problem.y) * 3), f"seed {seed}"


@pytest.mark.parametrize("first_seed", range(0, 400, 100))
def test_hinge_bound_is_never_above_the_exact_one(first_seed):
    for seed in range(first_seed, first_seed + 100):
        problem = integer_problem(seed, "hinge")
        v = random_dual(problem, seed)
        gauge = exact_gauge(v, problem)
        largest = min(Fraction(1), Fraction(problem.beta) / gauge) if gauge else Fraction(1)
        bound, exact = lower_bound(problem, v, rounded_up(gauge)), exact_best_dual(problem, v, largest)
        assert Fraction(bound) <= exact, f"seed {seed}"
        assert bound >= float(exact) - 1e-12, f"seed {seed}"


def entropy(p):
    return sum(-q * q.ln() for q in (p, 1 - p) if q > 0)


@pytest.mark.parametrize("first_seed", range(0, 200, 100))
def test_logistic_bound_is_never_above_the_one_of_a_hundred_digits(first_seed):
    """At the scale 1, with probabilities from 1e-16 to 1 - 1e-16 among them."""
    for seed in range(first_seed, first_seed + 100):
        problem = integer_problem(seed, "logistic")
        rng = np.random.default_rng(seed)
        f = rng.standard_normal(problem.n) * float(rng.choice([1.0, 10.0, 36.0]))
        v = (1.0 - 2.0**-50) * -problem.fit.gradient(f)
        with localcontext() as context:
            context.prec = 100
            weights, p = map(Decimal, problem.sample_weight), map(Decimal, v * problem.y)
            pairs = [(w, q / w) for w, q in zip(weights, p, strict=True)]
            # The bound may shorten v by a few units in the last place, which can gain a little.
            scales = [1 - k * Decimal(2) ** -53 for k in range(20)]
            exact = max(sum(w * entropy(scale * q) for w, q in pairs) for scale in scales)
            bound = lower_bound(problem, v, 0.5 * problem.beta)
            assert Decimal(bound) <= exact, f"seed {seed}"
            assert Decimal(bound) >= exact - Decimal("1e-11"), f"seed {seed}"


@pytest.mark.parametrize("loss", ["squared", "hinge"])
@pytest.mark.parametrize("first_seed", range(0, 200, 100))
def test_bound_is_below_the_exact_objective_of_every_network(loss, first_seed):
    """sum |w| and L in rational arithmetic, against the bound at that network's own gradient."""
    for seed in range(first_seed, first_seed + 100):
        problem = integer_problem(seed, loss)
        w, signs = np.random.default_rng(seed).integers(-2, 3, 3), (1, -1, 1)
        f = [
            sum(s * max(Fraction(int(a)) * b, Fraction(0)) for a, s in zip(w, signs, strict=True))
            for b in fractions(problem.X[:, 0])
        ]
        objective = Fraction(problem.beta) * int(np.abs(w).sum())
        for output, y, s in zip(f, fractions(problem.y), fractions(problem.sample_weight), strict=True):
            objective += s * ((output - y) ** 2 / 2 if loss == "squared" else max(Fraction(0), 1 - y * output))
        for point in (np.array(f, dtype=float), np.zeros(problem.n)):
            v = -problem.fit.gradient(point)
            assert Fraction(lower_bound(problem, v, rounded_up(exact_gauge(v, problem)))) <= objective, f"seed {seed}"


@pytest.mark.parametrize("loss", ["logistic", "hinge"])
def test_a_dual_point_outside_the_domain_is_shortened(loss):
    """G(4, -1) = 0 here, but G(1, -1) = 3: clipping the point would claim 2 for the hinge loss."""
    problem = ng.TrainingProblem([[1.0], [4.0]], [1.0, -1.0], beta=0.1, loss=loss, bias=False)
    better = problem.objective(ng.TwoLayerNetwork([[0.5]], [-0.5]))
    bound = lower_bound(problem, np.array([4.0, -1.0]), 0.0)
    assert bound <= better < 2.0
    assert bound == pytest.approx(1.25 if loss == "hinge" else float(entropy(Decimal("0.25"))))
    wrong_sign = np.array([-0.5, 0.5])
    assert lower_bound(problem, wrong_sign, 0.0) == 0.0


def test_zero_gauge_and_zero_dual():
    problem = ng.TrainingProblem([[0.0], [0.0]], [3.0, 4.0], beta=1.0, bias=False)
    assert lower_bound(problem, np.array([3.0, 4.0]), 0.0) == pytest.approx(12.5)
    assert lower_bound(problem, np.zeros(2), 0.0) == 0.0


@pytest.mark.parametrize("loss", TYPICAL)
def test_a_corrupted_network_is_not_certified(paper, loss):
    problem = ng.TrainingProblem(paper(0.1).X[:, :1], paper(0.1).y, beta=0.1, loss=loss)
    solution = ng.train(problem, gap=1e-6)
    network = solution.network
    intact = ng.certify(network, problem, gap=1e-6)
    assert intact.gap <= 3e-6
    corrupted = network.U.copy()
    corrupted[0, 0] *= 1.02
    certificate = ng.certify(ng.TwoLayerNetwork(corrupted, network.A), problem, gap=1e-6)
    assert certificate.upper > intact.upper
    assert certificate.gap > 2.0 * intact.gap + 1e-6
    assert certificate.lower == pytest.approx(intact.lower, rel=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_lower_optimum_upper(paper, seed):
    """For random networks: the bound lies below the optimum, the objective above."""
    problem, optimum = paper(0.1), 0.891447
    rng = np.random.default_rng(seed)
    certificate = ng.certify(ng.TwoLayerNetwork(rng.standard_normal((2, 4)), rng.standard_normal(4)), problem)
    assert certificate.scope == "exact"
    assert certificate.lower <= optimum * (1 + 1e-6) <= certificate.upper
    assert certificate.lower >= 0.999 * optimum


@pytest.mark.parametrize(
    ("upper", "lower", "gap"),
    [
        (2.0, 1.5, 0.25),
        (1.0, 1.0, 0.0),
        (1.0, 1.0 + 1e-15, 0.0),
        (1.0, 1.25, -0.25),
        (0.0, 0.0, 0.0),
        (1.0, -1.0, 2.0),
        (0.0, 1.0, -np.inf),
        (1.0, -np.inf, np.inf),
        (0.0, -np.inf, np.inf),
        (np.inf, 1.0, np.inf),
    ],
)
def test_gap(upper, lower, gap):
    assert ng.Certificate(upper, lower, "exact").gap == gap


def test_printing_says_what_is_proven_and_what_is_not():
    every, printed = SCOPE_SENTENCES["exact"], {}
    for scope in SCOPE_SENTENCES:
        first, *printed[scope] = str(ng.Certificate(2.0, 1.5, scope, 9, proven=1.0)).splitlines()
        assert first == "objective  2"
    assert printed["exact"] == [f'proven     1.5, gap 2.50e-01, "exact": {every}']
    assert printed["bounded"] == [f'proven     1.5, gap 2.50e-01, "bounded": {SCOPE_SENTENCES["bounded"]}']
    for scope in ("patterns", "estimated"):
        assert printed[scope][0] == f"proven     1, gap 5.00e-01: {every}"
        assert printed[scope][1] == f"{scope:<9}  1.5, gap 2.50e-01: {SCOPE_SENTENCES[scope]}"
    assert [len(lines) for lines in printed.values()] == [1, 1, 3, 2]
    assert printed["estimated"][2].startswith("support    0 of 9 fresh starts")
    assert "proven     nothing\n" in str(ng.Certificate(2.0, 1.5, "patterns"))
    apart = str(ng.Certificate(2.0, 1.5, "estimated", separate=True, proven=1.0))
    assert apart.count("only among networks whose neurons serve one output each") == 2


@pytest.mark.parametrize("scope", SCOPE_SENTENCES)
@pytest.mark.parametrize("value", [-np.inf, 0.5, 1.0, 1.5, 1.75])
def test_a_proven_bound_raises_what_is_below_it(scope, value):
    """It never takes anything back, and where it is not below the bound it is the bound, of every network."""
    known = ng.Certificate(2.0, 1.5, scope, 9, unseen=1, proven=1.0)
    before, raised = known.proven, known.with_proven(value)
    assert before == (1.0 if scope in ("estimated", "patterns") else 1.5)
    assert raised.proven == max(before, value)
    assert raised.proven_gap == (2.0 - raised.proven) / 2.0
    assert raised.lower == max(1.5, value)
    if value > 1.5 or (value == 1.5 and before < 1.5):
        assert (raised.scope, raised.starts, raised.unseen) == ("bounded", 0, 0)
    else:
        assert (raised.scope, raised.starts, raised.unseen) == (scope, 9, 1)
    assert known.with_proven(value).with_proven(value) == raised


def test_what_is_proven_is_the_bound_itself_where_that_is_proven():
    assert ng.Certificate(2.0, 1.5, "exact", proven=7.0).proven == 1.5
    assert ng.Certificate(2.0, 1.5, "estimated").proven == -np.inf
    assert ng.Certificate(2.0, 1.5, "estimated").proven_gap == np.inf
    assert ng.Certificate(2.0, 1.0, "estimated", proven=1.5).with_proven(0.0).scope == "bounded"


def test_scope_sentences_promise_no_more_than_they_can():
    every = "every network of every width"
    assert [scope for scope, sentence in SCOPE_SENTENCES.items() if every in sentence] == ["exact", "bounded"]
    assert "not a proof" in SCOPE_SENTENCES["estimated"]
    assert "only" in SCOPE_SENTENCES["patterns"]


@pytest.mark.parametrize(
    ("starts", "unseen", "weak", "words"),
    [
        (0, 0, True, "nothing: no independent start was followed"),
        (
            256,
            0,
            False,
            "0 of 256 fresh starts ended in a local maximum not seen before, with 99 % confidence less than",
        ),
        (256, 40, False, "40 of 256 fresh starts"),
        (256, 250, True, "nothing: 250 of 256 fresh starts ended in a local maximum not seen before, so most of them"),
    ],
)
def test_an_estimated_bound_says_what_its_search_supports(starts, unseen, weak, words):
    certificate = ng.Certificate(2.0, 1.9, "estimated", starts, unseen=unseen)
    assert certificate.weak is weak
    assert certificate.support.startswith(words)
    assert words in str(certificate)
    assert ng.Certificate(2.0, 1.9, "exact", starts, unseen=unseen).support == ""


@pytest.mark.parametrize("share", [0.0, 0.05, 0.4])
def test_the_confidence_limit_covers_the_truth(share):
    """Of many searches whose starts end in unseen maxima with this probability, at most 1 in 100 says less."""
    rng, starts = np.random.default_rng(0), 128
    limits = [ng.Certificate(2.0, 1.9, "estimated", starts, unseen=k).unseen_at_most for k in range(starts + 1)]
    drawn = rng.binomial(starts, share, 20_000)
    assert np.mean(np.asarray(limits)[drawn] < share) <= 0.01
    assert np.all(np.diff(limits) >= 0.0)
