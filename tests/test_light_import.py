"""What an import loads: nothing that the first call does not need. Modules are counted, never time."""

import subprocess
import sys

import pytest

import neuralgauge as ng
from neuralgauge.interchange.model_file import from_estimator

APPLICATIONS = {
    "sklearn",
    "pandas",
    "polars",
    "typer",
    "rich",
    "matplotlib",
    "msgspec",
    "safetensors",
    "cvxpy",
    "torch",
}


def loaded_by(statement):
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def packages(modules):
    return {name.split(".")[0] for name in modules}


def test_the_package_alone_loads_nothing():
    modules = loaded_by("import neuralgauge")
    assert {name for name in modules if name.startswith("neuralgauge")} == {"neuralgauge"}
    assert not packages(modules) & {*APPLICATIONS, "numpy", "scipy", "numba", "joblib"}


def test_certificates_need_numpy_alone():
    modules = loaded_by("import neuralgauge.certificate")
    assert "numpy" in modules
    assert not packages(modules) & {*APPLICATIONS, "scipy", "numba", "joblib"}
    own = {name for name in modules if name.startswith("neuralgauge")}
    assert own == {"neuralgauge", "neuralgauge.certificate"}
    said = "from neuralgauge.certificate import Certificate; Certificate(2.0, 1.5, 'exact').in_words()"
    assert not packages(loaded_by(said)) & {*APPLICATIONS, "scipy", "numba", "joblib"}


@pytest.mark.parametrize("names", ["TrainingProblem, train", "certify", "relu_path", "neural_gauge", "solve_program"])
def test_training_loads_no_application(names):
    assert not packages(loaded_by(f"from neuralgauge import {names}")) & APPLICATIONS


def test_what_a_problem_and_a_picture_do_without():
    """Compiled searches load with the first pricing, readers of model files with the first file."""
    problem = packages(loaded_by("from neuralgauge import TrainingProblem, TwoLayerNetwork"))
    assert not problem & {*APPLICATIONS, "numba"}
    assert not packages(loaded_by("from neuralgauge import plot_training, plot_path")) & APPLICATIONS
    assert "sklearn" not in packages(loaded_by("from neuralgauge import load_model"))


@pytest.mark.parametrize("module", ["cli", "interchange"])
def test_commands_and_model_files_load_no_estimator(module):
    modules = loaded_by(f"import neuralgauge.{module}")
    assert "sklearn" not in packages(modules)
    assert not {name for name in modules if name.startswith("neuralgauge.estimators")}


@pytest.mark.parametrize(
    "command",
    [
        "train t.csv --target y --drop kind --beta 1 --output m --force",
        "train t.csv --target kind --drop y --gap 0.1",
        "train t.csv --target kind --drop y --gap 0.1 --multi-class one_vs_rest",
        "train t.csv --target y --gap 0.1 --holdout 0.3",  # with a column of text
        "predict m t.csv --drop kind",
        "certify m t.csv --drop kind",
        "report m t.csv --drop kind --output r.html --force",
        "export m m.onnx --force",
        "patterns t.csv --target y --target kind",
    ],
)
def test_commands_run_without_scikit_learn(command, trained_folder):
    """Its import, with pandas, takes about a second."""
    run = "from neuralgauge.cli import main\ntry: main(%r)\nexcept SystemExit as end: assert end.code == 0, end.code"
    modules = loaded_by(f"import os\nos.chdir({trained_folder!r})\n{run % command.split()}")
    assert not packages(modules) & {"sklearn", "pandas", "matplotlib"}
    assert not {name for name in modules if name.startswith("neuralgauge.estimators")}


@pytest.fixture(scope="module")
def trained_folder(tmp_path_factory):
    """A folder with a table, and a model trained on it."""
    folder = tmp_path_factory.mktemp("commands")
    rows = [f"{k},{k * k % 7},{'abc'[k % 3]}" for k in range(9)]
    (folder / "t.csv").write_text("\n".join(["x,y,kind", *rows]))
    model = ng.ReLURegressor(beta=1.0).fit([[float(k)] for k in range(9)], [float(k * k % 7) for k in range(9)])
    saved = from_estimator(model, feature_names=["x"], target_name="y")
    ng.save_model(saved, folder / "m")
    return str(folder)


def test_the_command_line_loads_the_reproduction_only_to_run_it():
    assert "neuralgauge_reproduction" not in loaded_by("import neuralgauge.cli")


def test_the_help_needs_no_arrays():
    modules = loaded_by("from neuralgauge.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass")
    assert not packages(modules) & {"numpy", "scipy", "polars", "numba"}


@pytest.mark.parametrize("kind", ["y", "np.sign(y)"])
@pytest.mark.parametrize("d", [1, 2, 4, 8])
def test_few_rows_need_no_compiler(kind, d):
    train = f"""
import numpy as np
from neuralgauge import TrainingProblem, train
X, y = (np.random.default_rng(0).standard_normal(shape) for shape in ((10, {d}), 10))
loss = {"'squared'" if kind == "y" else "'logistic'"}
assert train(TrainingProblem(X, {kind}, beta=0.2, loss=loss), 1e-4).certificate.gap <= 1e-4"""
    assert "numba" not in packages(loaded_by(train))


def test_every_name_is_found_at_its_first_use():
    names = {}
    exec("from neuralgauge import *", names)
    assert set(ng.__all__) <= set(names)
    assert dir(ng) == ng.__all__
    with pytest.raises(AttributeError, match="nothing"):
        ng.nothing  # noqa: B018
