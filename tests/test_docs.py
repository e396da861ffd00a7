"""The names in the documentation are those of the code, every public one is in the reference, and all its code runs."""

import inspect
import re
from importlib import import_module
from importlib.util import find_spec

import pytest
from pages import DOCS, PAGES, ROOT, blocks, run_commands, run_python

import neuralgauge as ng

# Of the paper's pages each has a test below; the loss of architecture.md is a file: tests/losses/test_new_loss.py.
WITH_PYTHON = [
    pytest.param(page, marks=pytest.mark.slow if page.name == "proofs.md" else ())
    for page in PAGES
    if blocks(page, "python") and page.parent.name != "gallery" and page.name != "architecture.md"
]
WITH_COMMANDS = [page for page in PAGES if blocks(page, "sh")]
GALLERY = sorted((DOCS / "gallery").glob("[a-z]*.md"))


def dotted_names(text):
    """`module.name` and `Class.member` in code, without file names and names of other packages."""
    for code in re.findall(r"`([^`\n]+)`", text):
        for name in re.findall(r"(?<![\w./*])(?:ng\.|neuralgauge\.)?([A-Za-z]\w*(?:\.\w+)+)", code):
            first = name.split(".")[0]
            if first in ng.__all__ or find_spec(f"neuralgauge.{first}"):
                yield name


def member(thing, name):
    """A member of a module or class; None for a property or an attribute of objects, of which no more is known."""
    if isinstance(thing, property) or (inspect.isclass(thing) and not hasattr(thing, name) and is_set(thing, name)):
        return None
    return getattr(thing, name)


def is_set(kind, name):
    """Whether the class declares the attribute or sets it on its objects."""
    own = [base for base in kind.__mro__ if base.__module__.startswith("neuralgauge")]
    return any(re.search(rf"^    {name}: |self\.{name}\b", inspect.getsource(base), re.MULTILINE) for base in own)


def resolve(name):
    parts = name.split(".")
    thing = ng
    while parts:
        if hasattr(thing, "__path__") and not hasattr(thing, parts[0]):
            thing = import_module(f"{thing.__name__}.{parts.pop(0)}")
        else:
            thing = member(thing, parts.pop(0))
        if thing is None:
            return


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES], ids=lambda page: page.name)
def test_dotted_names_exist(page):
    missing = []
    for name in dotted_names(page.read_text(encoding="utf-8")):
        try:
            resolve(name)
        except (AttributeError, ModuleNotFoundError) as error:
            missing.append(f"{name}: {error}")
    assert not missing


def test_every_public_name_is_in_the_reference():
    lists = re.findall(r":toctree: generated\n\n((?:   \w+\n)+)", (DOCS / "reference.md").read_text(encoding="utf-8"))
    names = "".join(lists).split()
    assert sorted(names) == sorted(ng.__all__)


@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: page.stem)
def test_python_blocks_run_in_order(page, capsys):
    """In one test: a block leaves names to the next ones, and workers share the tests among them."""
    assert any(run_python(page, capsys))


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: page.stem)
def test_the_commands_run_in_order(page, tmp_path, monkeypatch, capsys):
    rows = run_commands(page, tmp_path, monkeypatch, capsys)
    predictions = (tmp_path / "predictions.csv").read_text().splitlines()[1:]
    assert len(predictions) == len(rows)


def test_the_examples_end_in_a_picture():
    examples = sorted((ROOT / "examples" / "gallery").glob("*.py"))
    assert len(examples) >= 12
    for example in examples:
        assert example.name.startswith("plot_"), f"{example.name} would not run"
        text = example.read_text(encoding="utf-8")
        compile(text, example.name, "exec")
        assert text.endswith("plt.show()\n"), example.name


@pytest.mark.parametrize("page", GALLERY, ids=lambda page: page.stem)
def test_calls_in_the_gallery_run(page, capsys):
    pytest.importorskip("matplotlib")
    assert len(blocks(page, "python")) == 1
    assert run_python(page, capsys)[0]
