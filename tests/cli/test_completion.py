"""Shell completion: the script that a shell loads, and what it is offered for half a line."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from neuralgauge.cli.application import COMMANDS
from neuralgauge.losses import LOSSES

PATHS = os.pathsep.join(path for path in sys.path if path)


def offered(shell, line):
    """What `neuralgauge` prints for a shell whose line is completed at its end."""
    words = line.split(" ")
    asked = {"bash": {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}}.get(shell, {"_TYPER_COMPLETE_ARGS": line})
    env = {**os.environ, "PYTHONPATH": PATHS, "_NEURALGAUGE_COMPLETE": f"complete_{shell}", **asked}
    if shell == "fish":
        env["_TYPER_COMPLETE_FISH_ACTION"] = "get-args"
    done = subprocess.run([sys.executable, "-m", "neuralgauge"], env=env, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_options_of_a_command(shell):
    found = offered(shell, "neuralgauge train table.csv --h")
    assert set(re.findall(r"--\w+", found)) == {"--holdout", "--help"}


def test_commands_and_values():
    assert offered("bash", "neuralgauge ").split() == list(COMMANDS)
    assert offered("bash", "neuralgauge pre").split() == ["predict"]
    assert offered("bash", "neuralgauge train t.csv --loss ").split() == list(LOSSES)
    assert offered("bash", "neuralgauge train t.csv --loss hu").split() == ["huber"]
    assert offered("bash", "neuralgauge certify m t.csv --prove e").split() == ["exact"]
    assert offered("bash", "neuralgauge train t.csv --multi-class o").split() == ["one_vs_rest"]
    assert offered("bash", "neuralgauge predict mod").split() == []  # names of files are the shell's


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_script_completes_in_bash(run, tmp_path):
    program = tmp_path / "neuralgauge"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{PATHS}" exec "{sys.executable}" -m neuralgauge "$@"\n')
    program.chmod(0o755)
    script = run("--show-completion", "bash").out
    (tmp_path / "script").write_text(
        f"{script}\nCOMP_WORDS=(./neuralgauge pat)\nCOMP_CWORD=1\n_neuralgauge_completion ./neuralgauge\n"
        'echo "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(["bash", "script"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["patterns"]
