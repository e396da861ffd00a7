"""`neuralgauge export` to code and formulas: what is written predicts what the model does."""

import sqlite3

import numpy as np
import polars as pl
import pytest

import neuralgauge as ng
from neuralgauge.cli.export import WRITERS

TABLE = "size,kind,price\n" + "\n".join(f"{k % 7},{'ab'[k % 2]},{k % 7 * (1 + k % 2)}" for k in range(20))


@pytest.fixture
def trained(run, tmp_path):
    (tmp_path / "t.csv").write_text(TABLE)
    assert run("train", "t.csv", "--target", "price", "--output", "m", "--gap", "0.1").code == 0
    return ng.load_model("m").predict(pl.read_csv("t.csv"))


def test_python(run, trained, tmp_path):
    assert run("export", "m", "m.py").code == 0
    names = {}
    exec((tmp_path / "m.py").read_text(encoding="utf-8"), names)
    found = [names["predict"](row) for row in pl.read_csv("t.csv").to_dicts()]
    assert np.allclose(found, trained, rtol=1e-12)


def test_sql(run, trained, tmp_path):
    assert run("export", "m", "m.sql").code == 0
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE data (size, kind)")
    connection.executemany("INSERT INTO data VALUES (?, ?)", pl.read_csv("t.csv")["size", "kind"].rows())
    found = connection.execute((tmp_path / "m.sql").read_text()).fetchall()
    assert np.allclose([row[-1] for row in found], trained, rtol=1e-12)


def test_c_and_formulas(run, trained, tmp_path):
    for name in ("m.c", "m.txt", "m.tex"):
        assert run("export", "m", name).code == 0
    model = ng.load_model("m")
    assert (tmp_path / "m.c").read_text() == ng.to_c(model)
    assert (tmp_path / "m.txt").read_text() == f"{ng.formula(model)}\n"
    assert (tmp_path / "m.tex").read_text() == f"{ng.formula(model).latex()}\n"
    assert run("export", "m", "m.c", "--precision", "float64", "--force").code == 0
    assert (tmp_path / "m.c").read_text() == ng.to_c(model, precision="float64")


def test_refusals(refused, trained, tmp_path):
    for ending in (".py", ".sql", ".txt", ".tex"):
        assert "leave `--precision` out" in refused("export", "m", f"m{ending}", "--precision", "float32")
        assert not (tmp_path / f"m{ending}").exists()
    said = refused("export", "m", "m.exe")
    assert all(ending in said for ending in WRITERS)
