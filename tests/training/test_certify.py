"""Certificates of networks from elsewhere: their outputs are kept, their biases paid for, their errors named."""

import sys
import warnings

import numpy as np
import pytest
from registry.losses import TYPICAL
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import neuralgauge as ng
from neuralgauge.networks.foreign import network_of


def data(seed=0, n=25, d=2):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    return X, np.abs(X[:, 0]) + 0.1 * rng.standard_normal(n)


def fitted(kind, X, y, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return kind(**{"hidden_layer_sizes": (6,), "max_iter": 30, "random_state": 0, **options}).fit(X, y)


class Tensor:
    """As much of torch.Tensor as a conversion may use."""

    def __init__(self, values):
        self.values = np.asarray(values, dtype=np.float32)

    def detach(self):
        return self

    cpu = detach

    def double(self):
        return Tensor64(self.values)


class Tensor64(Tensor):
    def __init__(self, values):
        self.values = np.asarray(values, dtype=np.float64)

    def numpy(self):
        return self.values


def layer(name, **attributes):
    return type(name, (), {"__module__": f"torch.nn.modules.{name.lower()}"} | attributes)()


def linear(rng, inputs, outputs, bias=True):
    offset = Tensor(rng.standard_normal(outputs)) if bias else None
    return layer("Linear", weight=Tensor(rng.standard_normal((outputs, inputs))), bias=offset)


def sequential(*layers):
    return layer("Sequential", __iter__=lambda self: iter(layers))


@pytest.mark.parametrize("loss", TYPICAL)
def test_bounds_enclose_the_optimum(loss):
    """Optimum by Clarabel over all patterns; the global optimum and random weights are certified against it."""
    X, _ = data(n=9)
    y = np.array([1.0, -1.0, 1.0, 1.0, -1.0, -1.0, 1.0, -1.0, 1.0])
    problem = ng.TrainingProblem(X, y, beta=0.3, loss=loss)
    reference = ng.solve_program(problem, ng.enumerate_patterns(problem.X), solver="reference").certificate.upper
    best = ng.certify(ng.train(problem, gap=1e-6).network, problem, gap=1e-6)
    assert best.scope == "exact"
    assert best.lower <= reference * (1 + 1e-6)
    assert best.upper >= reference * (1 - 1e-6)
    assert best.gap <= 3e-6
    rng = np.random.default_rng(1)
    for m in (1, 3, 20):
        U, A = rng.standard_normal((3, m)), rng.standard_normal((m, 1))
        certificate = ng.certify((U, A), problem)
        assert certificate.lower <= reference * (1 + 1e-6)
        assert certificate.lower >= reference * (1 - 2e-4)
        assert certificate.upper == problem.objective(ng.TwoLayerNetwork(U, A).balance())
        assert certificate.upper <= problem.objective(ng.TwoLayerNetwork(U, A)) * (1 + 1e-12)
        assert reference < certificate.upper


def test_estimated_bound_stays_below_the_network_when_the_search_missed_its_neurons(monkeypatch):
    X, y = data()
    problem = ng.TrainingProblem(X, y, beta=0.1)
    good = ng.train(problem, gap=1e-6)
    blind = ng.Solution(
        good.network, ng.Certificate(2.0 * good.certificate.upper, 1.5 * good.certificate.upper, "estimated"),
        ng.Status.TIME_LIMIT, 0, 0.0, problem.y.copy(),
    )  # fmt: skip
    monkeypatch.setattr(sys.modules["neuralgauge.training.certify"], "train", lambda *args, **options: blind)
    certificate = ng.certify(good.network, problem)
    assert certificate.scope == "estimated"
    assert certificate.lower <= certificate.upper


def test_without_proof_nothing_is_called_proven():
    X, y = data()
    problem = ng.TrainingProblem(X, y, beta=0.5)
    weights = (np.ones((3, 1)), np.ones(1))
    estimated = ng.certify(weights, problem, prove=False)
    assert estimated.scope == "estimated"
    assert estimated.starts > 0
    proven = ng.certify(weights, problem, prove=True)
    assert proven.scope == "exact"
    assert estimated.lower == pytest.approx(proven.lower, rel=2e-4)


def test_time_limit_leaves_a_certificate():
    X, y = data(n=300, d=6)
    problem = ng.TrainingProblem(X, y, beta=0.01)
    certificate = ng.certify((np.ones((7, 1)), np.ones(1)), problem, time_limit=0.2, gap=1e-9, prove=False)
    assert np.isfinite(certificate.lower)
    assert certificate.lower <= certificate.upper


def test_arrays_of_either_shape_are_one_network():
    U, A = np.arange(6.0).reshape(3, 2), np.array([1.0, -2.0])
    assert np.array_equal(network_of((U, A)).A, network_of((U.tolist(), A[:, None])).A)
    network = network_of((U, A), bias=False)
    assert network.n_features == 3
    assert network_of(network, bias=False) is network


def test_mlp_regressor():
    X, y = data()
    model = fitted(MLPRegressor, X, y, solver="lbfgs", max_iter=200)
    network = network_of(model)
    assert np.allclose(network.predict(X), model.predict(X), rtol=1e-12, atol=1e-12)
    assert network.n_neurons == 7  # six, and the constant one
    weights = sum(np.sum(w**2) for w in (*model.coefs_, model.intercepts_[0]))
    assert network.weight_decay() == pytest.approx(0.5 * weights + abs(model.intercepts_[1][0]))
    problem = ng.TrainingProblem(X, y, beta=0.1)
    certificate = ng.certify(model, problem)
    assert certificate.scope == "exact"
    assert certificate.lower < certificate.upper <= problem.objective(network)


@pytest.mark.parametrize("classes", [(-1, 1), ("benign", "malign")])
def test_mlp_classifier_is_taken_by_its_logits(classes):
    X, target = data()
    labels = np.where(target > 0.7, classes[1], classes[0])
    model = fitted(MLPClassifier, X, labels)
    logits = network_of(model).predict(X)
    assert np.allclose(1.0 / (1.0 + np.exp(-logits)), model.predict_proba(X)[:, 1], rtol=1e-12, atol=1e-12)
    y = np.where(labels == model.classes_[1], 1.0, -1.0)
    certificate = ng.certify(model, ng.TrainingProblem(X, y, beta=0.1, loss="logistic"))
    assert certificate.scope == "exact"
    assert certificate.lower < certificate.upper


@pytest.mark.parametrize("biases", [(True, True), (True, False), (False, True), (False, False)])
def test_sequential(biases, rng):
    X, y = data()
    first, last = linear(rng, 2, 5, biases[0]), linear(rng, 5, 1, biases[1])
    model = sequential(first, layer("ReLU"), last)
    hidden = X @ first.weight.values.T + (first.bias.values if biases[0] else 0.0)
    expected = np.maximum(hidden, 0.0) @ last.weight.values[0] + (last.bias.values[0] if biases[1] else 0.0)
    network = network_of(model)
    assert np.allclose(network.predict(X), expected, rtol=1e-12, atol=1e-12)
    assert ng.certify(model, ng.TrainingProblem(X, y, beta=0.1)).scope == "exact"
    if not any(biases):
        assert np.allclose(network_of(model, bias=False).predict(X), expected, rtol=1e-12, atol=1e-12)


def test_real_sequential():
    torch = pytest.importorskip("torch")
    X, _ = data()
    for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 1e-5), (torch.bfloat16, 0.1)):
        model = torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.ReLU(), torch.nn.Linear(5, 1)).to(dtype)
        outputs = model(torch.as_tensor(X, dtype=dtype)).detach().double().numpy()[:, 0]
        assert np.allclose(network_of(model).predict(X), outputs, rtol=tolerance, atol=tolerance)


def test_refuses_foreign_networks_of_other_kinds(rng):
    X, y = data()
    labels, relu = np.arange(25) % 3, layer("ReLU")
    cases = [
        (MLPRegressor(), "must be fitted, got one that is not"),
        (fitted(MLPRegressor, X, y, hidden_layer_sizes=(3, 3)), "one hidden layer, got 2"),
        (fitted(MLPRegressor, X, y, activation="tanh"), "activation=\"relu\", got 'tanh'"),
        (fitted(MLPRegressor, X, np.column_stack([y, y])), "1 output, got 2; y must have one column an output."),
        (fitted(MLPRegressor, X, y**2, loss="poisson"), "output activation 'exp'"),
        (fitted(MLPClassifier, X, labels), "1 output, got 3"),
        (sequential(linear(rng, 2, 3), relu, linear(rng, 3, 3), relu, linear(rng, 3, 1)), "must hold (Linear, ReLU,"),
        (sequential(linear(rng, 2, 3), layer("Tanh"), linear(rng, 3, 1)), "got (Linear, Tanh, Linear)"),
        (sequential(linear(rng, 2, 3), relu, linear(rng, 3, 4)), "1 output, got 4"),
        (make_pipeline(StandardScaler(), fitted(MLPRegressor, X, y)), "got Pipeline; pass its last step"),
        (ng.train(ng.TrainingProblem(X, y, beta=1.0)), "got Solution; pass its `network`"),
        ("model", "got str."),
        ((np.ones((3, 1)),), "tuple (U, A) or (U, A, offset), got 1"),
        ((np.ones((3, 1)), np.ones(1), [1.0, 2.0]), "`offset` must be a number or have 1 entries, got 2"),
        (ng.TwoLayerNetwork(np.ones((3, 1)), [1.0], True, 0.5), "has an output offset and the problem has none"),
        (([["a"]], [1.0]), "arrays of numbers, got list"),
        ((np.ones((3, 2)), np.ones(3)), "transpose if yours are rows"),
        ((np.ones((3, 2)), np.ones((2, 2))), "1 output, got 2"),
        ((np.ones((2, 2)), np.ones(2)), "3 rows of U, got 2; the hidden biases are the last row of U"),
        (fitted(MLPRegressor, X[:, :1], y), "the 2 columns of X and the constant one, 3 rows of U, got 2"),
        (ng.TwoLayerNetwork(np.ones((3, 1)), [1.0], bias=False), "bias=False and the problem bias=True"),
    ]
    problem = ng.TrainingProblem(X, y, beta=1.0)
    for model, words in cases:
        with pytest.raises(ng.InvalidInputError) as refused:
            ng.certify(model, problem)
        assert words in str(refused.value)


@pytest.mark.parametrize(("kept", "place"), [(0, "hidden"), (1, "output")])
def test_biases_need_the_column_of_ones(kept, place):
    X, y = data()
    problem = ng.TrainingProblem(X, y, beta=1.0, bias=False)
    model = fitted(MLPRegressor, X, y)
    for k in (0, 1):
        model.intercepts_[k][:] = 1.0 if k == kept else 0.0
    with pytest.raises(ng.InvalidInputError, match=f"nonzero {place} bias"):
        ng.certify(model, problem)
    model.intercepts_[kept][:] = 0.0
    assert np.allclose(network_of(model, bias=False).predict(X), model.predict(X))
    assert ng.certify(model, problem).lower > 0.0


def test_an_output_bias_without_the_column_of_ones_needs_an_offset():
    X, y = data()
    weights = (np.ones((2, 1)), np.ones(1), 0.5)
    with pytest.raises(ng.InvalidInputError, match="offset=True, where it is free"):
        ng.certify(weights, ng.TrainingProblem(X, y, beta=1.0, bias=False))
    problem = ng.TrainingProblem(X, y, beta=1.0, bias=False, offset=True)
    balanced = ng.TwoLayerNetwork(*weights[:2], False, 0.5).balance()
    assert ng.certify(weights, problem).upper == problem.objective(balanced)


CASES = [
    ("squared", False), ("squared", True), ("absolute", False), ("huber", True), ("softmax", False), ("softmax", True),
]  # fmt: skip


@pytest.mark.parametrize(("loss", "offset"), CASES)
def test_several_outputs(loss, offset):
    """Random and perturbed networks lie above the bound; what was trained is certified, what was corrupted is not."""
    X, y = data(n=10)
    rng = np.random.default_rng(2)
    Y = np.arange(10) % 3 if loss == "softmax" else np.column_stack([y, X[:, 1]])
    problem = ng.TrainingProblem(X, Y, beta=0.3, loss=loss, offset=offset)
    best = ng.train(problem, gap=1e-3).network
    certificate = ng.certify(best, problem, gap=1e-3)
    assert certificate.scope == "exact"
    assert certificate.lower <= certificate.upper <= certificate.lower * (1 + 3e-3)
    corrupted = ng.TwoLayerNetwork(best.U, best.A + 0.3 * rng.standard_normal(best.A.shape), True, best.offset)
    other = ng.certify(corrupted, problem, gap=1e-3)
    assert other.upper > certificate.upper
    assert other.gap > certificate.gap
    assert other.lower <= certificate.upper
    U, A = rng.standard_normal((3, 8)), rng.standard_normal((8, problem.c))
    given = ng.TwoLayerNetwork(U, A, True, rng.standard_normal(problem.c) if offset else 0.0)
    random = ng.certify(given, problem, gap=1e-3)
    assert random.lower <= random.upper == problem.objective(given.balance())
    assert certificate.lower <= random.upper <= problem.objective(given)


def test_several_outputs_are_certified_after_balancing(rng):
    X, y = data(n=10)
    problem = ng.TrainingProblem(X, np.column_stack([y, X[:, 1]]), beta=0.3)
    U, A = rng.standard_normal((3, 8)), rng.standard_normal((8, 2))
    uppers = [ng.certify((t * U, A / t), problem, gap=0.1, prove=False).upper for t in (1.0, 4.0)]
    assert uppers[0] == pytest.approx(uppers[1], rel=1e-12)


def test_output_biases_of_several_outputs_are_one_neuron_or_the_offset(rng):
    U, A, b = rng.standard_normal((3, 4)), rng.standard_normal((4, 3)), np.array([3.0, -4.0, 0.0])
    X = rng.standard_normal((6, 2))
    charged, free = network_of((U, A, b)), network_of((U, A, b), offset=True)
    expected = np.maximum(np.column_stack([X, np.ones(6)]) @ U, 0.0) @ A + b
    for network in (charged, free):
        assert np.allclose(network.predict(X), expected, rtol=1e-12, atol=1e-12)
    assert charged.n_neurons == 5
    assert not charged.offset.any()
    assert charged.weight_decay() == pytest.approx(free.weight_decay() + 5.0)
    assert free.n_neurons == 4
    assert free.offset.tolist() == b.tolist()
    assert network_of(free, offset=True) is free


def test_mlp_regressor_of_several_outputs():
    X, y = data()
    model = fitted(MLPRegressor, X, np.column_stack([y, X[:, 1]]), solver="lbfgs", max_iter=200)
    for offset in (False, True):
        network = network_of(model, offset=offset)
        assert np.allclose(network.predict(X), model.predict(X), rtol=1e-12, atol=1e-12)
        problem = ng.TrainingProblem(X, np.column_stack([y, X[:, 1]]), beta=0.3, offset=offset)
        certificate = ng.certify(model, problem, gap=1e-2)
        assert certificate.scope == "exact"
        assert certificate.lower < certificate.upper <= problem.objective(network)


def test_mlp_classifier_of_three_irises():
    features, labels = load_iris(return_X_y=True)
    X = StandardScaler().fit_transform(features[::3, 2:])
    model = fitted(MLPClassifier, X, labels[::3], solver="lbfgs", max_iter=200)
    powers = np.exp(network_of(model).predict(X))
    assert np.allclose(powers / powers.sum(axis=1)[:, None], model.predict_proba(X), rtol=1e-10, atol=1e-12)
    problem = ng.TrainingProblem(X, labels[::3], beta=0.3, loss="softmax")
    certificate = ng.certify(model, problem, gap=1e-2)
    assert certificate.scope == "exact"
    assert certificate.lower < certificate.upper


def test_one_logit_is_not_taken_for_two_classes_of_the_softmax_loss():
    X, target = data()
    labels = (target > 0.7).astype(int)
    model = fitted(MLPClassifier, X, labels)
    with pytest.raises(ng.InvalidInputError, match='2 outputs, got 1; one logit of two classes belongs to loss="log'):
        ng.certify(model, ng.TrainingProblem(X, labels, beta=1.0, loss="softmax"))


def test_logits_of_labels_that_do_not_exclude_each_other():
    X, target = data()
    labels = np.column_stack([target > 0.7, X[:, 1] > 0]).astype(int)
    model = fitted(MLPClassifier, X, labels)
    problem = ng.TrainingProblem(X, 2.0 * labels - 1.0, beta=1.0, loss="logistic")
    certificate = ng.certify(model, problem, gap=1e-2)
    assert certificate.lower < certificate.upper == problem.objective(network_of(model).balance())


def test_sequential_of_several_outputs(rng):
    X, y = data()
    first, last = linear(rng, 2, 5), linear(rng, 5, 2)
    model = sequential(first, layer("ReLU"), last)
    expected = np.maximum(X @ first.weight.values.T + first.bias.values, 0.0) @ last.weight.values.T + last.bias.values
    for offset in (False, True):
        network = network_of(model, offset=offset)
        assert np.allclose(network.predict(X), expected, rtol=1e-12, atol=1e-12)
        problem = ng.TrainingProblem(X, np.column_stack([y, y]), beta=0.3, offset=offset)
        assert ng.certify(model, problem, gap=1e-2).upper == problem.objective(network.balance())


@pytest.mark.parametrize("exponent", [100, 153, 170, 300])
def test_a_neuron_with_weights_of_extreme_sizes_counts(exponent):
    """Another function than the optimum's is never certified as it, whatever the squares of its weights do."""
    X, y = data()
    problem = ng.TrainingProblem(X, y, beta=0.3)
    best = ng.train(problem, gap=1e-6).network
    U = np.hstack([best.U, [[10.0**-exponent], [0.0], [0.0]]])
    certificate = ng.certify(ng.TwoLayerNetwork(U, np.vstack([best.A, [[10.0**exponent]]])), problem, gap=1e-6)
    plain = ng.TwoLayerNetwork(np.hstack([best.U, [[1.0], [0.0], [0.0]]]), np.vstack([best.A, [[1.0]]]))
    assert certificate.upper == pytest.approx(problem.objective(plain), rel=1e-9)
    assert certificate.gap > 0.1


def test_an_objective_beyond_double_precision_is_refused():
    X, y = data()
    problem = ng.TrainingProblem(X, y, beta=0.3)
    with pytest.raises(ng.InvalidInputError, match=r"objective must be finite, got .* weights up to 1e\+160"):
        ng.certify(ng.TwoLayerNetwork([[1e200], [0.0], [0.0]], [1e120]), problem)


def test_a_tiny_output_bias_costs_what_it_costs():
    """Without an offset a bias of 1e-170 becomes a constant neuron, not an offset that the problem does not have."""
    problem = ng.TrainingProblem(*data(), beta=0.3)
    network = network_of((np.zeros((3, 0)), np.zeros((0, 1)), [1e-170]), True)
    assert network.n_neurons == 1
    assert not np.any(network.offset)
    assert ng.certify(network, problem).upper == problem.objective(problem.empty_network())
