"""What is released: one version everywhere, a recipe true to pyproject.toml, archives that hold what they should."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

import neuralgauge as ng

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RECIPE = yaml.safe_load((ROOT / "recipe" / "recipe.yaml").read_text(encoding="utf-8"))
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def names_and_bounds(requirements):
    return {re.sub(r"\s", "", requirement) for requirement in requirements}


def test_one_version():
    assert PROJECT["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "neuralgauge.__version__"}
    assert RECIPE["context"]["version"] == CITATION["version"] == ng.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", ng.__version__)


def test_the_recipe_requires_what_the_package_requires():
    project, python = PROJECT["project"], f"python{PROJECT['project']['requires-python']}"
    run, host = (names_and_bounds(RECIPE["requirements"][part]) for part in ("run", "host"))
    assert run == names_and_bounds([python, *project["dependencies"]])
    assert host == names_and_bounds([python, "pip", *PROJECT["build-system"]["requires"]])
    (name, target), (entry,) = *project["scripts"].items(), RECIPE["build"]["python"]["entry_points"]
    assert entry == f"{name} = {target}"
    assert RECIPE["package"]["name"] == project["name"]
    about = RECIPE["about"]
    assert (about["license"], about["license_file"]) == (project["license"], *project["license-files"])
    assert about["summary"] == project["description"]


def test_the_citation_is_that_of_the_package():
    """The keys that CFF 1.2 requires, and what pyproject.toml says too."""
    assert {"cff-version", "message", "title", "authors"} <= set(CITATION)
    assert CITATION["cff-version"] == "1.2.0"
    project = PROJECT["project"]
    assert (CITATION["title"], CITATION["license"]) == (project["name"], project["license"])
    assert (CITATION["keywords"], CITATION["abstract"]) == (project["keywords"], project["description"])


def test_extras_are_of_packages_beyond_the_required_ones():
    """None is empty, and none names what is installed in any case."""
    required = {re.match(r"[\w-]+", one)[0] for one in PROJECT["project"]["dependencies"]}
    for name, wanted in PROJECT["project"]["optional-dependencies"].items():
        assert wanted, name
        assert not required & {re.match(r"[\w-]+", one)[0] for one in wanted}, name


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """The sdist, and the wheel that is built from it."""
    pytest.importorskip("build")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return sdist, wheel


def tracked():
    """Files of the repository that belong in the sdist: all but those about the repository itself."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("needs the repository")
    return {name for name in listed.stdout.split("\0") if name and not name.startswith(".")}


@pytest.mark.slow
def test_the_sdist_holds_the_repository(archives):
    with tarfile.open(archives[0]) as file:
        held = {member.name.partition("/")[2] for member in file.getmembers() if member.isfile()}
    assert not tracked() - held
    generated = {"PKG-INFO", "setup.cfg"}
    extra = {name for name in held - tracked() - generated if ".egg-info/" not in name}
    assert not extra


@pytest.mark.slow
def test_the_wheel_holds_the_packages_and_what_they_read(archives):
    with zipfile.ZipFile(archives[1]) as file:
        held = {name for name in file.namelist() if ".dist-info/" not in name}
        metadata = next(name for name in file.namelist() if name.endswith(".dist-info/METADATA"))
        assert f"\nVersion: {ng.__version__}\n" in file.read(metadata).decode()
    assert held == {name.removeprefix("src/") for name in tracked() if name.startswith("src/")}


@pytest.mark.slow
def test_twine_takes_both(archives):
    pytest.importorskip("twine")
    command = [sys.executable, "-m", "twine", "check", "--strict", *map(str, archives)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASSED") == 2
