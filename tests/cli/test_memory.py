"""`neuralgauge train --memory`: a Parquet file that is streamed within a limit."""

import numpy as np
import polars as pl
import pytest

from neuralgauge.cli import streaming
from neuralgauge.errors import InvalidInputError
from neuralgauge.features import kinds, parquet


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    X = (3.0 + 5.0 * rng.standard_normal((300, 3))).astype(np.float32)
    y = np.maximum(X[:, 0] - 3.0, 0.0) + X[:, 1]
    frame = pl.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": y, "kind": np.where(y > 5.0, "high", "low")})
    frame.write_parquet(tmp_path / "t.parquet", row_group_size=100)
    frame.write_csv(tmp_path / "t.csv")
    return frame


@pytest.fixture
def streamed(monkeypatch):
    monkeypatch.setattr(parquet, "DECODED", 100)
    monkeypatch.setattr(kinds, "CONVERTED", 100)


@pytest.mark.parametrize("size", ["1GB", "600_043_200"])
def test_trains_to_the_same_objective(run, table, streamed, size):
    size = size.replace("_", "")  # the second leaves no room for the rows, which go to a file
    options = ("--target", "y", "--drop", "kind", "--gap", "1e-2", "--beta", "2", "--json", "--quiet")
    found = run("train", "t.parquet", *options, "--memory", size, "--output", "m")
    whole = run("train", "t.parquet", *options)
    assert found.code == whole.code == 0
    assert found.json["objective"] == pytest.approx(whole.json["objective"], rel=2e-2)
    assert (found.json["n_rows"], found.json["n_features"]) == (300, 3)
    table.drop("kind").write_csv("p.csv")
    predicted = run("predict", "m", "p.csv")
    assert predicted.code == 0


def test_classes(run, table, streamed):
    found = run("train", "t.parquet", "--target", "kind", "--drop", "y", "--gap", "5e-2", "--memory", "2GB", "--json")
    assert found.code == 0
    assert found.json["classes"] == ["high", "low"]
    assert "300 rows of 3 features" in found.err


def test_sizes():
    assert streaming.memory_limit("4GB") == 4 * 10**9
    assert streaming.memory_limit("1.5 gib") == 3 * 2**29
    assert streaming.memory_limit("100") == 100
    with pytest.raises(InvalidInputError, match="such as 4GB"):
        streaming.memory_limit("many")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("t.parquet", "--target", "y", "--memory", "lots"), "must be a size such as 4GB or 500MiB, got 'lots'"),
        (("t.parquet", "--target", "y", "--drop", "kind", "--memory", "100MB"), "must be at least 0.6GB for 300 rows"),
        (("t.parquet", "--target", "y", "--memory", "1GB"), "Column 'kind' of 't.parquet' must hold numbers"),
        (("t.parquet", "--target", "z", "--drop", "kind", "--memory", "1GB"), "has no column 'z'"),
        (("t.parquet", "--target", "y", "--drop", "x", "--memory", "1GB"), "to leave out is not there"),
        (("t.parquet", "--target", "y", "--drop", "y", "--memory", "1GB"), "is both the target and to be left out"),
        (("t.csv", "--target", "y", "--memory", "1GB"), "needs a Parquet file, and 't.csv' is none"),
        (("none.parquet", "--target", "y", "--memory", "1GB"), "cannot be read"),
        (("-", "--target", "y", "--memory", "1GB"), "needs a Parquet file on disk, got standard input"),
    ],
)
def test_refused(refused, table, arguments, message):
    assert message in refused("train", *arguments, "--quiet")


def test_a_missing_value_is_named(refused, table, streamed, tmp_path):
    holes = table.with_columns(a=pl.when(pl.int_range(pl.len()) == 150).then(None).otherwise(pl.col("a")))
    holes.write_parquet(tmp_path / "t.parquet")
    options = ("--target", "y", "--drop", "kind", "--no-standardize", "--memory", "1GB", "--quiet")
    assert "got nan in row 150, column 'a'" in refused("train", "t.parquet", *options)


def test_a_missing_class_is_named(refused, table, streamed, tmp_path):
    for kind, hole in ((table["kind"], None), (pl.Series("kind", np.arange(300.0) % 2), np.nan)):
        holes = table.with_columns(kind)
        holes[150, "kind"] = hole
        holes.write_parquet(tmp_path / "t.parquet")
        options = ("--target", "kind", "--task", "classification", "--drop", "y", "--memory", "1GB", "--quiet")
        message = "Target 'kind' must have a class in every row, got none in row 151 (1 such rows)"
        assert message in refused("train", "t.parquet", *options)
