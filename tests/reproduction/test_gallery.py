"""The pages of the documentation: whole, linked, made by the code alone, and their calls run."""

import dataclasses
import inspect
import re
from pathlib import Path

import pytest

import neuralgauge as ng
from neuralgauge_reproduction import EXPERIMENTS, Experiment, Scale, examples, gallery, reproduce, reproduction
from neuralgauge_reproduction.markdown import claims_table, methods_table
from neuralgauge_reproduction.page import Entry, tally

pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")
GALLERY = Path(__file__).parents[2] / "docs" / "gallery"


@pytest.fixture
def run(tmp_path, monkeypatch, small_outcome):
    """The folder of a run of two experiments, the second of them without claims, pictures and methods."""
    bare = dataclasses.replace(small_outcome, methods={}, checks=(), panels=(), grids=(), stand_in="", missing=())
    experiments = {
        "fig2": Experiment("Fig. A", "About A.", "The paper shows A.", lambda scale, found: small_outcome),
        "duality": Experiment("Part B", "About B.", "The paper shows B.", lambda scale, found: bare),
    }
    for module in (reproduction, gallery):
        monkeypatch.setattr(module, "EXPERIMENTS", experiments)
    reproduce(["all"], tmp_path / "run", Scale(quick=True))
    return tmp_path / "run"


def links(page):
    return re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))


def blocks(page):
    return re.findall(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def test_a_page_has_everything_that_was_found(run, tmp_path):
    folder = tmp_path / "docs" / "gallery"
    assert gallery.write_gallery(run, folder) == ["fig2", "duality"]
    names = {"README.md", "fig2.md", "fig2.svg", "fig2.json", "duality.md", "duality.json"}
    assert {path.name for path in folder.iterdir()} == names
    for name in ("fig2.svg", "fig2.json"):
        assert folder.joinpath(name).read_bytes() == run.joinpath(name).read_bytes()
    page = folder.joinpath("fig2.md").read_text()
    for text in (
        "# Fig. A: A <title> & more\n",
        "![Fig. A: A <title> & more](fig2.svg)",
        "The paper shows A.",
        "    neuralgauge reproduce fig2 --quick --output FOLDER\n",
        "| [8] | It <fails>. | 2 | 3 \\| 4 | **no** | for a reason |",
        "| problem | method | trials | best objective | worst | lower bound | scope | score | seconds |\n",
        "| only | SGD | 2 | 2 | 3 |  |  | 0.6 | 1.50 |\n| only | Optimal | 1 | 1 |  | 0.9 | exact |  | 0.10 |\n",
        "| Fig. A | SGD | 0.001 |",
        "> Data: digits, in place of letters.",
        "> Something is missing.",
        "- A choice.",
        "Settings: n 5; m 8, 15; beta 0.123457.",
        "(fig2.json)",
    ):
        assert text in page
    assert "svg" not in folder.joinpath("duality.md").read_text()


def test_the_overview_shows_each_and_counts(run, tmp_path):
    gallery.write_gallery(run, tmp_path)
    page = tmp_path.joinpath("README.md").read_text()
    assert "1 claims of the paper hold here, 1 do not, and 1 rows" in page
    assert "## [Fig. A: A <title> & more](fig2.md)\n\nAbout A. Claims: 1 hold, 1 do not.\n\n![Fig. A" in page
    assert "## [Part B: A <title> & more](duality.md)" in page


def test_what_is_read_is_what_was_found(run, small_outcome):
    found = gallery.read_experiment(run, "fig2")
    written = dataclasses.replace(small_outcome, panels=(), kept={})
    assert found.outcome == written
    assert found.quick is True


def test_the_body_of_an_example_is_the_block(run, tmp_path):
    gallery.write_gallery(run, tmp_path)
    (block,) = blocks(tmp_path / "fig2.md")
    lines = [line.strip() for line in inspect.getsource(examples.fig2).splitlines()]
    assert [line.strip() for line in block.splitlines()] == lines[2:]
    assert inspect.getdoc(examples.fig2) in tmp_path.joinpath("fig2.md").read_text()


def test_every_experiment_has_an_example():
    assert {name for name, _ in inspect.getmembers(examples, inspect.isfunction)} == set(EXPERIMENTS)


def test_a_folder_without_experiments_is_refused(tmp_path):
    with pytest.raises(
        ng.InvalidInputError, match=r"must hold NAME.json of at least one experiment, got none; make it"
    ):
        gallery.write_gallery(tmp_path, tmp_path / "pages")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["{", "[]", '{"title": "A"}'])
def test_a_file_of_something_else_is_refused(tmp_path, text):
    tmp_path.joinpath("fig2.json").write_text(text)
    with pytest.raises(ng.InvalidInputError, match=r"is no file of `neuralgauge reproduce`.*run fig2 anew"):
        gallery.write_gallery(tmp_path, tmp_path / "pages")


def test_the_pages_are_made_by_the_code(tmp_path):
    """From the numbers and pictures beside them, to the last letter."""
    assert gallery.write_gallery(GALLERY, tmp_path) == list(EXPERIMENTS)
    made = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.md")}
    assert made == {path.name: path.read_text(encoding="utf-8") for path in GALLERY.glob("*.md")}


def test_the_summary_is_of_the_same_run():
    found = {name: gallery.read_experiment(GALLERY, name) for name in EXPERIMENTS}
    entries = {name: Entry(one.experiment.label, "", one.outcome, ()) for name, one in found.items()}
    summary = GALLERY.parent.joinpath("reproduction.md").read_text(encoding="utf-8")
    assert claims_table(entries) in summary
    assert methods_table(entries) in summary
    told = tally(one.outcome for one in found.values())
    assert f"{told['yes']} claims hold, {told['no']} do not, and {told['open']} rows" in summary


@pytest.mark.parametrize("page", sorted(GALLERY.glob("*.md")), ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    assert links(page)
    for target in links(page):
        assert (page.parent / target).exists(), target
