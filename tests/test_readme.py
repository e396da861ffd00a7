"""The README runs as written, and what it points to is there."""

import re

import pytest
from pages import ROOT, blocks, run_python

README = ROOT / "README.md"
TEXT = README.read_text(encoding="utf-8")


def test_the_example_prints_what_stands_below_it(capsys):
    (printed,) = run_python(README, capsys)
    (shown,) = blocks(README, "text")
    assert scope(printed) == scope(shown)
    assert objective(printed) == pytest.approx(objective(shown), rel=1e-4)
    assert printed.splitlines()[-1] == shown.splitlines()[-1]


def scope(text):
    return re.search(r"^proven .*?(\".*)$", text, flags=re.MULTILINE)[1]


def objective(text):
    return float(re.search(r"^objective +(.*)$", text, flags=re.MULTILINE)[1])


def test_links_and_make_targets_exist():
    for target in re.findall(r"\]\(([^)#:]+)\)", TEXT):
        assert (README.parent / target).exists(), target
    makefile = (README.parent / "Makefile").read_text()
    for name in re.findall(r"`?make ([a-z-]+)", TEXT):
        assert re.search(rf"^{name}:", makefile, flags=re.MULTILINE), name


def test_the_first_screen_says_what_for_whom_and_how():
    """Before the first line of Python: a picture and the two commands."""
    first = TEXT.split("```python")[0]
    assert len(first.splitlines()) < 32
    assert "![" in first
    assert re.findall(r"^    (\S+)", first, flags=re.MULTILINE) == ["pip", "neuralgauge"]
