"""What is written: figures, numbers, table and page, whole, and for the experiments that could run."""

import json
import re

import pytest

import neuralgauge as ng
from neuralgauge_reproduction import (
    EXPERIMENTS,
    Check,
    Curve,
    Experiment,
    Method,
    Outcome,
    Panel,
    Scale,
    reproduce,
    reproduction,
)
from neuralgauge_reproduction.reproduction import chosen

pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")
QUICK = Scale(quick=True)


def small(title="A <title> & more"):
    methods = (Method("SGD", (2.0, 3.0), 1.5, (0.5, 0.7)), Method("Optimal", (1.0,), 0.1, lower=0.9, scope="exact"))
    checks = (Check("It holds.", "1", "1.0", True), Check("It <fails>.", "2", "3", False, "for a reason"),
              Check("Nobody knows.", "", "", None))  # fmt: skip
    curves = (Curve("SGD", [1, 10], [3.0, 2.0]), Curve("SGD", [1, 10], [4.0, 3.0]))
    panels = (Panel("objective", "iteration", "objective", curves, (("Optimal", 1.0, "program"),), (True, False)),
              Panel("seconds", "", "s", (Curve("SGD", ["a", "b"], [1.0, 2.0], "points"),)))  # fmt: skip
    return Outcome(title, {"n": 5}, ("A choice.",), {"only": methods}, checks, panels, ("Something is missing.",))


@pytest.fixture
def two(monkeypatch):
    """Two experiments, of which the second has no data."""

    def no_data(scale, found):
        raise ng.MissingDataError("The set is missing: put it into the folder.")

    experiments = {
        "first": Experiment("Fig. A", "About A.", lambda scale, found: small()),
        "second": Experiment("Fig. B", "About B.", no_data),
    }
    monkeypatch.setattr(reproduction, "EXPERIMENTS", experiments)
    return experiments


def test_everything_is_written_and_a_missing_set_is_a_sentence(tmp_path, two):
    lines = []
    outcomes = reproduce([], tmp_path / "new" / "folder", QUICK, lines.append)
    folder = tmp_path / "new" / "folder"
    assert list(outcomes) == ["first"]
    assert {path.name for path in folder.iterdir()} == {
        "first.png", "first.svg", "first.json", "table.md", "index.html"
    }  # fmt: skip
    assert folder.joinpath("first.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in folder.joinpath("first.svg").read_text()
    numbers = json.loads(folder.joinpath("first.json").read_text())
    assert numbers["methods"]["only"][0]["objectives"] == [2.0, 3.0]
    assert numbers["panels"][0]["curves"][1]["y"] == [4.0, 3.0]
    assert numbers["quick"] is True
    assert "| Fig. A | only | SGD | 2 | 0.6 | 1.50 |" in folder.joinpath("table.md").read_text()
    assert any("Fig. B: did not run. The set is missing" in line for line in lines)
    assert "Fig. A: Something is missing." in lines


def test_the_page_is_self_contained_and_escaped(tmp_path, two):
    reproduce(["all"], tmp_path, QUICK)
    page = tmp_path.joinpath("index.html").read_text()
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert sources
    assert all(source.startswith(("data:image/png;base64,", "#")) for source in sources)
    assert not re.search(r"<script|<link|@import|url\(", page)
    assert "A &lt;title&gt; &amp; more" in page
    assert "It &lt;fails&gt;." in page
    assert page.count('class="yes"') == 1
    assert page.count('class="no"') == 1
    assert "not compared" in page
    assert "Did not run: The set is missing" in page
    assert "Missing: Something is missing." in page


def test_an_interruption_keeps_what_is_done(tmp_path, two):
    def interrupted(scale, found):
        raise KeyboardInterrupt

    two["second"] = Experiment("Fig. B", "About B.", interrupted)
    with pytest.raises(KeyboardInterrupt):
        reproduce([], tmp_path, QUICK)
    assert "Fig. A" in tmp_path.joinpath("index.html").read_text()


def test_names_are_checked_ordered_and_completed():
    assert chosen(["fig3", "fig2", "fig3"]) == ["fig2", "fig3"]
    assert chosen(["table1"]) == ["fig2", "fig3", "fig4", "fig5", "table1"]
    assert chosen([]) == chosen(["all"]) == list(EXPERIMENTS)
    assert list(EXPERIMENTS) == [*(f"fig{k}" for k in range(2, 12)), "table1"]
    with pytest.raises(ng.InvalidInputError, match=r"must be one of fig2, .*table1 or all, got 'fig1'"):
        chosen(["fig1"])


def test_the_output_must_be_a_folder(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(ng.InvalidInputError, match=r"must be a folder"):
        reproduce(["fig2"], file, QUICK)


def test_planes_are_drawn(paper):
    from neuralgauge_reproduction import Plane
    from neuralgauge_reproduction.drawing import figure_of

    network = ng.TwoLayerNetwork([[1.0, -1.0], [0.5, 1.0], [0.0, 0.1]], [1.0, -1.0])
    plane = Plane("plane", network, [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [1.0, -1.0, 1.0])
    figure = figure_of(Outcome("planes", {}, panels=(plane, plane, plane, plane)))
    titles = [axes.get_title() for axes in figure.axes]
    assert titles.count("plane") == 4


@pytest.mark.parametrize("module", ["matplotlib", "jinja2"])
def test_a_missing_extra_is_said_before_anything_runs(module, tmp_path, two, monkeypatch):
    monkeypatch.setattr(reproduction, "find_spec", lambda name: None if name == module else name)
    with pytest.raises(ng.MissingDependencyError, match=r"neuralgauge\[reproduce\]"):
        reproduce([], tmp_path, QUICK)
    assert list(tmp_path.iterdir()) == []
