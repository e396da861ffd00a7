"""What is written: figures, numbers, table and page, whole, and for the experiments that could run."""

import itertools
import json
import re

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge_reproduction import (
    EXPERIMENTS,
    Curve,
    Experiment,
    Matrix,
    Panel,
    Scale,
    reproduce,
    reproduction,
)
from neuralgauge_reproduction.drawing import figure_of
from neuralgauge_reproduction.reproduction import chosen

pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")
QUICK = Scale(quick=True)
PAPER_PAGE = "https://proceedings.mlr.press/v119/pilanci20a.html"


@pytest.fixture
def two(monkeypatch, small_outcome):
    """Two experiments, of which the second has no data."""

    def no_data(scale, found):
        raise ng.MissingDataError("The set is missing: put it into the folder.")

    experiments = {
        "first": Experiment("Fig. A", "About A.", "The paper shows A.", lambda scale, found: small_outcome),
        "second": Experiment("Fig. B", "About B.", "The paper shows B.", no_data),
    }
    monkeypatch.setattr(reproduction, "EXPERIMENTS", experiments)
    return experiments


def test_everything_is_written_and_a_missing_set_is_a_sentence(tmp_path, two):
    lines = []
    outcomes = reproduce([], tmp_path / "new" / "folder", QUICK, lines.append)
    folder = tmp_path / "new" / "folder"
    assert list(outcomes) == ["first"]
    assert {path.name for path in folder.iterdir()} == {
        "first.png", "first.svg", "first.json", "claims.md", "table.md", "index.html"
    }  # fmt: skip
    assert folder.joinpath("first.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in folder.joinpath("first.svg").read_text()
    numbers = json.loads(folder.joinpath("first.json").read_text())
    assert numbers["methods"]["only"][0]["objectives"] == [2.0, 3.0]
    assert numbers["panels"][0]["curves"][1]["y"] == [4.0, 3.0]
    assert numbers["quick"] is True
    assert (
        "| Fig. A | only (digits, in place of letters) | SGD | 2 | 0.6 | 1.50 |"
        in folder.joinpath("table.md").read_text()
    )
    claims = folder.joinpath("claims.md").read_text().splitlines()
    assert claims[3:] == [
        "| [8] | It <fails>. | 2 | 3 \\| 4 | **no** |",
        "| A.2 | Nobody knows. |  |  | not compared |",
    ]
    assert any("Fig. B: did not run. The set is missing" in line for line in lines)
    assert "Fig. A: Something is missing." in lines


def test_the_page_is_self_contained_and_escaped(tmp_path, two):
    reproduce(["all"], tmp_path, QUICK)
    page = tmp_path.joinpath("index.html").read_text()
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert sources
    assert all(
        source.startswith(("data:image/svg+xml;base64,", "#", "first.")) or source == PAPER_PAGE for source in sources
    )
    assert page.count("data:image/svg") == 2
    assert not re.search(r"<script|<link|@import|url\(", page)
    assert "A &lt;title&gt; &amp; more" in page
    assert "It &lt;fails&gt;." in page
    assert page.count('class="yes"') == 1
    assert page.count('class="no"') == 1
    assert "not compared" in page
    assert "1 claims of the paper hold here, 1 do not, 1 rows" in page
    assert '<td data-label="Place">[8]</td>' in page
    assert page.count("digits, in place of letters") == 2
    assert "Settings: n 5; m 8, 15; beta 0.123457." in page
    assert '<td class="number">0.001</td>' in page
    assert "Did not run: The set is missing" in page
    assert "Missing: Something is missing." in page


def test_an_interruption_keeps_what_is_done(tmp_path, two):
    def interrupted(scale, found):
        raise KeyboardInterrupt

    two["second"] = Experiment("Fig. B", "About B.", "The paper shows B.", interrupted)
    with pytest.raises(KeyboardInterrupt):
        reproduce([], tmp_path, QUICK)
    assert "Fig. A" in tmp_path.joinpath("index.html").read_text()


def test_names_are_checked_ordered_and_completed():
    assert chosen(["fig3", "fig2", "fig3"]) == ["fig2", "fig3"]
    assert chosen(["table1"]) == ["fig2", "fig3", "fig4", "fig5", "table1"]
    assert chosen([]) == chosen(["all"]) == list(EXPERIMENTS)
    figures = [f"fig{k}" for k in range(1, 12)]
    assert list(EXPERIMENTS) == ["fig1", "duality", "patterns", "filters", *figures[1:], "table1"]
    assert chosen(["fig11"]) == ["fig10", "fig11"]
    with pytest.raises(ng.InvalidInputError, match=r"must be one of fig1, .*table1 or all, got 'fig12'"):
        chosen(["fig12"])


def test_the_output_must_be_a_folder(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(ng.InvalidInputError, match=r"must be a folder"):
        reproduce(["fig2"], file, QUICK)


def test_planes_are_drawn(paper):
    from neuralgauge_reproduction import Plane

    network = ng.TwoLayerNetwork([[1.0, -1.0], [0.5, 1.0], [0.0, 0.1]], [1.0, -1.0])
    plane = Plane("plane", network, [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [1.0, -1.0, 1.0])
    figure = figure_of((plane, plane, plane, plane))
    titles = [axes.get_title() for axes in figure.axes]
    assert titles.count("plane") == 4


@pytest.mark.parametrize(
    ("values", "log"),
    [
        *itertools.product([(1.0, 1.2), (1.01278e-3, 1.012781e-3), (27.0, 400.0), (5.0, 5.0)], [True, False]),
        ((-3.0, -2.9), False),
    ],
)
def test_ticks_differ(values, log):
    figure = figure_of((Panel("", "", "", (Curve("a", [1, 2], values),), (), (False, log)),))
    figure.canvas.draw()
    (axes,) = figure.axes
    low, high = axes.get_ylim()
    axis = axes.yaxis
    places = [*axis.get_majorticklocs(), *axis.get_minorticklocs()]
    texts = [*axis.get_ticklabels(), *axis.get_ticklabels(minor=True)]
    labels = [text.get_text() for place, text in zip(places, texts, strict=True) if low <= place <= high]
    named = [label for label in labels if label]
    assert len(named) >= 2
    assert len(set(named)) == len(named)


def test_curves_marks_and_matrices_are_drawn():
    marks = [Curve(name, [0.1, 0.2], [3.0, 2.0], "marks") for name in ("Alg1", "Alg2")]
    bound = Curve("lower bound", [0.1, 1.0], [0.5, 0.9], "bound")
    figure = figure_of(
        (Panel("", "seconds", "", (*marks, bound), (), (True, True)), Matrix("near", "", "", np.ones((2, 3)), 2.0))
    )
    curves, matrix = figure.axes[:2]
    assert curves.get_legend_handles_labels()[1] == ["Alg1", "Alg2", "lower bound"]
    first, second, _ = curves.get_lines()
    assert (first.get_marker(), first.get_color() == second.get_color()) == ("x", False)
    assert matrix.images[0].get_array().shape == (2, 3)


@pytest.mark.parametrize("shape", [(2, 3), (1, 48), (50, 1)])
def test_rows_and_columns_of_a_matrix_have_whole_numbers(shape):
    (axes, _) = figure_of((Matrix("near", "", "", np.ones(shape), 2.0),)).axes
    for axis, length in ((axes.yaxis, shape[0]), (axes.xaxis, shape[1])):
        seen = [place for place in axis.get_majorticklocs() if -0.5 <= place <= length - 0.5]
        assert seen
        assert all(float(place).is_integer() for place in seen)


def test_a_legend_hides_no_points():
    marks = tuple(Curve(name, [0.1, 0.9], [3.0, 2.0], "marks") for name in ("Alg1", "Alg2"))
    (axes,) = (figure := figure_of((Panel("", "seconds", "objective", marks, (), (True, True)),))).axes
    figure.canvas.draw()
    assert axes.get_legend().get_window_extent().y1 < axes.get_window_extent().y0


@pytest.mark.parametrize("module", ["matplotlib", "jinja2"])
def test_a_missing_extra_is_said_before_anything_runs(module, tmp_path, two, monkeypatch):
    monkeypatch.setattr(reproduction, "find_spec", lambda name: None if name == module else name)
    with pytest.raises(ng.MissingDependencyError, match=r"neuralgauge\[reproduce\]"):
        reproduce([], tmp_path, QUICK)
    assert list(tmp_path.iterdir()) == []
