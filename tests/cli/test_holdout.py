"""`neuralgauge train --holdout`: rows kept from the training, and scores on both parts."""

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import accuracy_score, mean_absolute_error, r2_score, root_mean_squared_error

from neuralgauge.cli.holdout import held_out
from neuralgauge.cli.scores import errors, in_words
from neuralgauge.interchange import load_model

OPTIONS = ["--beta", "1", "--gap", "0.01", "--output", "m", "--force"]


@pytest.fixture
def plants(tmp_path):
    """40 rows: three classes of text, one of them rare, a column of whole numbers and two numeric targets."""
    rng = np.random.default_rng(3)
    kind = np.array(["lily"] * 24 + ["rose"] * 15 + ["aster"])
    rng.shuffle(kind)
    size = rng.normal(np.where(kind == "lily", 0.0, 2.0), 0.5)
    frame = pl.DataFrame(
        {
            "size": size,
            "age": rng.normal(size=40),
            "kind": kind,
            "number": np.where(kind == "lily", 2, 10),
            "price": 100.0 + 30.0 * np.abs(size),
            "height": 5.0 - size,
        }
    )
    frame.write_csv(tmp_path / "plants.csv")
    return frame


def only(*targets):
    names = ["--target", *" --target ".join(targets).split()]
    return [*names, *(f"--drop {name}" for name in ("kind", "number", "price", "height") if name not in targets)]


def train(run, *targets, options=()):
    arguments = " ".join(["train", "plants.csv", *only(*targets), *OPTIONS, *options]).split()
    return run(*arguments)


def parts(frame, out):
    return frame.filter(~out), frame.filter(out)


@pytest.mark.parametrize("seed", [0, 5])
def test_numbers(run, plants, seed):
    found = train(run, "price", options=["--holdout", "0.25", "--random-state", str(seed), "--json"]).json
    model = load_model("m")
    kept, aside = parts(plants, held_out(np.zeros(40), 0.25, np.random.default_rng(seed)))
    assert (found["n_rows"], len(kept), len(aside)) == (30, 30, 10)
    for name, rows in (("training_score", kept), ("held_out_score", aside)):
        y, f = rows["price"].to_numpy(), model.predict(rows.select("size", "age"))
        scores = {"r2": r2_score(y, f), "rmse": root_mean_squared_error(y, f), "mae": mean_absolute_error(y, f)}
        assert found[name] == pytest.approx({"n_rows": len(rows), **scores})


def test_the_network_is_that_of_the_rows_left(run, plants):
    train(run, "price", options=["--holdout", "0.25"])
    network = load_model("m").network
    parts(plants, held_out(np.zeros(40), 0.25, np.random.default_rng(0)))[0].write_csv("plants.csv")
    train(run, "price")
    np.testing.assert_array_equal(network.U, load_model("m").network.U)


@pytest.mark.parametrize(
    ("target", "counts"), [("kind", {"lily": 5, "rose": 3, "aster": 0}), ("number", {2: 5, 10: 3})]
)
def test_classes(run, plants, target, counts):
    found = train(run, target, options=["--holdout", "0.2", "--task", "classification", "--json"]).json
    model = load_model("m")
    assert len(model.classes) == plants[target].n_unique()
    kept, aside = parts(plants, held_out(plants[target].to_numpy(), 0.2, np.random.default_rng(0)))
    assert {label: aside.filter(pl.col(target) == label).height for label in counts} == counts
    for name, rows in (("training_score", kept), ("held_out_score", aside)):
        y = rows[target].to_numpy()
        assert found[name]["n_rows"] == len(y)
        assert found[name]["accuracy"] == accuracy_score(y, model.predict(rows.select("size", "age")))
        assert found[name]["most_frequent"] == rows[target].value_counts()["count"].max() / len(y)


def test_the_task_is_that_of_the_whole_table(run, tmp_path):
    """Whichever rows are drawn: without the last one the target has two values, which means classes."""
    values = [*(k % 2 for k in range(11)), 7]
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{k},{value}\n" for k, value in enumerate(values)))
    seed = next(s for s in range(99) if held_out(np.zeros(12), 0.25, np.random.default_rng(s))[-1])
    options = ["--task", "auto", "--holdout", "0.25", "--random-state", str(seed), "--gap", "0.1", "--json"]
    assert run("train", "t.csv", "--target", "y", *options).json["task"] == "regression"


def test_several_targets(run, plants):
    found = train(run, "price", "height", options=["--holdout", "0.25", "--json"]).json
    score, model = found["held_out_score"], load_model("m")
    _, aside = parts(plants, held_out(np.zeros(40), 0.25, np.random.default_rng(0)))
    f = model.predict(aside.select("size", "age"))
    for k, name in enumerate(("price", "height")):
        assert score["targets"][name]["r2"] == pytest.approx(r2_score(aside[name], f[:, k]))
    assert "'price': R^2 0." in train(run, "price", "height").out


def test_what_is_said(run, plants):
    without = train(run, "price").out
    assert "held-out score  none, every row was trained on; `--holdout 0.2`" in without
    assert "; on the 40 rows trained on" in without
    assert train(run, "price", options=["--json"]).json["held_out_score"] is None
    assert "; on 10 rows kept from the training, drawn at random" in train(run, "price", options=["--holdout 0.25"]).out
    classes = train(run, "kind", options=["--holdout", "0.2"]).out
    assert "always the most frequent class: 0.625; on 8 rows kept from the training, the same share of" in classes


def test_a_target_of_one_value_has_no_r2(run, tmp_path):
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{k},0.1\n" for k in range(9)))
    found = run("train", "t.csv", "--target", "y", "--holdout", "0.4", "--json").json
    assert found["held_out_score"]["r2"] is found["training_score"]["r2"] is None
    assert in_words(errors(np.full(9, 0.1), np.full(9, 0.1))).startswith("R^2 undefined, the target has one value, ")


@pytest.mark.parametrize(
    ("share", "message"),
    [
        ("1", "must be a share of the rows, >= 0 and < 1, got 1."),
        ("-0.1", "must be a share of the rows, >= 0 and < 1, got -0.1."),
        ("nan", "must be a share of the rows, >= 0 and < 1, got nan."),
        ("0.01", "`--holdout 0.01` of 9 rows must hold out one row and leave two"),
        ("0.99", "`--holdout 0.99` of 9 rows must hold out one row and leave two"),
    ],
)
def test_refused(refused, tmp_path, share, message):
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{k},{k * k}\n" for k in range(9)))
    assert message in refused("train", "t.csv", "--target", "y", "--holdout", share)
    pl.read_csv(tmp_path / "t.csv").write_parquet(tmp_path / "t.parquet")
    arguments = ["train", "t.parquet", "--target", "y", "--holdout", "0.2", "--memory", "1GB"]
    assert "is for tables that are read whole" in refused(*arguments)


def test_errors_in_held_out_rows_name_their_line(refused, tmp_path):
    rows = [f"{k},{k * k}" for k in range(9)]
    rows[4] = "red,16"
    (tmp_path / "t.csv").write_text("\n".join(["x,y", *rows]))
    assert "line 6 of 't.csv'" in refused("train", "t.csv", "--target", "y", "--holdout", "0.5")


def test_rows_are_held_out_by_the_class():
    for seed in range(20):
        labels = np.random.default_rng(seed).integers(0, 4, 50)
        out = held_out(labels, 0.3, np.random.default_rng(seed))
        for label in np.unique(labels):
            rows = labels == label
            assert abs(out[rows].sum() - 0.3 * rows.sum()) <= 0.5
            assert not out[rows].all()
