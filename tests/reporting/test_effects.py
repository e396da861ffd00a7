"""What a report computes, against slow twins: slopes by differences, loops over rows, scikit-learn's scores."""

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.reporting import effects, outcomes
from neuralgauge.reporting.subject import Subject


@pytest.fixture
def subject(cases):
    def of(kind):
        model, X, y = cases[kind]
        return Subject.of(model, X, y, None, None, None)

    return of


@pytest.mark.parametrize("kind", ["regression", "several targets", "two classes", "three classes"])
def test_importances_are_mean_slopes_times_deviations(subject, kind):
    one = subject(kind)
    f = one.saved.decision_function
    spread = 1.0 if one.saved.classes else one.y.std(axis=0)
    for k in range(one.rows.shape[1]):
        step = np.zeros(one.rows.shape[1])
        step[k] = 1e-6
        slopes = (f(one.rows + step) - f(one.rows - step)) / 2e-6 / spread
        expected = np.abs(slopes).reshape(len(one.rows), -1).mean(axis=0).sum() * one.rows[:, k].std()
        assert effects.importances(one)[k] == pytest.approx(expected, rel=5e-3, abs=1e-9)  # rows lie on kinks


def test_partial_dependence_is_a_mean_over_rows(subject):
    one = subject("three classes")
    curves = effects.partial_dependence(one)
    order = np.argsort(-effects.importances(one))
    assert [curve.name for curve in curves] == [one.names[k] for k in order[: len(curves)]]
    for curve, k in zip(curves, order, strict=False):
        for value, mean in list(zip(curve.values, curve.means, strict=True))[::10]:
            X = one.rows.copy()
            X[:, k] = value
            np.testing.assert_allclose(mean, one.saved.predict_proba(X).mean(axis=0), atol=1e-12)
    assert curves[0].values[[0, -1]].tolist() == [one.rows[:, order[0]].min(), one.rows[:, order[0]].max()]


def test_neurons_by_their_cost(subject):
    one = subject("regression")
    network = one.saved.network
    cost = np.linalg.norm(network.U, axis=0) * np.abs(network.A[:, 0])
    found = effects.neurons(one)
    order = np.argsort(-cost)[: effects.MOST_NEURONS]
    for neuron, j in zip(found, order, strict=True):
        assert neuron.share == pytest.approx(cost[j] / cost.sum())
        features = one.saved.standardization.features(one.rows)
        active = [np.append(row, 1.0) @ network.U[:, j] > 0 for row in features]
        assert neuron.active == pytest.approx(np.mean(active))
        assert neuron.effects == (("raises " if network.A[j, 0] > 0 else "lowers ") + one.outputs[0],)
        moved = network.U[:4, j] * features.std(axis=0)
        assert neuron.weights[0].name == one.names[int(np.argmax(np.abs(moved)))]
        assert abs(neuron.weights[0].share) == pytest.approx(1.0)
        assert [np.sign(w.share) for w in neuron.weights] == [
            np.sign(moved[one.names.index(w.name)]) for w in neuron.weights
        ]


def test_scores_are_those_of_scikit_learn(subject):
    from sklearn import metrics

    one = subject("regression")
    f = outcomes.predictions(one)
    values = {score.name: score.value for score in outcomes.scores(one, f)[0][1]}
    assert values["R²"] == f"{metrics.r2_score(one.y, f):.3f}".rstrip("0")
    assert float(values["mean absolute error"]) == pytest.approx(metrics.mean_absolute_error(one.y, f), rel=1e-3)
    assert float(values["root mean square error"]) == pytest.approx(metrics.root_mean_squared_error(one.y, f), rel=1e-3)
    one = subject("three classes")
    f = outcomes.predictions(one)
    values = {score.name: score.value for score in outcomes.scores(one, f)[0][1]}
    assert float(values["accuracy"][:-2]) == pytest.approx(100 * metrics.accuracy_score(one.y, f), rel=5e-3)
    assert float(values["balanced accuracy"][:-2]) == pytest.approx(
        100 * metrics.balanced_accuracy_score(one.y, f), rel=5e-3
    )
    chances = one.saved.predict_proba(one.rows)
    assert float(values["log loss"]) == pytest.approx(metrics.log_loss(one.y, chances), rel=1e-3)
    counts = [row.counts for row in outcomes.confusion(one, f)]
    np.testing.assert_array_equal(counts, metrics.confusion_matrix(one.y, f))
    assert ng.__name__ == "neuralgauge"


def test_probabilities_in_bins(subject):
    one = subject("two classes")
    confidence, right = outcomes.reliability(one)
    assert len(confidence) == 6
    assert np.all(np.diff(confidence) >= 0)
    assert right.mean() == pytest.approx(np.mean(outcomes.predictions(one) == one.y))
    assert outcomes.reliability(subject("margins")) is None
