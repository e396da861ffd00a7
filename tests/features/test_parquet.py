"""Parquet files and queries as rows: what is read, in what type, and what is refused."""

import numpy as np
import polars as pl
import pytest

import neuralgauge as ng
from neuralgauge.features import parquet
from neuralgauge.features.streamed import ArrayRows, FileRows


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(parquet, "DECODED", 20)


TABLE = pl.DataFrame(
    {
        "a": np.arange(12, dtype=np.float32),
        "^b$": np.arange(12, dtype=np.int16),
        "on": [True, False] * 6,
        "price": np.linspace(0.0, 1.0, 12),
        "town": ["x", "y", "z"] * 4,
    }
)


def written(folder, table=TABLE):
    table.write_parquet(folder / "table.parquet", row_group_size=5)
    return str(folder / "table.parquet")


def test_columns_types_and_targets(tmp_path):
    rows = ng.ParquetRows(written(tmp_path), ["price", "town"], ["on", "^b$", "a"])
    assert (rows.names, rows.shape, rows.dtype) == (("on", "^b$", "a"), (12, 3), np.float32)
    expected = np.column_stack([[1.0, 0.0] * 6, np.arange(12), np.arange(12)])
    assert np.array_equal(np.vstack(list(rows.blocks())), expected)
    assert len(list(rows.blocks())) == 2
    assert rows.y[1].tolist() == [pytest.approx(1 / 11), "y"]
    assert ng.ParquetRows(written(tmp_path), "town", ["price"]).dtype == np.float64
    assert ng.ParquetRows(written(tmp_path), "town", ["price"], dtype="float32").rows.read(slice(0, 2)).dtype == "f4"


def test_many_files(tmp_path):
    for part in range(2):
        TABLE.select("a", "price").slice(6 * part, 6).write_parquet(tmp_path / f"part-{part}.parquet")
    rows = ng.ParquetRows(str(tmp_path / "part-*.parquet"), "price")
    assert rows.rows.read(slice(0, 12))[:, 0].tolist() == list(range(12))


def test_where_rows_are_kept(tmp_path):
    path = written(tmp_path)
    small, large = (ng.ParquetRows(path, "price", ["a", "on"], memory=memory) for memory in (96, 95))
    assert isinstance(small.rows, ArrayRows)
    assert isinstance(large.rows, FileRows)
    assert np.array_equal(small.rows.read(slice(3, 9)), large.rows.read(slice(3, 9)))
    chosen = np.array([0, 4, 11])
    assert np.array_equal(small.rows.gather(chosen), large.rows.gather(chosen))


def test_standardised_on_the_way(tmp_path):
    rows = ng.ParquetRows(written(tmp_path), "price", ["a", "on"])
    mean, scale = np.array([2.0, 0.5]), np.array([3.0, 0.25])
    found = rows.standardized(mean, scale).rows.read(slice(0, 12))
    assert np.allclose(found, (rows.rows.read(slice(0, 12)) - mean) / scale, rtol=1e-6, atol=0.0)


def test_a_missing_value_is_not_finite(tmp_path):
    table = TABLE.with_columns(pl.when(pl.col("^b$").is_null()).then(0).otherwise(pl.col("a")).alias("a"))
    holes = table.with_columns(a=pl.when(pl.int_range(pl.len()) == 7).then(None).otherwise(pl.col("a")))
    rows = ng.ParquetRows(written(tmp_path, holes), "price", ["a"])
    with pytest.raises(ng.InvalidInputError, match="got nan in row 7, column 'a'"):
        ng.TrainingProblem(rows, rows.y, beta=1.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "prise"}, "has no column 'prise'; did you mean 'price'"),
        ({"features": ["a", "c"]}, "has no column 'c'"),
        ({"target": "price"}, "'town' of .* must hold numbers, got String"),
        ({"features": []}, "at least one row and one feature column, got 12 rows and 0 columns"),
        ({"features": ["a"], "dtype": "int8"}, '`dtype` must be "float32" or "float64", got \'int8\''),
    ],
)
def test_refused(options, message, tmp_path):
    with pytest.raises(ng.InvalidInputError, match=message):
        ng.ParquetRows(written(tmp_path), **options)


def test_no_parquet(tmp_path):
    (tmp_path / "table.parquet").write_text("a,b\n1,2\n")
    with pytest.raises(ng.InvalidInputError, match="cannot be read as Parquet"):
        ng.ParquetRows(str(tmp_path / "table.parquet"))
    with pytest.raises(ng.InvalidInputError, match="cannot be read as Parquet"):
        ng.ParquetRows(str(tmp_path / "nothing.parquet"))
    rows = ng.ParquetRows(written(tmp_path), features=["a"])
    with pytest.raises(ng.InvalidInputError, match="no `target` was named"):
        rows.y  # noqa: B018


def test_a_disk_that_is_full(tmp_path, monkeypatch):
    def full(file, block):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(parquet, "_write", full)
    rows = ng.ParquetRows(written(tmp_path), "price", ["a"], memory=10)
    with pytest.raises(ng.InvalidInputError, match=r"could not be written: No space left on device; set TMPDIR"):
        rows.rows  # noqa: B018
