"""Every block of the README runs as written."""

import re
import shlex
import signal
from pathlib import Path

import pytest

from neuralgauge.cli import main

README = Path(__file__).parents[1] / "README.md"
TEXT = README.read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, flags=re.DOTALL | re.MULTILINE)


def test_python_blocks_run_in_order(capsys):
    """In one test: a block leaves names to the next ones, and workers share the tests among them."""
    names = {}
    for index, block in enumerate(blocks("python")):
        exec(compile(block, f"README block {index}", "exec"), names)
        printed = capsys.readouterr().out
        assert printed, f"block {index} prints nothing"
        if index == 0:
            (shown,) = blocks("text")
            assert scope(printed) == scope(shown)
            assert objective(printed) == pytest.approx(objective(shown), rel=1e-4)
            assert printed.splitlines()[-1] == shown.splitlines()[-1]


def scope(text):
    return re.search(r"^proven .*?(\".*)$", text, flags=re.MULTILINE)[1]


def objective(text):
    return float(re.search(r"^objective +(.*)$", text, flags=re.MULTILINE)[1])


def test_the_commands_run_in_order(tmp_path, monkeypatch, capsys):
    (table,), (commands,) = blocks("csv"), blocks("sh")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "houses.csv").write_text(table)
    handler = signal.getsignal(signal.SIGTERM)
    for line in commands.splitlines():
        program, *arguments = shlex.split(line)
        assert program == "neuralgauge"
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 0, capsys.readouterr().err
    signal.signal(signal.SIGTERM, handler)
    predictions = (tmp_path / "predictions.csv").read_text().splitlines()
    assert len(predictions) == len(table.splitlines())


def test_links_and_make_targets_exist():
    for target in re.findall(r"\]\(([^)#:]+)\)", TEXT):
        assert (README.parent / target).exists(), target
    makefile = (README.parent / "Makefile").read_text()
    for name in re.findall(r"`?make ([a-z-]+)", TEXT):
        assert re.search(rf"^{name}:", makefile, flags=re.MULTILINE), name
