"""Two-layer networks: outputs, weight decay and the forms that keep the function."""

import numpy as np
import pytest

import neuralgauge as ng


def random_network(seed, d=4, m=6, c=1, bias=True):
    rng = np.random.default_rng(seed)
    return ng.TwoLayerNetwork(rng.standard_normal((d, m)), rng.standard_normal((m, c)), bias)


def obvious_outputs(network, X):
    """f(x) = sum_j (x^T u_j)_+ alpha_j, one number after the other."""
    outputs = np.zeros((len(X), network.A.shape[1]))
    for i, x in enumerate(X):
        row = [*x, 1.0] if network.bias else list(x)
        for j in range(network.n_neurons):
            activation = max(0.0, sum(row[k] * network.U[k, j] for k in range(len(row))))
            for k in range(network.A.shape[1]):
                outputs[i, k] += activation * network.A[j, k]
    return outputs[:, 0] if network.A.shape[1] == 1 else outputs


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("c", [1, 3])
@pytest.mark.parametrize("n", [1, 7])
def test_outputs_against_a_loop(bias, c, n):
    network = random_network(0, c=c, bias=bias)
    X = np.random.default_rng(1).standard_normal((n, network.n_features))
    expected = obvious_outputs(network, X)
    assert network.predict(X).shape == expected.shape
    np.testing.assert_allclose(network.predict(X), expected, atol=1e-13)
    design = np.hstack([X, np.ones((n, 1))]) if bias else X
    np.testing.assert_array_equal(network.forward(design), network.predict(X))


def test_weight_decay():
    assert ng.TwoLayerNetwork([[3.0, 0.0], [4.0, 1.0]], [2.0, -1.0]).weight_decay() == 0.5 * (9 + 16 + 1 + 4 + 1)


def test_objective_is_loss_plus_penalty(paper):
    problem = paper(0.1)
    network = ng.TwoLayerNetwork([[1.0], [0.5]], [-2.0])
    f = obvious_outputs(network, problem.X[:, :-1])
    assert problem.objective(network) == pytest.approx(0.5 * np.sum((f - problem.y) ** 2) + 0.05 * (1.25 + 4.0))


@pytest.mark.parametrize("c", [1, 2])
@pytest.mark.parametrize("seed", range(5))
def test_balance_keeps_the_outputs_and_lowers_the_weight_decay(c, seed):
    network = random_network(seed, c=c)
    balanced = network.balance()
    X = np.random.default_rng(seed).standard_normal((20, 3))
    np.testing.assert_allclose(balanced.predict(X), network.predict(X), atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(balanced.U, axis=0), np.linalg.norm(balanced.A, axis=1))
    assert balanced.weight_decay() < network.weight_decay()
    products = np.linalg.norm(network.U, axis=0) * np.linalg.norm(network.A, axis=1)
    assert balanced.weight_decay() == pytest.approx(products.sum())
    assert balanced.balance().weight_decay() == pytest.approx(balanced.weight_decay())


def test_balance_drops_dead_neurons():
    network = ng.TwoLayerNetwork([[1.0, 0.0, 2.0], [0.0, 0.0, 1.0]], [0.0, 5.0, -1.0])
    balanced = network.balance()
    assert balanced.n_neurons == 1
    np.testing.assert_allclose(balanced.predict([[0.3], [-2.0]]), network.predict([[0.3], [-2.0]]))


@pytest.mark.parametrize("c", [1, 2])
def test_merge_joins_neurons_on_one_ray(c):
    """Neurons 0 to 3 share a ray, of which 1 has another output; 4 lies on the opposite ray."""
    rng = np.random.default_rng(0)
    u, other, a, b = rng.standard_normal(3), rng.standard_normal(3), rng.standard_normal(c), rng.standard_normal(c)
    b *= -np.sign(a @ b)
    U = np.column_stack([u, u, 3.0 * u, 0.1 * u, -u, other])
    network = ng.TwoLayerNetwork(U, np.array([a, b, 2.0 * a, a, a, b]))
    merged = network.merge()
    assert merged.n_neurons == 3
    X = rng.standard_normal((30, 2))
    np.testing.assert_allclose(merged.predict(X), network.predict(X), atol=1e-12)
    on_ray = np.linalg.norm(u) * (np.linalg.norm(7.1 * a + b) + np.linalg.norm(a))
    assert merged.weight_decay() == pytest.approx(on_ray + np.linalg.norm(other) * np.linalg.norm(b))
    assert merged.weight_decay() < network.balance().weight_decay()
    np.testing.assert_allclose(np.linalg.norm(merged.U, axis=0), np.linalg.norm(merged.A, axis=1))
    assert network.merge().merge().n_neurons == 3


def test_merge_leaves_distinct_neurons_alone():
    network = random_network(3, c=2)
    merged = network.merge()
    assert merged.n_neurons == network.n_neurons
    assert merged.weight_decay() == pytest.approx(network.balance().weight_decay())


def test_merge_within_a_tolerance():
    network = ng.TwoLayerNetwork([[1.0, 1.0], [0.0, 1e-7]], [1.0, 1.0])
    assert network.merge().n_neurons == 2
    merged = network.merge(1e-6)
    assert merged.n_neurons == 1
    np.testing.assert_allclose(merged.predict([[2.0]]), network.predict([[2.0]]), rtol=1e-6)


@pytest.mark.parametrize("m", [0, 1])
def test_very_small_networks(m):
    network = ng.TwoLayerNetwork(np.ones((2, m)), np.ones(m))
    for same in (network, network.balance(), network.merge()):
        assert same.n_neurons == m
        np.testing.assert_allclose(same.predict([[3.0]]), [4.0 * m])
    assert network.weight_decay() == 1.5 * m


@pytest.mark.parametrize("m", [0, 4])
def test_one_output_alone(m):
    rng = np.random.default_rng(0)
    network = ng.TwoLayerNetwork(rng.normal(size=(3, m)), rng.normal(size=(m, 2)), True, rng.normal(size=2))
    X = rng.normal(size=(5, 3))
    np.testing.assert_allclose(network.output(1).forward(X), network.forward(X)[:, 1])


def test_weights_are_copied_and_read_only():
    U, A = np.ones((2, 1)), np.ones(1)
    network = ng.TwoLayerNetwork(U, A)
    U[:], A[:] = 0.0, 0.0
    assert network.predict([[1.0]]).tolist() == [2.0]
    with pytest.raises(ValueError, match="read-only"):
        network.U[0, 0] = 5.0


@pytest.mark.parametrize(
    ("U", "A", "message"),
    [
        ([[1.0, 2.0]], [1.0], r"`U` must have shape \(d, m\).*got \(1, 2\) and \(1, 1\); columns of U are neurons"),
        ([1.0, 2.0], [1.0], "`U` must have shape"),
        ([[1.0]], [[[1.0]]], "`U` must have shape"),
        ([[np.nan]], [1.0], "must be finite"),
        ([[1.0]], [np.inf], "must be finite"),
    ],
)
def test_wrong_weights(U, A, message):
    with pytest.raises(ng.InvalidInputError, match=message):
        ng.TwoLayerNetwork(U, A)


def test_wrong_number_of_columns():
    with pytest.raises(ng.InvalidInputError, match="`X` must have 3 columns for this network, got 4"):
        random_network(0).predict(np.zeros((2, 4)))


def test_gated_network_against_a_loop(rng):
    W, gates, X = rng.standard_normal((5, 3)), rng.standard_normal((5, 3)), rng.standard_normal((9, 2))
    design = np.hstack([X, np.ones((9, 1))])
    expected = [sum(x @ w for w, h in zip(W, gates, strict=True) if x @ h >= 0) for x in design]
    network = ng.GatedNetwork(W, gates)
    np.testing.assert_allclose(network.predict(X), expected)
    assert network.n_neurons == 5


def test_gated_network_without_gates_says_what_it_needs():
    with pytest.raises(ng.InvalidInputError, match="sample_patterns or enumerate_patterns"):
        ng.GatedNetwork(np.ones((1, 2)), None).predict([[1.0]])


@pytest.mark.parametrize(("hidden", "output"), [(-170, 170), (-153, 153), (-307, 307), (200, -190), (-320, 300)])
def test_balance_keeps_neurons_of_any_size(hidden, output):
    """Squares of these weights under- or overflow; the neuron adds a part of order one all the same."""
    network = random_network(0, c=2)
    u, a = np.array([0.3, -1.0, 0.2, 0.5]) * 10.0**hidden, np.array([1.0, -2.0]) * 10.0**output
    extreme = network.with_neurons(np.column_stack([network.U, u]), np.vstack([network.A, a]))
    X = np.random.default_rng(0).standard_normal((20, 3))
    balanced = extreme.balance()
    assert balanced.n_neurons == network.n_neurons + 1
    expected = obvious_outputs(extreme, X)
    np.testing.assert_allclose(balanced.predict(X), expected, rtol=1e-3 if hidden == -320 else 1e-12)
    np.testing.assert_allclose(np.linalg.norm(balanced.U, axis=0), np.linalg.norm(balanced.A, axis=1), rtol=1e-12)
    np.testing.assert_allclose(extreme.merge().predict(X), balanced.predict(X), rtol=1e-12)


def test_balance_drops_what_adds_nothing():
    network = ng.TwoLayerNetwork([[1.0, 0.0, 1e-200, 1.0], [1.0, 0.0, 0.0, 0.0]], [1.0, 1.0, 1e-170, 0.0])
    assert network.balance().n_neurons == 1
    assert network.merge().n_neurons == 1


def test_weight_decay_beyond_double_precision_is_infinite():
    assert ng.TwoLayerNetwork([[1e160], [0.0]], [1.0]).weight_decay() == np.inf
