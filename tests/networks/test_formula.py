"""Formulas are the network: as text, LaTeX and SymPy, with the error of rounding that they state."""

import re

import numpy as np
import pytest

import neuralgauge as ng

RNG = np.random.default_rng(5)


def network(d, m, c=1, bias=True, seed=0):
    rng = np.random.default_rng(seed)
    return ng.TwoLayerNetwork(
        rng.standard_normal((d + bias, m)), rng.standard_normal((m, c)), bias, rng.standard_normal(c)
    )


NETWORKS = [
    network(3, 5),
    network(1, 4),
    network(2, 3, 3),
    network(2, 0),
    network(4, 3, 2, bias=False),
    ng.TwoLayerNetwork([[0.0, 1.0, 0.0], [2.0, 0.0, -3.0]], [1.5, 0.0, 7.0], offset=1.0),
    ng.TwoLayerNetwork([[1e-200, 3e150], [1e-200, 0.0]], [1e200, 1e-150]),
]


def evaluated(text, names, row):
    """The text read as Python, products where a blank stands."""
    text = re.sub(r"(?<=[0-9]) (?=[a-z(])", " * ", text)
    return eval(text, {"max": max}, dict(zip(names, row, strict=True)))


@pytest.mark.parametrize("net", NETWORKS)
def test_the_text_is_the_network(net):
    names = [f"n{k}" for k in range(net.n_features)]
    formula = net.formula(names, digits=None)
    X = RNG.standard_normal((30, net.n_features))
    right = net.predict(X).reshape(30, -1)
    size = 1e-13 * np.abs(right).max()
    for line, wanted in zip(formula._lines(style_of(formula)), right.T, strict=True):
        text = line.split(" = ")[-1].replace("\n", " ")
        assert np.allclose([evaluated(text, names, row) for row in X], wanted, rtol=1e-12, atol=size)
    assert np.allclose(formula.predict(X).reshape(30, -1), right, rtol=1e-12, atol=size)


def style_of(formula):
    from neuralgauge.networks.formula_styles import Style

    return Style(formula.names, formula.digits)


@pytest.mark.parametrize("net", NETWORKS)
def test_sympy_is_the_network(net):
    sympy = pytest.importorskip("sympy")
    formula = net.formula(digits=None)
    X = RNG.standard_normal((20, net.n_features))
    symbols = [sympy.Symbol(name, real=True) for name in formula.names]
    found = formula.sympy()
    for expression, wanted in zip(
        found if net.n_outputs > 1 else [found], net.predict(X).reshape(20, -1).T, strict=True
    ):
        function = sympy.lambdify(symbols, expression, "math")
        values = [function(*row) for row in X.tolist()]
        assert np.allclose(values, wanted, rtol=1e-12, atol=1e-13 * np.abs(wanted).max())


@pytest.mark.parametrize("digits", [1, 2, 4, 9])
def test_the_error_is_that_of_the_numbers_that_are_written(digits):
    net, X = NETWORKS[0], RNG.standard_normal((50, 3))
    formula = net.formula(digits=digits)
    text = [evaluated(str(formula).replace("\n", " "), formula.names, row) for row in X]
    assert formula.error(X) == pytest.approx(np.abs(np.array(text) - net.predict(X)).max(), rel=1e-6)
    assert 0 < formula.error(X) < 20 * 10.0**-digits


def test_inner_weights_are_slopes_and_zero_weights_are_left_out():
    net = ng.TwoLayerNetwork([[2.0, 0.0], [0.0, -1.0], [1.0, 0.5]], [3.0, -4.0], offset=-1.0)
    assert str(net.formula(["a", "b"])) == "-1 + max(0, 6 a + 3) - max(0, -4 b + 2)"
    assert str(net.formula()) == "-1 + max(0, 6 x1 + 3) - max(0, -4 x2 + 2)"


def test_constants_of_neurons_without_a_column_are_added():
    assert str(NETWORKS[5].formula(["a"])) == "4"
    assert str(ng.TwoLayerNetwork([[0.0], [-1.0]], [5.0]).formula(["a"])) == "0"


def test_several_outputs_have_a_line_each():
    net = ng.TwoLayerNetwork([[1.0, 1.0], [0.0, 1.0]], [[2.0, -1.0], [0.0, 1.0]], offset=[0.0, 0.5])
    assert str(net.formula(["a"])) == "y1 = max(0, 2 a)\ny2 = 0.5 - 0.5 max(0, 2 a) + max(0, a + 1)"
    assert net.formula(["a"]).latex().splitlines()[1] == r"y1 &= \max(0, 2\,\mathrm{a}) \\".replace("y1", r"\text{y1}")


def test_long_formulas_have_a_line_for_each_neuron():
    assert len(str(network(5, 6).formula()).splitlines()) == 7
    assert "\n" not in network(5, 6).formula().latex()


@pytest.mark.parametrize(
    ("name", "text", "latex"),
    [
        ("rm", "rm", r"\mathrm{rm}"),
        ("größe", "größe", r"\text{größe}"),
        ("a b", "`a b`", r"\text{a b}"),
        ("a`b", "`a``b`", r"\text{a`b}"),
        ("max", "`max`", r"\mathrm{max}"),
        ("a\nb", r"`a\nb`", r"\text{a\textbackslash{}nb}"),
        ("\\input{x}", "`\\input{x}`", r"\text{\textbackslash{}input\{x\}}"),
        ("50%_$&#~^", "`50%_$&#~^`", r"\text{50\%\_\$\&\#\textasciitilde{}\textasciicircum{}}"),
        ("\u202eevil", "`\\u202eevil`", r"\text{\textbackslash{}u202eevil}"),
    ],
)
def test_names_of_any_characters(name, text, latex):
    formula = ng.TwoLayerNetwork([[1.0], [0.0]], [1.0]).formula([name])
    assert str(formula) == f"max(0, {text})"
    assert formula.latex() == rf"\max(0, {latex})"


def test_numbers_in_both_styles():
    formula = ng.TwoLayerNetwork([[1e-5], [-1.5e7]], [1.0], offset=12345.678).formula(["a"], digits=3)
    assert str(formula) == "1.23e4 + max(0, 1e-5 a - 1.5e7)"
    assert formula.latex() == r"1.23 \cdot 10^{4} + \max(0, 1 \cdot 10^{-5}\,\mathrm{a} - 1.5 \cdot 10^{7})"


@pytest.mark.parametrize("within", [1e-1, 1e-3, 1e-6])
def test_simplify_keeps_its_word(within):
    net, X = network(6, 8, 2, seed=3), RNG.uniform(-1, 1, (60, 6))
    formula = net.formula(digits=None)
    simple = formula.simplify(X, within)
    assert np.abs(simple.predict(X) - net.predict(X)).max() <= within * (1 + 1e-9)
    assert len(str(simple)) < len(str(formula))
    assert np.count_nonzero(simple.W) <= np.count_nonzero(formula.W)


def test_simplify_drops_what_does_not_matter():
    net = ng.TwoLayerNetwork([[1.0, 1e-6], [1e-5, 0.0], [0.25, 1.0]], [1.0, 1.0])
    simple = net.formula(["a", "b"]).simplify([[0.0, 0.0], [1.0, 1.0]], 0.01)
    assert str(simple) == "1 + max(0, a + 0.25)"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda net: net.formula(["a"]), "must be 3 names, got 1"),
        (lambda net: net.formula(["a", "a", "b"]), "'a' twice"),
        (lambda net: net.formula(["a", "", "b"]), "not empty"),
        (lambda net: net.formula(["a", 3, "b"]), "must hold text"),
        (lambda net: net.formula(digits=0), "`digits`"),
        (lambda net: net.formula(digits=2.5), "`digits`"),
        (lambda net: net.formula().predict([[1.0]]), "3 columns"),
        (lambda net: net.formula().simplify([[1.0, 2.0, 3.0]], 0.0), "`within`"),
        (lambda net: net.breakpoints(), "1 feature, got one of 3"),
        (lambda net: net.pieces((0, 0), (1, 1)), "2 features, got one of 3"),
        (lambda net: ng.TwoLayerNetwork([[1e200], [0.0]], [1e200]).formula(), "above 1e308"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ng.InvalidInputError, match=message):
        call(NETWORKS[0])


def test_convolutional_networks_are_refused():
    geometry = ng.PatchGeometry((4, 4, 1), filter_size=2)
    net = ng.ReLUConvNetwork([[1.0]] * 4, [1.0], bias=False, geometry=geometry)
    for call in (net.formula, net.breakpoints, lambda: net.pieces((0, 0), (1, 1))):
        with pytest.raises(ng.InvalidInputError, match="ReLUConvNetwork"):
            call()


def test_without_sympy_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sympy", None)
    with pytest.raises(ng.MissingDependencyError, match=r"neuralgauge\[sympy\]"):
        NETWORKS[0].formula().sympy()
