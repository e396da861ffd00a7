"""Every kind of problem goes through the same functions: training, certificates, paths, pruning, bounds."""

import numpy as np
import pytest
from cases import targets_of

import neuralgauge as ng
from neuralgauge.certificate import lower_bound


def targets(rng, n, loss, c):
    return targets_of(loss, rng.standard_normal((n, 3 if loss == "softmax" else c)))


def dense(loss, c, offset):
    rng = np.random.default_rng(0)
    return ng.TrainingProblem(
        rng.standard_normal((12, 2)), targets(rng, 12, loss, c), beta=1.0, loss=loss, offset=offset
    )


def images(kind, **options):
    def make(loss, c, offset):
        rng = np.random.default_rng(1)
        data = rng.standard_normal((10, 5))
        return kind(data, targets(rng, 10, loss, c), beta=1.0, filter_size=2, loss=loss, offset=offset, **options)

    return make


def circular(loss, c, offset):
    rng = np.random.default_rng(2)
    place = {"filter_size": 6, "padding": "same", "padding_mode": "circular"}
    return ng.LinearConvProblem(
        rng.standard_normal((10, 6)), targets(rng, 10, loss, c), beta=1.0, loss=loss, offset=offset, **place
    )


KINDS = {
    "dense": dense,
    "pooled": images(ng.ReLUConvProblem),
    "separable": images(ng.ReLUConvProblem, readout="separable"),
    "linear": images(ng.LinearConvProblem),
    "circular": circular,
}
every_kind = pytest.mark.parametrize("kind", KINDS)
some_losses = pytest.mark.parametrize(
    ("loss", "c", "offset"), [("squared", 1, False), ("hinge", 1, True), ("softmax", 3, True)]
)


@pytest.fixture
def problem(kind, loss, c, offset):
    made = KINDS[kind](loss, c, offset)
    return made.with_beta(0.3 * ng.beta_max(made))


@every_kind
@some_losses
class TestEveryKind:
    def test_trained_certified_and_pruned(self, problem):
        solution = ng.train(problem, gap=1e-3, time_limit=20.0, n_jobs=1, random_state=1)
        assert solution.certificate.gap <= 1e-3
        assert solution.certificate.upper == pytest.approx(problem.objective(solution.network), rel=1e-12)
        again = ng.certify(solution.network, problem, gap=1e-3)
        assert again.lower <= solution.certificate.upper * (1 + 1e-12)
        assert again.upper <= solution.certificate.upper * (1 + 1e-9)
        pruning = ng.prune(solution.network, problem)
        assert pruning.after <= pruning.before * (1 + 1e-9)
        assert pruning.width <= solution.network.n_neurons

    def test_the_empty_network_is_optimal_at_beta_max(self, problem):
        largest = ng.beta_max(problem)
        at = ng.train(problem.with_beta(largest * (1 + 1e-9)), gap=1e-6)
        assert at.certificate.upper <= problem.fit.value(problem.outputs(problem.empty_network())) * (1 + 1e-12)
        empty = ng.certify(problem.empty_network(), problem.with_beta(largest * (1 + 1e-9)))
        assert empty.gap <= 1e-4

    def test_bounds_lie_below_random_networks(self, problem):
        rng = np.random.default_rng(5)
        solution = ng.train(problem, gap=1e-2)
        network = solution.network
        for scale in (0.01, 0.1, 1.0):
            v = problem.fit.project(scale * rng.standard_normal(problem.y.shape))
            bound = lower_bound(problem, v, problem.polar(v).bound)
            assert bound <= solution.certificate.upper
            if network.n_neurons:
                assert problem.attained(v, network) <= problem.polar(v).bound

    def test_paths(self, problem):
        path = ng.relu_path(problem, n_betas=3, beta_min_ratio=0.2, gap=1e-2, validation=self.validation(problem))
        assert len(path) == 3
        assert path.status is ng.Status.SOLVED
        uppers = [solution.certificate.upper for solution in path.solutions]
        assert uppers == sorted(uppers, reverse=True)
        assert np.isfinite(path.validation_error).all()
        assert path.solutions[0].network.n_neurons == 0

    @staticmethod
    def validation(problem):
        if isinstance(problem, ng.LinearConvProblem):
            X = problem.X.reshape(problem.n, *problem.geometry.shape)[:6]
        elif isinstance(problem, ng.ReLUConvProblem):
            X = np.random.default_rng(7).standard_normal((6, 5))
        else:
            X = problem.X[:6, :-1]
        y = problem.y if problem.loss.name != "softmax" else np.argmax(problem.y, axis=1)
        return X, y[:6]


@pytest.mark.parametrize("function", [ng.train, ng.beta_max, ng.relu_path])
def test_what_is_no_problem_is_refused_by_a_sentence(function):
    with pytest.raises(ng.InvalidInputError, match="`problem` must be a TrainingProblem, "):
        function((np.ones((3, 1)), np.ones(3)))


def test_kinds_are_told_apart(rng):
    relu, linear = dense("squared", 1, False), images(ng.LinearConvProblem)("squared", 1, False)
    with pytest.raises(ng.InvalidInputError, match=r"must be a LinearConvNetwork .* got TwoLayerNetwork"):
        ng.certify(relu.empty_network(), linear)
    with pytest.raises(ng.InvalidInputError, match="got LinearConvNetwork"):
        ng.certify(linear.empty_network(), relu)
    with pytest.raises(ng.InvalidInputError, match="must be a LinearConvNetwork"):
        ng.prune(relu.empty_network(), linear)


def test_programs_of_every_kind():
    relu, linear = dense("squared", 1, False), images(ng.LinearConvProblem)("squared", 1, False)
    solved = ng.solve_program(linear.with_beta(0.1), tol=1e-9)
    assert solved.certificate.scope == "exact"
    assert solved.certificate.gap <= 1e-9
    by_steps = ng.solve_program(linear.with_beta(0.1), tol=1e-6, solver="proximal_gradient")
    assert by_steps.certificate.upper == pytest.approx(solved.certificate.upper, rel=1e-5)
    with pytest.raises(ng.InvalidInputError, match="one convex program, without patterns"):
        ng.solve_program(linear, np.ones((1, 10), dtype=bool))
    with pytest.raises(ng.InvalidInputError, match="`patterns` must be given for a ReLU network"):
        ng.solve_program(relu)
    with pytest.raises(ng.InvalidInputError, match=r"`solver` must be one of .* got 'newton'"):
        ng.solve_program(linear, solver="newton")
    with pytest.raises(ng.InvalidInputError, match="over patterns, got 'fourier'"):
        ng.solve_program(relu, ng.enumerate_patterns(relu.X), solver="fourier")
