"""`neuralgauge export`: files that predict what `neuralgauge predict` does; refusals that leave nothing behind."""

import os

import numpy as np
import polars as pl
import pytest

import neuralgauge as ng

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
import onnx
from onnx_runs import close, columns_of
from onnx_runs import run as run_onnx

TABLE = "size,kind,price\n" + "\n".join(f"{k % 7},{'ab'[k % 2]},{k % 7 * (1 + k % 2)}" for k in range(20))


@pytest.fixture
def trained(run, tmp_path):
    (tmp_path / "t.csv").write_text(TABLE)
    assert run("train", "t.csv", "--target", "price", "--output", "m", "--gap", "0.1").code == 0


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_file_predicts_what_the_command_does(run, trained, tmp_path, precision):
    outcome = run("export", "m", "M.ONNX", "--precision", precision)
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    assert run("predict", "m", "t.csv", "--output", "p.csv").code == 0
    model = ng.load_model("m")
    inputs = columns_of(pl.read_csv("t.csv"), model.encoding, precision)
    assert set(inputs) == {"size", "kind"}
    found = run_onnx(onnx.load("M.ONNX"), inputs)["variable"]
    assert found.dtype == np.dtype(precision)
    assert close(found, pl.read_csv("p.csv")["prediction"].to_numpy(), precision)
    assert sorted(os.listdir(tmp_path)) == ["M.ONNX", "m", "p.csv", "t.csv"]


def test_refusals(run, refused, trained, tmp_path):
    for output in ("out", "out.pb", "-", ".onnx"):
        assert "must end in" in refused("export", "m", output)
        assert ".onnx" in refused("export", "m", output)
    assert "cannot be read" in refused("export", "nothing", "out.onnx")
    assert "is not a neuralgauge model" in refused("export", "t.csv", "out.onnx")
    assert "is not one of" in refused("export", "m", "out.onnx", "--precision", "float16")
    (tmp_path / "out.onnx").write_text("mine")
    assert "exists already" in refused("export", "m", "out.onnx")
    assert (tmp_path / "out.onnx").read_text() == "mine"
    assert run("export", "-", "out.onnx", "--force", stdin=(tmp_path / "m").read_bytes()).code == 0
