"""The names in the documentation are those of the code, and the calls in its gallery run."""

import inspect
import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

import neuralgauge as ng

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
GALLERY = sorted((ROOT / "docs" / "gallery").glob("[a-z]*.md"))


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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_dotted_names_exist(page):
    missing = []
    for name in dotted_names(page.read_text(encoding="utf-8")):
        try:
            resolve(name)
        except (AttributeError, ModuleNotFoundError) as error:
            missing.append(f"{name}: {error}")
    assert not missing


@pytest.mark.parametrize("page", GALLERY, ids=lambda page: page.stem)
def test_calls_in_the_gallery_run(page, capsys):
    pytest.importorskip("matplotlib")
    (block,) = re.findall(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    exec(compile(block, page.name, "exec"), {})
    assert capsys.readouterr().out
