"""The commands on good tables."""

import importlib
import os
import re
import signal
import subprocess
import sys
from typing import get_args

import numpy as np
import polars as pl
import pytest

from neuralgauge.cli.application import COMMANDS, MODULES
from neuralgauge.cli.options import LossName
from neuralgauge.estimators import ReLUClassifier, ReLURegressor
from neuralgauge.interchange import load_model
from neuralgauge.losses import LOSSES, Absolute, EpsilonInsensitive, Huber, Poisson, Quantile
from neuralgauge.relaxation.prove import prove_bound
from neuralgauge.training import proof

RESULT_KEYS = {"objective", "lower_bound", "gap", "scope", "proven", "proven_gap", "n_neurons", "status", "seconds"}


def test_train_predict_certify(run, csv_file, table):
    trained = run("train", csv_file, "--target", "price", "--output", "m.safetensors", "--gap", "1e-3", "--json")
    assert trained.code == 0
    assert set(trained.json) >= RESULT_KEYS
    assert trained.json["status"] == "solved"
    assert trained.json["gap"] <= 1e-3
    assert trained.json["standardized"] is True

    model = load_model("m.safetensors")
    assert model.feature_names == ("size", "age", "floor")
    assert model.target_name == "price"
    np.testing.assert_allclose(model.standardization.target_mean, table["price"].mean())

    predicted = run("predict", "m.safetensors", csv_file)
    assert predicted.code == 0
    values = pl.read_csv(predicted.out.encode())["prediction"].to_numpy()
    np.testing.assert_array_equal(values, model.predict(table.drop("dear")))

    certified = run("certify", "m.safetensors", csv_file, "--target", "price", "--json")
    assert certified.code == 0
    assert set(certified.json) >= RESULT_KEYS
    assert certified.json["in_words"].startswith("No network of any size can be more than 0.")
    assert certified.json["objective"] == pytest.approx(trained.json["objective"], rel=1e-9)
    assert certified.json["lower_bound"] <= trained.json["objective"] * (1 + 1e-9)


def test_the_command_trains_what_the_estimator_trains(run, csv_file, table):
    run("train", csv_file, "--target", "price", "--output", "m.safetensors", "--beta", "0.7", "--gap", "1e-3")
    X = np.ascontiguousarray(table.select("size", "age", "floor").to_numpy(), dtype=float)
    y = table["price"].to_numpy()
    model = ReLURegressor(beta=0.7, gap=1e-3).fit(X, y)
    np.testing.assert_array_equal(load_model("m.safetensors").network.U, model.solution_.network.U)
    np.testing.assert_array_equal(load_model("m.safetensors").predict(X), model.predict(X))


@pytest.mark.parametrize("multi_class", ["joint", "one_vs_rest"])
def test_the_command_trains_the_classes_that_the_estimator_trains(run, flowers, multi_class):
    run("train", "flowers.csv", "--target", "kind", *NUMBERS, "--multi-class", multi_class, "--output", "m")
    X = flowers.select("length", "width").to_numpy()
    model = ReLUClassifier(multi_class=multi_class, gap=1e-4).fit(X, flowers["kind"].to_numpy())
    saved = load_model("m")
    assert (saved.beta, saved.loss, saved.multi_class) == (model.beta_, model.loss_.name, multi_class)
    np.testing.assert_array_equal(saved.network.U, model.solution_.network.U)


def test_readable_result(run, csv_file):
    outcome = run("train", csv_file, "--target", "price", "--beta", "1", "--quiet")
    assert outcome.code == 0
    assert outcome.err == ""
    for word in ("objective", "proven", "gap", '"exact": holds', "scaling", "deviation 1", "not saved"):
        assert word in outcome.out
    assert "\x1b" not in outcome.out


def test_classification_is_seen_from_the_target(run, class_file, table):
    outcome = run("train", class_file, "--target", "dear", "--output", "m.safetensors", "--beta", "0.1", "--json")
    assert outcome.json["task"] == "classification"
    assert outcome.json["loss"] == "logistic"
    assert outcome.json["classes"] == ["no", "yes"]
    predicted = pl.read_csv(run("predict", "m.safetensors", class_file).out.encode())
    assert predicted.columns == ["prediction", "probability_yes"]
    assert np.mean(predicted["prediction"].to_numpy() == table["dear"].to_numpy()) > 0.8
    assert run("certify", "m.safetensors", class_file, "--json").code == 0


@pytest.mark.parametrize(
    ("values", "options", "task"),
    [
        ("0 1 0 1", [], "classification"),
        ("1.5 2 2 1.5", [], "classification"),
        ("true false true true", [], "classification"),
        ("1 2 3 4", [], "regression"),
        ("5 5 5 5", [], "regression"),
        ("0 1 0 1", ["--task", "regression"], "regression"),
        ("0 1 0 1", ["--loss", "squared"], "regression"),
        ("0 1 0 1", ["--loss", "hinge"], "classification"),
    ],
)
def test_task(run, tmp_path, values, options, task):
    rows = [f"{k},{value}" for k, value in enumerate(values.split())]
    (tmp_path / "t.csv").write_text("\n".join(["x,y", *rows]))
    outcome = run("train", "t.csv", "--target", "y", "--beta", "0.5", "--output", "m", "--json", *options)
    assert outcome.code == 0
    assert outcome.json["task"] == task
    assert run("certify", "m", "t.csv").code == 0
    assert run("predict", "m", "t.csv").out.startswith("prediction")


def test_gap_not_reached_saves_and_exits_with_one(run, csv_file):
    arguments = ["train", csv_file, "--target", "price", "--beta", "0.01", "--gap", "1e-13", "--time-limit", "0.001"]
    outcome = run(*arguments, "--output", "m.safetensors")
    assert outcome.code == 1
    assert "1.00e-13 was asked for" in outcome.err
    assert load_model("m.safetensors").network.n_features == 3


def test_unstandardised(run, csv_file):
    outcome = run(
        "train", csv_file, "--target", "price", "--no-standardize", "--no-bias", "--beta", "50", "--output", "m"
    )
    assert "taken as they are" in outcome.out
    model = load_model("m")
    assert model.network.bias is False
    assert model.standardization.feature_scale.tolist() == [1.0, 1.0, 1.0]


def test_columns_can_be_left_out_and_reordered(run, table, tmp_path):
    table.select("dear", "floor", "price", "age", "size").write_csv(tmp_path / "a.csv")
    table.select("size", "age", "floor").write_csv(tmp_path / "b.csv")
    options = ["--target", "price", "--drop", "dear", "--drop", "floor", "--beta", "1"]
    assert run("train", "a.csv", *options, "--output", "m").code == 0
    first = run("predict", "m", "a.csv", "--drop", "dear", "--drop", "floor")
    second = run("predict", "m", "b.csv", "--drop", "floor", "--output", "p.csv")
    assert first.code == second.code == 0
    assert second.out == ""
    assert (tmp_path / "p.csv").read_text() == first.out


def test_parquet_and_csv_give_the_same_model(run, table, csv_file, tmp_path):
    table.drop("dear").write_parquet(tmp_path / "t.parquet")
    for data, output in ((csv_file, "a"), ("t.parquet", "b")):
        run("train", data, "--target", "price", "--beta", "1", "--output", output)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_patterns_listed(run, tmp_path):
    (tmp_path / "t.csv").write_text("x,y\n-2,1\n-1,-1\n0,1\n1,1\n2,-1\n")
    outcome = run("patterns", "t.csv", "--target", "y", "--json")
    assert outcome.code == 0
    assert outcome.json == {
        "n": 5, "d": 2, "rank": 2, "bound": 10, "count": 10, "listed": True, "reason": None, "max_patterns": 100_000
    }  # fmt: skip
    assert "10 (listed one by one)" in run("patterns", "t.csv", "--target", "y").out


def test_patterns_too_many_to_list(run, csv_file):
    outcome = run("patterns", csv_file, "--max-patterns", "50", "--json")
    assert outcome.code == 0
    assert outcome.json["count"] is None
    assert outcome.json["listed"] is False
    assert "50" in outcome.json["reason"]
    assert "at most" in run("patterns", csv_file, "--max-patterns", "50").out


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_says_of_a_command_what_it_says_itself(name):
    command = getattr(importlib.import_module(f"neuralgauge.cli.{MODULES.get(name, name)}"), name)
    assert " ".join(command.__doc__.split("\n\n")[0].split()) == COMMANDS[name]


def test_version_and_help(run):
    assert run("--version").out.startswith("neuralgauge ")
    assert run("--help").code == 0
    assert "Exit codes" in run().out
    for command in ("train", "predict", "certify", "patterns"):
        assert "--help" in run(command, "--help").out


def test_python_m_neuralgauge():
    paths = os.pathsep.join(path for path in sys.path if path)
    command = [sys.executable, "-m", "neuralgauge", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths}, check=True)
    assert done.stdout.startswith("neuralgauge ")


def test_certify_says_what_an_estimate_rests_on(run, csv_file, tmp_path):
    model = tmp_path / "m.safetensors"
    assert run("train", csv_file, "--target", "price", "--output", model).code == 0
    text = run("certify", model, csv_file, "--prove", "none").out
    assert re.search(r"^proven +0, gap 1.00e\+00: holds for every network of every width$", text, re.MULTILINE)
    assert re.search(r"^estimated +[\d.]+, gap [\d.e-]+: not a proof", text, re.MULTILINE)
    assert "fresh starts ended in a local maximum not seen before" in text
    for prove in ("exact", "auto", "60"):
        text = run("certify", model, csv_file, "--prove", prove).out
        assert re.search(r'^proven .*, "exact": holds for every network of every width$', text, re.MULTILINE)
        assert "estimated" not in text


@pytest.fixture
def wide_file(tmp_path):
    """A table of seven features, whose rank no exact pricing is tried at."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((16, 7))
    frame = pl.DataFrame({**{f"x{k}": X[:, k] for k in range(7)}, "y": np.abs(X[:, 0]) - X[:, 1]})
    frame.write_csv(tmp_path / "wide.csv")
    return "wide.csv"


@pytest.fixture
def short_proof(monkeypatch):
    """Proofs are ended by a Ctrl-C at their sixth record; the seconds that they were given."""
    asked = []

    def interrupted(problem, *, time_limit, **options):
        asked.append(time_limit)
        records = []

        def press(record):
            records.append(record)
            if len(records) == 6:
                signal.raise_signal(signal.SIGINT)

        return prove_bound(problem, time_limit=600.0, progress=press, **options)

    monkeypatch.setattr(proof, "prove_bound", interrupted)
    return asked


def test_seconds_of_a_proof_and_ctrl_c_in_it(run, wide_file, short_proof):
    arguments = ["train", wide_file, "--target", "y", "--beta", "3", "--prove", "12.5", "--output", "m"]
    trained = run(*arguments, "--json")
    assert trained.code == 130
    assert trained.json["scope"] == "estimated"
    assert 0.8 * trained.json["objective"] < trained.json["proven"] <= trained.json["lower_bound"]
    assert trained.json["proven_gap"] == pytest.approx(1 - trained.json["proven"] / trained.json["objective"])
    assert load_model("m").certificate.proven == trained.json["proven"]
    text = run(*arguments, "--force").out
    assert re.search(r"^proven +[\d.]+, gap [\d.e-]+: holds for every network of every width$", text, re.MULTILINE)
    assert re.search(r"^estimated +[\d.]+, gap [\d.e-]+: not a proof", text, re.MULTILINE)
    certified = run("certify", "m", wide_file, "--prove", "12.5", "--gap", "1e-3", "--json")
    assert certified.code == 130
    assert certified.json["status"] == "interrupted"
    assert certified.json["proven"] == pytest.approx(trained.json["proven"], rel=1e-3)
    assert short_proof == [12.5] * 3
    assert run("train", wide_file, "--target", "y", "--beta", "3", "--prove", "none", "--json").json["proven"] == 0.0


def test_the_classes_of_a_model_share_the_seconds_of_a_proof(run, wide_file, short_proof, tmp_path):
    table = pl.read_csv(wide_file).with_columns(pl.Series("y", [f"c{k % 3}" for k in range(16)]))
    table.write_csv(tmp_path / "classes.csv")
    options = ["--multi-class", "one_vs_rest", "--beta", "2", "--gap", "0.01"]
    assert run("train", "classes.csv", "--target", "y", *options, "--prove", "none", "--output", "m").code == 0
    assert run("certify", "m", "classes.csv", "--prove", "6", "--json").code == 130
    assert short_proof == [2.0]  # the others are not begun
    joint = run("train", "classes.csv", "--target", "y", "--beta", "2", "--gap", "0.01", "--prove", "6", "--json")
    assert joint.code == 130
    assert 0.5 * joint.json["objective"] < joint.json["proven"] <= joint.json["objective"]


def test_the_names_of_losses_are_those_of_the_package():
    (name,) = (one.metavar for one in get_args(LossName) if hasattr(one, "metavar"))
    assert name == f"<{'|'.join(LOSSES)}>"


@pytest.fixture
def flowers(tmp_path):
    """Three classes of text, and two numeric targets, one of them a count."""
    rng = np.random.default_rng(1)
    kind = np.arange(30) % 3
    length, width = rng.normal(kind, 0.4), rng.normal(-kind, 0.4)
    frame = pl.DataFrame(
        {
            "length": length,
            "width": width,
            "kind": np.array(["lily", "rose", "aster"])[kind],
            "price": 100.0 + 30.0 * np.abs(length),
            "seeds": rng.poisson(np.exp(0.5 * kind)),
        }
    )
    frame.write_csv(tmp_path / "flowers.csv")
    return frame


NUMBERS = ["--drop", "price", "--drop", "seeds"]


@pytest.mark.parametrize(
    ("options", "loss", "has_probabilities"),
    [
        ([], "softmax", True),
        (["--loss", "logistic", "--offset"], "softmax", True),
        (["--loss", "hinge"], "hinge", False),
        (["--multi-class", "one_vs_rest", "--offset"], "logistic", True),
        (["--multi-class", "one_vs_rest", "--loss", "squared_hinge"], "squared_hinge", False),
    ],
)
def test_three_classes(run, flowers, options, loss, has_probabilities):
    arguments = ["train", "flowers.csv", "--target", "kind", "--beta", "0.5", "--gap", "0.01", *NUMBERS, *options]
    trained = run(*arguments, "--output", "m", "--json").json
    assert trained["task"] == "classification"
    assert trained["classes"] == ["aster", "lily", "rose"]
    assert trained["loss"] == loss
    assert trained["offset"] == ("--offset" in options)
    predicted = pl.read_csv(run("predict", "m", "flowers.csv", *NUMBERS).out.encode())
    probabilities = [f"probability_{name}" for name in ("aster", "lily", "rose")] if has_probabilities else []
    assert predicted.columns == ["prediction", *probabilities]
    assert np.mean(predicted["prediction"].to_numpy() == flowers["kind"].to_numpy()) > 0.8
    if has_probabilities:
        np.testing.assert_allclose(predicted.select(probabilities).sum_horizontal(), 1.0)
    certified = run("certify", "m", "flowers.csv", "--gap", "0.01", "--json", *NUMBERS).json
    assert certified["objective"] == pytest.approx(trained["objective"], rel=1e-9)
    assert certified["gap"] <= 0.03
    text = run("certify", "m", "flowers.csv", "--gap", "0.1", *NUMBERS).out
    assert "classification of 'kind', 'aster', 'lily' or 'rose'" in text
    assert ("only among networks whose neurons serve one output each" in text) == ("one_vs_rest" in options)


def test_two_numeric_targets(run, flowers):
    data = ["flowers.csv", "--drop", "kind"]
    arguments = ["train", *data, "--target", "price", "--target", "seeds", "--beta", "2", "--gap", "0.01", "--offset"]
    trained = run(*arguments, "--output", "m", "--json").json
    assert (trained["task"], trained["target"]) == ("regression", ["price", "seeds"])
    predicted = pl.read_csv(run("predict", "m", *data).out.encode())
    assert predicted.columns == ["prediction_price", "prediction_seeds"]
    model = load_model("m")
    np.testing.assert_array_equal(predicted.to_numpy(), model.predict(flowers.select("length", "width")))
    assert np.corrcoef(predicted["prediction_price"], flowers["price"])[0, 1] > 0.7
    assert predicted["prediction_price"].mean() == pytest.approx(flowers["price"].mean(), rel=0.01)
    certified = run("certify", "m", *data, "--gap", "0.01", "--json").json
    assert certified["objective"] == pytest.approx(trained["objective"], rel=1e-9)
    assert certified["gap"] <= 0.03
    assert "'price' and 'seeds', squared loss, with an output offset" in run("certify", "m", *data, "--gap", "0.1").out


@pytest.mark.parametrize(
    ("target", "options", "loss"),
    [
        ("price", ["--loss", "huber", "--delta", "0.3"], Huber(0.3)),
        ("price", ["--loss", "quantile", "--level", "0.9", "--offset"], Quantile(0.9)),
        ("price", ["--loss", "epsilon_insensitive", "--epsilon", "0.05"], EpsilonInsensitive(0.05)),
        ("price", ["--loss", "absolute"], Absolute()),
        ("seeds", ["--loss", "poisson"], Poisson()),
    ],
)
def test_losses_and_their_parameters(run, flowers, target, options, loss):
    other = {"price": "seeds", "seeds": "price"}[target]
    data = ["flowers.csv", "--drop", "kind", "--drop", other]
    trained = run(
        "train", *data, "--target", target, "--beta", "0.5", "--gap", "0.01", *options, "--output", "m", "--json"
    ).json
    assert load_model("m").training_loss == loss
    certified = run("certify", "m", *data, "--gap", "0.01", "--json").json
    assert certified["objective"] == pytest.approx(trained["objective"], rel=1e-9)
    assert certified["loss_parameters"] == trained["loss_parameters"]
    predicted = pl.read_csv(run("predict", "m", *data).out.encode())["prediction"].to_numpy()
    if loss == Poisson():
        assert np.all(predicted > 0.0)
        assert "features have mean 0" in run("train", *data, "--target", target, "--gap", "0.1", *options).out
    assert np.corrcoef(predicted, flowers[target])[0, 1] > 0.3
