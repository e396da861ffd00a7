"""Networks of scikit-learn with our weights predict what our models do, and others take them as they are."""

import pickle
import warnings
from dataclasses import replace

import numpy as np
import pytest
from cases import targets_of
from sklearn.base import clone
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils.validation import check_is_fitted

import neuralgauge as ng
from neuralgauge.certificate import Certificate
from neuralgauge.interchange import SavedModel
from neuralgauge.interchange.model_file import from_estimator
from neuralgauge.losses import LOSSES, get_loss
from neuralgauge.preparation import Standardization
from neuralgauge.preparation.encoding import ColumnCode


def table(n=30):
    z = np.random.default_rng(0).standard_normal((n, 3))
    return z * [1.0, 1e4, 1e-3] + [5.0, -2e4, 0.0], z


@pytest.mark.parametrize("loss", [name for name in LOSSES if get_loss(name).targets in ("real", "count")])
@pytest.mark.parametrize("c", [1, 2])
def test_regressors(loss, c):
    X, z = table()
    y = targets_of(loss, np.abs(z[:, :c]) + z[:, 1:2])
    model = ng.ReLURegressor(loss=loss, beta=0.5, gap=0.3, offset=c == 1).fit(X, y)
    network = ng.to_sklearn(model)
    check_is_fitted(network)
    assert type(network) is MLPRegressor
    assert network.predict(X).shape == model.predict(X).shape
    np.testing.assert_allclose(network.predict(X), model.predict(X), rtol=1e-12, atol=1e-12)
    assert network.score(X, y) == pytest.approx(model.score(X, y), abs=1e-12)
    assert network.out_activation_ == ("exp" if loss == "poisson" else "identity")
    np.testing.assert_array_equal(network.coefs_[0], model.network_.U[:3])


@pytest.mark.parametrize("options", [{}, {"loss": "softmax"}, {"multi_class": "one_vs_rest"}], ids=str)
@pytest.mark.parametrize("classes", [["no", "yes"], [-1, 4], [False, True], [2.0, 3.0, 4.0], ["c", "b", "a", "ä"]])
def test_classifiers(options, classes):
    X, z = table()
    labels = np.array(classes)[np.digitize(z[:, 0], np.quantile(z[:, 0], np.arange(1, len(classes)) / len(classes)))]
    model = ng.ReLUClassifier(beta=0.3, gap=0.3, **options).fit(X, labels)
    if options == {"multi_class": "one_vs_rest"} and len(classes) > 2:
        with pytest.raises(
            ng.InvalidInputError, match="classes trained one against the rest are not; pass the network"
        ):
            ng.to_sklearn(model)
        scores = ng.to_sklearn(model.network_)
        np.testing.assert_allclose(scores.predict(X), model.decision_function(X), atol=1e-11)
        return
    network = ng.to_sklearn(model)
    assert type(network) is MLPClassifier
    assert network.classes_.tolist() == model.classes_.tolist()
    assert network.predict(X).tolist() == model.predict(X).tolist()
    np.testing.assert_allclose(network.predict_proba(X), model.predict_proba(X), atol=1e-12)
    assert network.n_outputs_ == (1 if len(classes) == 2 else len(classes))


def test_they_are_estimators_of_scikit_learn():
    X, z = table()
    model = ng.to_sklearn(ng.ReLUClassifier(beta=0.3, gap=0.3).fit(X, z[:, 0] > 0))
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    fresh = clone(model).set_params(max_iter=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert fresh.fit(X, z[:, 0] > 0).hidden_layer_sizes == model.hidden_layer_sizes
    with pytest.raises(ValueError, match="expecting 3 features"):
        model.predict(X[:, :2])


def test_the_certificate_of_what_comes_back():
    _, z = table(12)
    for loss in ("squared", "poisson"):
        y = targets_of(loss, z[:, :1])
        model = ng.ReLURegressor(loss=loss, beta=0.5, gap=0.1, standardize=False).fit(z, y)
        problem = ng.TrainingProblem(z, y, beta=0.5, loss=loss)
        found = ng.certify(ng.to_sklearn(model), problem, gap=0.1)
        assert found.upper == pytest.approx(model.certificate_.upper, rel=1e-12)


def test_networks_and_saved_models():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(5, 2))
    for network in (
        ng.TwoLayerNetwork(rng.normal(size=(3, 4)), rng.normal(size=(4, 2)), offset=[1.0, 2.0]),
        ng.TwoLayerNetwork(rng.normal(size=(2, 1)), rng.normal(size=1), bias=False),
        ng.TwoLayerNetwork(np.empty((3, 0)), np.empty((0, 2)), offset=[1.0, 2.0]),
    ):
        np.testing.assert_allclose(ng.to_sklearn(network).predict(X), network.predict(X), atol=1e-14)
        target = np.array([[5.0, 6.0], [7.0, 8.0]])[:, : network.n_outputs]
        saved = SavedModel(
            network=network,
            task="regression",
            loss="squared",
            beta=1.0,
            certificate=Certificate(1.0, 0.5, "estimated"),
            standardization=Standardization([1.0, 2.0], [3.0, 4.0], *target),
            feature_names=("a", "b"),
        )
        made = ng.to_sklearn(saved)
        assert made.feature_names_in_.tolist() == ["a", "b"]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            np.testing.assert_allclose(made.predict(X), saved.predict(X), atol=1e-12)


def test_what_scikit_learn_does_not_express():
    X, z = table()
    geometry = ng.PatchGeometry((4, 1), filter_size=2)
    hinge = ng.ReLUClassifier(loss="hinge", beta=1.0, gap=0.5).fit(X, z[:, 0] > 0)
    fitted = ng.ReLURegressor(beta=1.0, gap=0.5).fit(X, z[:, 0])
    encoded = replace(
        from_estimator(fitted), encoding=tuple(ColumnCode(k, "number") for k in "abc"), feature_names=("a", "b", "c")
    )
    for model, words in (
        (ng.ReLUConvNetwork([[1.0], [1.0], [0.0]], [1.0], geometry=geometry), "no convolutional networks"),
        (ng.ReLUQuantileRegressor(gap=0.5, beta=5.0).fit(X, z[:, 0]), "of 3 levels; pass one of its `estimators_`"),
        (hinge, "the loss of this ReLUClassifier has none"),
        (encoded, "this SavedModel encodes columns"),
        (ng.ReLURegressor(), "call its `fit` first"),
    ):
        with pytest.raises(ng.InvalidInputError, match=words):
            ng.to_sklearn(model)
    quantile = ng.ReLUQuantileRegressor(levels=[0.3], gap=0.5, beta=5.0).fit(X, z[:, 0])
    np.testing.assert_allclose(ng.to_sklearn(quantile).predict(X), quantile.predict(X), atol=1e-12)


@pytest.fixture
def trained():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    return ng.ReLURegressor(beta=0.3, gap=1e-2).fit(X, np.abs(X[:, 0]) - X[:, 1])


def smallest(model):
    """The least output on a fine grid of the box."""
    axis = np.linspace(-2.0, 2.0, 401)
    return model.predict(np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)).min()


def test_gurobi_takes_them(trained):
    gurobi = pytest.importorskip("gurobipy")
    gurobi_ml = pytest.importorskip("gurobi_ml")
    with gurobi.Env(params={"OutputFlag": 0}) as env, gurobi.Model(env=env) as program:
        x = program.addMVar((1, 2), lb=-2.0, ub=2.0)
        f = program.addMVar((1, 1), lb=-gurobi.GRB.INFINITY)
        gurobi_ml.add_predictor_constr(program, ng.to_sklearn(trained), x, f)
        program.setObjective(f.sum())
        program.optimize()
        assert f.X.item() == pytest.approx(trained.predict(x.X)[0], abs=1e-5)
        assert smallest(trained) - 0.02 <= f.X.item() <= smallest(trained) + 1e-5


def test_omlt_takes_the_onnx_model_of_the_network(trained):
    omlt, environ = pytest.importorskip("omlt"), pytest.importorskip("pyomo.environ")
    pytest.importorskip("onnx")
    pytest.importorskip("highspy")
    from omlt.io import load_onnx_neural_network
    from omlt.neuralnet import ReluBigMFormulation

    network = trained.network_
    definition = load_onnx_neural_network(ng.to_onnx(network, precision="float64"), input_bounds=[(-2.0, 2.0)] * 2)
    program = environ.ConcreteModel()
    program.network = omlt.OmltBlock()
    program.network.build_formulation(ReluBigMFormulation(definition))
    program.objective = environ.Objective(expr=program.network.outputs[0])
    environ.SolverFactory("appsi_highs").solve(program)
    least = environ.value(program.objective)
    assert smallest(trained) - 0.02 <= least <= smallest(trained) + 1e-5
