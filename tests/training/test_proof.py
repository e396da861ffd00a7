"""`prove=` in seconds: nothing false is proven, the better bound is kept, and an interrupt loses nothing."""

from dataclasses import replace

import numpy as np
import pytest
from cases import targets_of
from registry.losses import ELEMENTWISE

import neuralgauge as ng
from neuralgauge.certificate import lower_bound
from neuralgauge.relaxation.prove import prove_bound
from neuralgauge.training import proof
from neuralgauge.training.one_vs_rest import train_one_vs_rest
from neuralgauge.training.proof import checked_prove, pricing_of, shared, with_proof

SECONDS = 600.0  # never reached here: proofs are cut short by their iterations


def of_rank(d, n=16, seed=0, **options):
    """A table of one output and rank d + 1."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    loss = options.setdefault("loss", "squared")
    z = np.abs(X[:, :1]) - X[:, -1:] + 0.1 * rng.standard_normal((n, 1))
    problem = ng.TrainingProblem(X, targets_of(loss, z), beta=1.0, **options)
    return problem.with_beta(0.3 * ng.beta_max(problem))


@pytest.fixture
def short(monkeypatch):
    """Proofs end after some steps as if their time was over, or as if Ctrl-C was pressed; what they were asked."""

    def after(steps, status=ng.Status.TIME_LIMIT):
        asked = []

        def cut_short(problem, **options):
            asked.append(options)
            records = []

            def progress(record):
                records.append(record)
                if len(records) == steps:
                    raise KeyboardInterrupt

            return replace(prove_bound(problem, progress=progress, **options), status=status)

        monkeypatch.setattr(proof, "prove_bound", cut_short)
        return asked

    return after


@pytest.mark.parametrize("loss", ELEMENTWISE)
@pytest.mark.parametrize("options", [{}, {"offset": True}, {"weighted": True}])
def test_what_is_proven_is_below_the_optimum(short, loss, options):
    """Of rank 2, where the optimum is known: the relaxation follows a search that was told to prove nothing."""
    short(30)
    weight = np.random.default_rng(1).uniform(0.2, 3.0, 16) if options.pop("weighted", False) else None
    problem = of_rank(1, loss=loss, sample_weight=weight, **options)
    optimum = ng.train(problem, gap=1e-6).certificate
    searched = ng.train(problem, prove=False)
    found = with_proof(problem, searched, SECONDS, 1e-9)
    certificate = found.certificate
    assert optimum.scope == "exact"
    assert certificate.proven <= optimum.upper
    assert certificate.proven >= problem.fit.dual_bound(np.zeros(problem.n))
    assert certificate.proven >= 0.5 * optimum.lower
    assert certificate.upper == searched.certificate.upper
    assert found.network is searched.network


def of_outputs():
    """Three outputs, classes and pooled patches, of ranks above those of exact pricing."""
    problem, rng = of_rank(6), np.random.default_rng(0)
    X, y = problem.X[:, :-1], np.column_stack([problem.y, -problem.y, np.sin(problem.y)])
    yield ng.TrainingProblem(X, y, beta=1.0)
    yield ng.TrainingProblem(X, np.argmax(y, axis=1), beta=1.0, loss="softmax", offset=True)
    images = rng.standard_normal((8, 8))
    yield ng.ReLUConvProblem(images, np.max(images, axis=1), beta=1.0, filter_size=6)


@pytest.mark.parametrize("problem", of_outputs(), ids=["outputs", "softmax", "patches"])
def test_several_outputs_and_patches_are_proven(short, problem):
    problem = problem.with_beta(0.3 * ng.beta_max(problem))
    short(30)
    trained = ng.train(problem, prove=SECONDS)
    certificate = trained.certificate
    assert certificate.scope == "estimated"
    assert 0.9 * certificate.upper <= certificate.proven <= certificate.lower
    assert ng.certify(trained.network, problem, prove=SECONDS).proven == certificate.proven


def test_a_training_keeps_its_estimate_beside_the_proof(short):
    problem = of_rank(6)
    asked = short(30)
    plain, proven = ng.train(problem, prove=False), ng.train(problem, prove=SECONDS)
    assert plain.certificate.scope == proven.certificate.scope == "estimated"
    assert plain.certificate.proven == 0.0
    assert 0.9 * proven.certificate.upper <= proven.certificate.proven < proven.certificate.lower
    assert replace(proven.certificate, proven=0.0) == plain.certificate
    assert np.array_equal(plain.network.U, proven.network.U)
    assert np.array_equal(plain.dual, proven.dual)
    assert proven.seconds > 0.0
    assert [(one["time_limit"], one["gap"]) for one in asked] == [(SECONDS, 1e-4)]
    given = ng.certify((np.ones((7, 1)), np.ones(1)), problem, prove=SECONDS)
    assert (given.proven, given.scope) == (proven.certificate.proven, "estimated")
    assert given.proven_gap > given.gap > proven.certificate.proven_gap


def test_where_no_estimate_is_above_it_the_bound_is_proven(short):
    """The relaxation of this problem is tight; the estimate is made a poor one."""
    problem = ng.TrainingProblem([[1.0], [2.0]], [1.0, 2.0], beta=0.5, bias=False)
    short(2000)
    searched = ng.train(problem, prove=False)
    poor = replace(searched.certificate, lower=0.5 * searched.certificate.lower)
    stalled = replace(searched, certificate=poor, status=ng.Status.STALLED)
    found = with_proof(problem, stalled, SECONDS, 1e-6)
    certificate = found.certificate
    assert (certificate.scope, certificate.starts, certificate.proven) == ("bounded", 0, certificate.lower)
    assert certificate.lower > searched.certificate.upper * (1 - 1e-6)
    assert found.status is ng.Status.SOLVED
    assert lower_bound(problem, found.dual, problem.polar(found.dual).bound) == pytest.approx(certificate.lower)
    none = with_proof(problem, replace(stalled, certificate=replace(poor, lower=-1.0, scope="bounded")), SECONDS, 1e-6)
    assert none.certificate == certificate


def test_the_better_of_two_proven_bounds_is_kept(short):
    problem = of_rank(6)
    short(1)
    searched = ng.train(problem, prove=False)
    known = searched.certificate.with_proven(0.9 * searched.certificate.lower)
    assert with_proof(problem, replace(searched, certificate=known), SECONDS, 1e-4).certificate == known


def test_an_interrupted_proof_keeps_the_network_and_the_best_bound(short, monkeypatch):
    problem = of_rank(6)
    plain = ng.train(problem, prove=False)
    short(30, ng.Status.INTERRUPTED)
    stopped = ng.train(problem, prove=SECONDS)
    assert stopped.status is ng.Status.INTERRUPTED
    assert stopped.certificate.proven > 0.9 * stopped.certificate.upper
    assert np.array_equal(stopped.network.U, plain.network.U)

    def at_once(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(proof, "prove_bound", at_once)
    stopped = ng.train(problem, prove=SECONDS)
    assert stopped.status is ng.Status.INTERRUPTED
    assert stopped.certificate == plain.certificate


def test_a_path_keeps_the_point_whose_proof_is_interrupted(monkeypatch):
    problem, ends = of_rank(6), iter([ng.Status.TIME_LIMIT, ng.Status.INTERRUPTED])

    def none(problem, **options):
        return replace(prove_bound(problem, **{**options, "time_limit": 1e-9}), status=next(ends))

    monkeypatch.setattr(proof, "prove_bound", none)
    betas = problem.beta * np.array([1.0, 0.9, 0.8])
    path = ng.relu_path(problem, betas=betas, prove=SECONDS)
    assert (len(path), path.status) == (2, ng.Status.INTERRUPTED)
    assert path.solutions[1].certificate.gap <= 1e-3


def test_a_proof_knows_that_it_was_interrupted():
    seen = []

    def press(record):
        seen.append(record)
        if len(seen) == 2:
            raise KeyboardInterrupt

    problem = of_rank(6)
    assert prove_bound(problem, time_limit=SECONDS, progress=press).status is ng.Status.INTERRUPTED
    assert prove_bound(problem, time_limit=1e-9).status is ng.Status.TIME_LIMIT
    start = ng.train(problem, prove=False)
    ended = prove_bound(problem, time_limit=SECONDS, gap=0.3, start=start)
    assert ended.status is ng.Status.SOLVED
    assert ended.value >= 0.7 * start.certificate.upper


def test_after_an_interrupted_training_nothing_is_proven(short):
    asked = short(1)

    def press(record):
        raise KeyboardInterrupt

    assert ng.train(of_rank(6), prove=SECONDS, progress=press).status is ng.Status.INTERRUPTED
    assert asked == []


def test_where_pricing_is_exact_the_relaxation_is_not_needed(short):
    asked = short(1)
    assert ng.train(of_rank(1), prove=SECONDS).certificate == ng.train(of_rank(1)).certificate
    linear = ng.LinearConvProblem(np.ones((3, 4, 1)), [1.0, 2.0, 4.0], beta=1.0, filter_size=2)
    assert ng.train(linear, prove=SECONDS).certificate.scope == "exact"
    assert asked == []


def test_every_point_of_a_path_is_proven(short):
    problem = of_rank(6)
    short(30)
    path = ng.relu_path(problem, n_betas=3, beta_min_ratio=0.3, prove=SECONDS)
    table = path.summary()
    assert table["proven"].to_list() == [solution.certificate.proven for solution in path.solutions]
    assert np.all(table["proven"].to_numpy() >= 0.9 * table["objective"].to_numpy())


def test_the_neural_gauge_is_bounded_by_the_relaxation_of_its_last_training(short):
    problem = of_rank(6, n=8)
    X, y = problem.X[:, :-1], problem.y
    plain = ng.neural_gauge(X, y, gap=1e-3, prove=False)
    assert (plain.certificate.scope, plain.certificate.proven) == ("estimated", 0.0)
    asked = short(60)
    solution = ng.neural_gauge(X, y, gap=1e-3, prove=SECONDS)
    assert len(asked) == 1
    assert 0.3 * plain.certificate.upper < solution.certificate.proven <= plain.certificate.upper
    assert solution.certificate.lower == plain.certificate.lower
    short(60, ng.Status.INTERRUPTED)
    stopped = ng.neural_gauge(X, y, gap=1e-3, prove=SECONDS)
    assert stopped.status is ng.Status.INTERRUPTED
    assert stopped.certificate == solution.certificate


def test_outputs_that_are_trained_apart_share_the_seconds(short):
    problem = of_rank(6)
    both = ng.TrainingProblem(problem.X[:, :-1], np.column_stack([problem.y, -problem.y]), beta=problem.beta)
    asked = short(30)
    solution = train_one_vs_rest(both, 1e-3, prove=SECONDS)
    assert [one["time_limit"] for one in asked] == [SECONDS / 2] * 2
    assert solution.certificate.separate
    assert 0.9 * solution.certificate.upper <= solution.certificate.proven < solution.certificate.lower
    asked.clear()
    short(30, ng.Status.INTERRUPTED)
    assert train_one_vs_rest(both, 1e-3, prove=SECONDS).status is ng.Status.INTERRUPTED


@pytest.mark.parametrize("prove", ["yes", 0.0, -1.0, np.nan, np.inf, 0, [1.0, 2.0]])
def test_what_is_no_number_of_seconds_is_refused(prove):
    with pytest.raises(ng.InvalidInputError, match="`prove` must be None, True, False or seconds > 0, got"):
        ng.train(of_rank(1), prove=prove)
    with pytest.raises(ng.InvalidInputError, match="`prove` must be None"):
        ng.neural_gauge([[0.0], [1.0]], [0.0, 1.0], prove=prove)
    with pytest.raises(ng.InvalidInputError, match="`prove` must be None"):
        ng.train(ng.LinearConvProblem(np.ones((3, 4, 1)), [1.0, 2.0, 4.0], beta=1.0, filter_size=2), prove=prove)


def test_the_values_of_prove():
    problem = of_rank(6)
    assert [checked_prove(prove, problem) for prove in (None, True, np.False_)] == [None, True, False]
    assert type(checked_prove(1, problem)) is float
    assert [pricing_of(prove) for prove in (None, True, False, 1.0)] == [None, True, False, None]
    assert [shared(prove, 4) for prove in (None, True, False, 1.0)] == [None, True, False, 0.25]


def test_seconds_that_could_prove_nothing_are_refused_before_the_training(monkeypatch):
    """Where neither the relaxation nor exact pricing is for the problem; exact pricing alone is enough."""

    def refuse(problem):
        raise ng.InvalidInputError("No.")

    monkeypatch.setattr(proof, "check_covered", refuse)
    problem = of_rank(6)
    X, y = problem.X[:, :-1], problem.y
    path = ng.ReLURegressorCV(prove=SECONDS, verbose=pytest.fail)
    for call in (
        lambda: ng.train(problem, prove=SECONDS, progress=pytest.fail),
        lambda: ng.certify((np.ones((7, 1)), np.ones(1)), problem, prove=SECONDS, progress=pytest.fail),
        lambda: ng.relu_path(problem, n_betas=2, prove=SECONDS, progress=pytest.fail),
        lambda: ng.neural_gauge(X, y, prove=SECONDS, progress=pytest.fail),
        lambda: ng.ReLURegressor(prove=SECONDS, verbose=pytest.fail).fit(X, y),
        lambda: path.fit(X, y),
        lambda: ng.ReLUClassifier(prove=SECONDS, multi_class="one_vs_rest").fit(X, np.arange(16) % 3),
    ):
        with pytest.raises(ng.InvalidInputError, match=r"`prove` can be seconds only where .* No\. Leave `prove` out"):
            call()
    assert not hasattr(path, "scores_")
    assert ng.train(of_rank(1), prove=SECONDS).certificate.scope == "exact"
    hard = of_rank(4)
    searched = ng.train(hard, prove=False)
    assert with_proof(hard, searched, SECONDS, 1e-4) is searched


def test_estimators_prove(short):
    short(30)
    problem = of_rank(6)
    X, y = problem.X[:, :-1], problem.y
    for model in (
        ng.ReLURegressor(beta=problem.beta, prove=SECONDS),
        ng.ReLURegressorCV(betas=[problem.beta], cv=2, prove=SECONDS),
    ):
        certificate = model.fit(X, y).certificate_
        assert certificate.scope == "estimated"
        assert certificate.proven >= 0.9 * certificate.upper
    classes = np.digitize(y, np.quantile(y, [0.3, 0.6]))
    certificate = ng.ReLUClassifier(beta=1.0, prove=SECONDS).fit(X, classes).certificate_
    assert certificate.scope == "estimated"
    assert 0.7 * certificate.upper <= certificate.proven <= certificate.upper
    apart = ng.ReLUClassifier(beta=problem.beta, loss="squared_hinge", multi_class="one_vs_rest", prove=SECONDS)
    certificate = apart.fit(X, classes).certificate_
    assert certificate.separate
    assert 0.0 < certificate.proven <= certificate.upper


def test_by_default_rows_are_proven_one_by_one_where_that_is_cheap():
    problem = of_rank(8, n=40)
    found = ng.train(problem, gap=1e-3).certificate
    assert found.scope == "estimated"
    assert 0.99 * found.upper < found.proven <= ng.prove_bound(problem, relaxation="rows").value
    assert ng.train(problem, gap=1e-3, prove=False).certificate.proven == 0.0
    wide = of_rank(60, n=70)  # its Newton system would be of order 3,900
    assert ng.train(wide, gap=0.1).certificate.proven == 0.0
