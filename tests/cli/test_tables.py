"""Spellings of one table that must read the same."""

import numpy as np
import pytest

from neuralgauge.cli.columns import labels, matrix, numbers
from neuralgauge.cli.tables import read_table


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,2\n3,4\n",
        b"a;b\n1;2\n3;4",
        b"a\tb\n1\t2\n3\t4\n",
        b"\xef\xbb\xbfa,b\r\n1,2\r\n3,4\r\n",
        b'"a","b"\n"1","2"\n 3 , 4.0\n',
        b"\na , b\n+1,2e0\n\n3,4\n,\n\n",
    ],
)
def test_dialects(tmp_path, content):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    table = read_table(str(path))
    assert table.columns == ["a", "b"]
    np.testing.assert_array_equal(matrix(table, ["a", "b"]), [[1.0, 2.0], [3.0, 4.0]])


def test_delimiters_inside_quotes_do_not_count(tmp_path):
    (tmp_path / "t.csv").write_text('"a;b;c",d\n1,2\n')
    assert read_table(str(tmp_path / "t.csv")).columns == ["a;b;c", "d"]


def test_numeric_names_are_a_header_if_they_are_whole(tmp_path):
    (tmp_path / "t.csv").write_text("0,1,2\n1.5,2.5,3.5\n")
    assert read_table(str(tmp_path / "t.csv")).columns == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [("0 1 1", [0, 1, 1]), ("0.5 1 1", ["0.5", "1", "1"]), ("a 1 1", ["a", "1", "1"]), ("True false True", [1, 0, 1])],
)
def test_labels(tmp_path, values, expected):
    (tmp_path / "t.csv").write_text("y,x\n" + "".join(f"{value},0\n" for value in values.split()))
    assert labels(read_table(str(tmp_path / "t.csv")), "y").tolist() == expected


def test_truth_words_are_numbers(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\nTrue,1\nfalse,2\n")
    assert numbers(read_table(str(tmp_path / "t.csv")), "a").tolist() == [1.0, 0.0]


def test_every_digit_is_kept(tmp_path):
    value = 0.1 + 0.2
    (tmp_path / "t.csv").write_text(f"a,b\n{value!r},5e-324\n")
    assert matrix(read_table(str(tmp_path / "t.csv")), ["a", "b"]).tolist() == [[value, 5e-324]]
