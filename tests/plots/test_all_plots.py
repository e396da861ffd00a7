"""What all pictures have in common: examples, axes, figures left behind, Matplotlib absent, wrong arguments."""

import doctest
import sys

import numpy as np
import pytest

import neuralgauge as ng

NETWORK = ng.TwoLayerNetwork([[1.0, -1.0], [1.0, 2.0], [0.0, 0.5]], [1.0, -2.0])
X, LABELS = [[0.0, 0.0], [1.0, 2.0]], [-1.0, 1.0]
POINT = ng.FrontPoint(NETWORK, 1.0, ng.Certificate(2.0, 1.5, "estimated"), 1.0, 0.5, 0.6)
FRONT = ng.WidthFront((POINT,))
NAMES = [name for name in ng.__all__ if name.startswith("plot_")]


@pytest.fixture(scope="module")
def path():
    problem = ng.TrainingProblem([[-2], [-1], [0], [1], [2]], [1, -1, 1, 1, -1], beta=1.0)
    return ng.relu_path(problem, n_betas=3, beta_min_ratio=0.1)


def drawings(path):
    """Every function that draws in one Axes, with its arguments."""
    yield ng.plot_training, (path.solutions[1],)
    yield ng.plot_certificate, (path.solutions,)
    yield ng.plot_path, (path,)
    yield ng.plot_width_front, (FRONT,)
    yield ng.plot_neurons, (NETWORK,)
    yield ng.plot_decision_boundary, (NETWORK, X, LABELS)
    yield ng.plot_pieces, (NETWORK, (0, 0), (1, 2))


@pytest.mark.parametrize("name", NAMES)
def test_examples_hold(name, plt):
    text = getattr(ng, name).__doc__
    assert "+SKIP" in text  # without Matplotlib they cannot run
    text = text.replace("# doctest: +SKIP", "")
    example = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    said = []
    assert doctest.DocTestRunner().run(example, out=said.append).failed == 0, "".join(said)


def test_axes_that_are_given_are_drawn_in_and_no_figure_is_made(plt, path):
    from matplotlib.figure import Figure

    assert {function.__name__ for function, _ in drawings(path)} == set(NAMES) - {"plot_filters"}
    for function, arguments in drawings(path):
        axes = Figure().subplots()
        assert function(*arguments, axes=axes) is axes
        assert axes.has_data()
        assert axes.figure.axes == [axes]
        axes.figure.canvas.draw()
    assert plt.get_fignums() == []


def test_a_figure_of_its_own_without_axes(plt, path):
    for number, (function, arguments) in enumerate(drawings(path), start=1):
        axes = function(*arguments)
        assert axes.figure is plt.gcf()
        assert len(plt.get_fignums()) == number
        axes.figure.canvas.draw()


def test_several_axes_are_refused_before_a_figure_is_made(plt, path):
    for function, arguments in drawings(path):
        with pytest.raises(ng.InvalidInputError, match=r"`axes` must be one matplotlib Axes, got list; pass one"):
            function(*arguments, axes=[1, 2])
    assert plt.get_fignums() == []


def test_without_matplotlib_the_extra_is_named(monkeypatch, path):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    for function, arguments in drawings(path):
        message = rf"`{function.__name__}` needs Matplotlib.*pip install .neuralgauge\[plots\]"
        with pytest.raises(ng.MissingDependencyError, match=message):
            function(*arguments)


def test_importing_the_package_does_not_import_matplotlib():
    import subprocess

    code = "import neuralgauge, sys; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_arguments_of_other_kinds(plt, path):
    model = ng.ReLURegressor(beta=1.0, gap=0.5).fit(np.eye(2), [1.0, 2.0])
    for function, arguments, message in [
        (ng.plot_training, (model,), "`solution` must be a Solution, got ReLURegressor; pass its `solution_`"),
        (ng.plot_training, (NETWORK,), r"`solution` must be a Solution, got TwoLayerNetwork\."),
        (ng.plot_certificate, (model,), "a sequence of these, got ReLURegressor; pass its `solution_`"),
        (ng.plot_certificate, ([path.solutions[0], model],), "got ReLURegressor; pass its `solution_`"),
        (ng.plot_certificate, (path,), "got Path; pass its `solutions`"),
        (ng.plot_certificate, ("exact",), "a sequence of these, got str"),
        (ng.plot_certificate, ([],), "got an empty one"),
        (ng.plot_path, (path.solutions,), "`path` must be a Path, which `relu_path` returns, got tuple"),
        (ng.plot_width_front, (path,), "`front` must be a WidthFront, which `width_front` returns, got Path"),
        (ng.plot_neurons, (model,), "got ReLURegressor; pass its `network_`"),
        (ng.plot_decision_boundary, (path.solutions[0], X, LABELS), "got Solution; pass its `network`"),
    ]:
        with pytest.raises(ng.InvalidInputError, match=message):
            function(*arguments)
    assert plt.get_fignums() == []


def test_legends_of_own_figures_cover_nothing_and_lie_in_the_figure(plt, path):
    for function, arguments in drawings(path):
        axes = function(*arguments)
        axes.figure.canvas.draw()
        legend = axes.get_legend()
        if function is ng.plot_pieces:  # says what it draws on the polygons
            assert legend is None
            continue
        box, page = legend.get_window_extent(), axes.figure.bbox
        assert not any(box.overlaps(one.get_window_extent()) for one in axes.figure.axes)
        assert page.x0 <= box.x0 < box.x1 <= page.x1
        assert page.y0 <= box.y0 < box.y1 <= page.y1
