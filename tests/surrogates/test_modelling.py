"""Surrogates in Pyomo and OMLT, solved by HiGHS."""

import sys

import numpy as np
import pytest
from box_twin import random_network

import neuralgauge as ng


def solve(pyo, model):
    pytest.importorskip("highspy")
    result = pyo.SolverFactory("appsi_highs").solve(model)
    assert result.solver.termination_condition == pyo.TerminationCondition.optimal


@pytest.mark.parametrize("sense", [None, "minimize"])
def test_a_block_of_pyomo_has_the_same_optimum(rng, sense):
    pyo = pytest.importorskip("pyomo.environ")
    network = random_network(rng, d=3, m=14, c=2)
    surrogate = ng.surrogate(network, [-2, -1, 0], [2.5, 1, 0], integer=[0], sense=sense)
    model = pyo.ConcreteModel()
    model.net = surrogate.to_pyomo()
    model.cost = pyo.Objective(expr=model.net.outputs[1])
    solve(pyo, model)
    assert pyo.value(model.cost) == pytest.approx(surrogate.minimize(1).value, abs=1e-5)
    x = [pyo.value(model.net.inputs[k]) for k in range(3)]
    assert network.predict([x])[0, 1] == pytest.approx(pyo.value(model.net.outputs[1]), abs=1e-5)
    assert x[0] == pytest.approx(round(x[0]), abs=1e-5)
    assert len(model.net.gates) == surrogate.n_binaries


@pytest.mark.parametrize("m", [0, 9])
def test_omlt_takes_the_network(rng, m):
    pyo = pytest.importorskip("pyomo.environ")
    omlt = pytest.importorskip("omlt")
    neuralnet = pytest.importorskip("omlt.neuralnet")
    network = random_network(rng, d=2, m=m, bias=m == 0)
    surrogate = ng.surrogate(network, -1.0, [1.0, 2.0])
    model = pyo.ConcreteModel()
    model.net = omlt.OmltBlock()
    model.net.build_formulation(neuralnet.ReluBigMFormulation(surrogate.to_omlt()))
    model.cost = pyo.Objective(expr=model.net.outputs[0], sense=pyo.maximize)
    solve(pyo, model)
    assert pyo.value(model.cost) == pytest.approx(surrogate.maximize().value, abs=1e-5)


@pytest.mark.parametrize(("name", "package"), [("to_pyomo", "pyomo"), ("to_omlt", "omlt")])
def test_without_the_package(rng, monkeypatch, name, package):
    for module in [*sys.modules, package, f"{package}.environ", f"{package}.neuralnet"]:
        if module.split(".")[0] == package:
            monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ng.MissingDependencyError, match=f"pip install {package}"):
        getattr(ng.surrogate(random_network(rng), 0, 1), name)()


def test_units_that_solvers_would_round_away_are_refused(rng):
    pytest.importorskip("pyomo.environ")
    network = random_network(rng, m=8)
    with pytest.raises(ng.InvalidInputError, match="taken for zero"):
        ng.surrogate(
            ng.TwoLayerNetwork(network.U * [[1e-12], [1.0], [1.0]], network.A), -1, np.array([1e12, 1])
        ).to_pyomo()
