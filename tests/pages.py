"""The Markdown pages of the repository, and their blocks of code."""

import re
import shlex
import signal
from pathlib import Path

import pytest

from neuralgauge.cli import main

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
# Not what Sphinx writes there.
PAGES = [
    page
    for page in sorted(DOCS.rglob("*.md"))
    if not {"_build", "auto_examples", "generated"} & set(page.relative_to(DOCS).parts)
]


def blocks(page, language):
    """The fenced blocks of a language; `py` marks code of other packages, which nothing here runs."""
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def run_python(page, capsys):
    """Run the Python of a page in order, as a reader would in one session; what each block printed."""
    names, printed = {}, []
    for index, block in enumerate(blocks(page, "python")):
        exec(compile(block, f"{page.name}, block {index}", "exec"), names)
        printed.append(capsys.readouterr().out)
    return printed


def run_commands(page, folder, monkeypatch, capsys):
    """Run the commands of a page in a folder, beside the table that it shows; the rows of that table."""
    (table,) = blocks(page, "csv")
    monkeypatch.chdir(folder)
    (folder / "houses.csv").write_text(table)
    handler = signal.getsignal(signal.SIGTERM)
    for line in "".join(blocks(page, "sh")).splitlines():
        program, *arguments = shlex.split(line)
        assert program == "neuralgauge"
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 0, capsys.readouterr().err
    signal.signal(signal.SIGTERM, handler)
    return table.splitlines()[1:]
