"""Tables of very many columns, very long cells and names, and files without end: refused or read, in linear time."""

import io

import numpy as np
import polars as pl
import pytest

from neuralgauge import InvalidInputError
from neuralgauge.cli import streams, tables
from neuralgauge.cli.columns import matrix, numbers
from neuralgauge.cli.tables import read_table
from neuralgauge.quoting import closest, listed, quoted


def test_thirty_thousand_columns_are_read(tmp_path):
    lines = [",".join(f"column {k}" for k in range(30_000)), *[",".join(["1"] * 30_000)] * 2]
    (tmp_path / "wide.csv").write_text("\n".join(lines))
    table = read_table(str(tmp_path / "wide.csv"))
    assert matrix(table.without(["column 0"]), table.columns[1:]).shape == (2, 29_999)


def test_names_that_repeat_among_many_are_found(tmp_path):
    (tmp_path / "t.csv").write_text(",".join(["a", *map(str, range(40_000)), "b", "a", "b"]) + "\n")
    with pytest.raises(InvalidInputError, match="more than one column named 'a', 'b'; rename"):
        read_table(str(tmp_path / "t.csv"))


def test_a_cell_of_a_megabyte_is_refused_and_not_repeated(refused, tmp_path):
    (tmp_path / "t.csv").write_text("x,y\n1,2\n" + "a" * 10**6 + ",3\n")
    message = refused("train", "t.csv", "--target", "y")
    assert "Column 'x' has a cell of 1,000,000 characters in line 3 of 't.csv', more than 131,072" in message
    assert len(message) < 300


@pytest.mark.parametrize(
    "cell", ["a" * 131_072, "1" * 131_072, '"' + "a\n" * 65_536 + '"'], ids=["letters", "digits", "lines"]
)
def test_cells_up_to_the_limit_are_cut_in_messages(refused, tmp_path, cell):
    (tmp_path / "t.csv").write_text(f"x,note,y\n1,{cell},2\n2,b,3\nred,c,4\n5,d,6\n")
    line = 4 + cell.count("\n")
    message = refused("train", "t.csv", "--target", "y", "--drop", "note")
    assert f"got 'red' in line {line} of 't.csv'" in message
    message = refused("train", "t.csv", "--target", "y", "--drop", "x")
    assert "'note' is left out: each of its levels is in one row" in message
    assert len(message) < 400


def test_long_names_are_cut_in_messages(refused, tmp_path):
    name = "n" * 100_000
    (tmp_path / "t.csv").write_text(f"{name},y\nred,2\n1,3\n")
    assert len(refused("train", "t.csv", "--target", "y")) < 400
    assert len(refused("train", "t.csv", "--target", "z")) < 400
    assert len(refused("train", "t.csv", "--target", name, "--loss", "squared")) < 400
    (tmp_path / "t.csv").write_text("n" * 200_000 + ",y\n1,2\n")
    message = refused("train", "t.csv", "--target", "y")
    assert "The header of 't.csv' could not be read" in message


def test_long_classes_are_cut_in_messages(refused, tmp_path):
    rows = "".join(f"{k},{str(k) * 50_000}\n" for k in range(2))
    (tmp_path / "t.csv").write_text("x,y\n" + rows + rows)
    assert len(refused("train", "t.csv", "--target", "y", "--loss", "squared")) < 400
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{k},{'abc'[k] * 100_000}\n" for k in range(3)))
    message = refused("train", "t.csv", "--target", "y")
    assert "has 3 classes ('aaa" in message
    assert len(message) < 700


def test_classes_of_a_model_are_cut_in_messages(refused, run, tmp_path):
    rows = "".join(f"{k},{'ab'[k % 2] * 50_000}\n" for k in range(6))
    (tmp_path / "t.csv").write_text("x,y\n" + rows)
    outcome = run("train", "t.csv", "--target", "y", "--beta", "0.5", "--output", "m")
    assert outcome.code == 0
    assert len(outcome.out) < 2000
    (tmp_path / "t.csv").write_text("x,y\n1,c\n")
    assert len(refused("certify", "m", "t.csv")) < 400


def test_files_without_end_are_refused(refused, tmp_path, monkeypatch, csv_file):
    monkeypatch.setattr(streams, "MOST_BYTES", 2**20)
    (tmp_path / "t.csv").write_bytes(b"x,y\n" + b"1,2\n" * 2**18)
    assert "cannot be read: it is larger than" in refused("train", "t.csv", "--target", "y")
    assert "cannot be read: it is larger than" in refused("patterns", "-", stdin=(tmp_path / "t.csv").read_bytes())
    assert "The model file 't.csv' cannot be read: it is larger than" in refused("predict", "t.csv", csv_file)


def test_parquet_files_of_more_cells_than_memory_are_not_unpacked(refused, tmp_path, monkeypatch):
    frame = pl.DataFrame({"x": np.zeros(1000), "y": np.arange(1000.0)})
    frame.write_parquet(tmp_path / "t.parquet")
    monkeypatch.setattr(tables, "MOST_CELLS", 1999)
    monkeypatch.setattr(pl, "read_parquet", lambda _: pytest.fail("it was unpacked"))
    message = refused("patterns", "t.parquet")
    assert "'t.parquet' has 2,000 cells, more than 1,999; take fewer" in message


def test_a_panic_of_the_reader_is_a_sentence(refused, tmp_path, monkeypatch):
    """Which is no Exception, and comes of some damages inside of pages."""

    def panic(_):
        raise pl.exceptions.PanicException("range end index 9 out of range")

    monkeypatch.setattr(pl, "read_parquet", panic)
    pl.DataFrame({"x": [1.0, 2.0], "y": [1.0, 2.0]}).write_parquet(tmp_path / "t.parquet")
    assert "'t.parquet' is a damaged Parquet file; write it again." in refused("patterns", "t.parquet")


def test_stray_quotes_are_read_or_refused_and_rows_have_a_line(tmp_path):
    rng = np.random.default_rng(0)
    parts, read = ['"', ",", "\n", "a", "1", '""', "\r\n", "\n\n", ";"], 0
    for _ in range(1000):
        text = "x,y\n" + "".join(rng.choice(parts, rng.integers(1, 25)))
        (tmp_path / "t.csv").write_text(text, newline="")
        try:
            table = read_table(str(tmp_path / "t.csv"))
        except InvalidInputError as error:
            refusal = str(error)
            continue
        lines = [int(table.place(row).split()[1]) for row in range(table.n_rows)]
        assert lines == sorted(set(lines))
        assert 2 <= lines[0] <= lines[-1] <= text.count("\n") + 1
        read += 1
    assert read > 100
    assert refusal.endswith(".")


def test_names_like_patterns_are_names(run, tmp_path):
    (tmp_path / "t.csv").write_text("^x.*$,x1,x2,y\n" + "".join(f"{k},{k * k},{-k},{k % 4}\n" for k in range(8)))
    assert run("patterns", "t.csv", "--drop", "^x.*$", "--json").json["d"] == 4  # with the column of ones
    assert run("patterns", "t.csv", "--drop", "x1", "--drop", "x1", "--json").json["d"] == 4
    np.testing.assert_array_equal(numbers(read_table(str(tmp_path / "t.csv")), "^x.*$"), np.arange(8.0))


def test_columns_at_once_are_columns_one_by_one(tmp_path):
    values = [["1", " 2 ", "+3e0"], ["true", "False", "TRUE"], ["0.1", "1e-320", "5"]]
    (tmp_path / "t.csv").write_text("a,b,c\n" + "\n".join(",".join(row) for row in zip(*values, strict=True)))
    table = read_table(str(tmp_path / "t.csv"))
    expected = np.array([[1.0, 1.0, 0.1], [2.0, 0.0, 1e-320], [3.0, 1.0, 5.0]])
    for names in (["a", "b", "c"], ["c", "a"]):
        found = matrix(table, names)
        np.testing.assert_array_equal(found, expected[:, ["abc".index(name) for name in names]])
        assert found.flags.c_contiguous


def test_parquet_columns_of_other_kinds_are_refused(refused, tmp_path):
    for column in ([[1.0], [2.0]], [b"1", b"2"], [{"a": 1}, {"a": 2}]):
        pl.DataFrame({"x": column, "y": [1.0, 2.0]}).write_parquet(tmp_path / "t.parquet")
        assert "'x' is left out: cells of type" in refused("train", "t.parquet", "--target", "y")
    pl.DataFrame({"x": pl.Series(["1", "2"], dtype=pl.Categorical)}).write_parquet(buffer := io.BytesIO())
    np.testing.assert_array_equal(matrix(tables._read_parquet(buffer.getvalue(), "t"), ["x"]), [[1.0], [2.0]])


def test_quoting():
    assert quoted("a'b\n") == '"a\'b\\n"'
    assert quoted("x" * 80) == repr("x" * 80)
    assert quoted("x" * 81) == f"'{'x' * 80}'... (81 characters)"
    assert quoted([0] * 100, limit=5) == "[0, 0... (300 characters)"
    assert listed([]) == ""
    assert listed(["a"], "or") == "'a'"
    assert listed(["a"] * 3, "or", limit=2) == "'a', 'a' and 1 more"
    assert closest("x" * 10**6, ["x" * 10**6]) == []


def test_categories_in_a_parquet_file_are_their_text(run, tmp_path):
    kinds = {"kind": pl.Series(["old", "new", "old", "new"], dtype=pl.Categorical), "y": [1.0, 2.0, 1.5, 2.5]}
    pl.DataFrame(kinds).write_parquet(tmp_path / "t.parquet")
    run("train", "t.parquet", "--target", "y", "--quiet", "--output", "m")
    predicted = run("predict", "m", "t.parquet").out.split()[1:]
    assert predicted[0] == predicted[2] != predicted[1] == predicted[3]
