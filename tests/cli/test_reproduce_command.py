"""`neuralgauge reproduce` at the command line."""

import json

import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")


def test_a_figure_in_quick_form(run, tmp_path):
    done = run("reproduce", "fig2", "--quick", "--output", "found")
    assert done.code == 0
    assert done.out.strip() == "found/index.html"
    assert "Fig. 2: done" in done.err
    numbers = json.loads((tmp_path / "found" / "fig2.json").read_text())
    methods = {one["name"]: one for one in numbers["methods"]["m = 8"]}
    assert methods["Optimal"]["objectives"][0] == pytest.approx(0.001012777, abs=1e-9)
    assert methods["SGD"]["objectives"][0] >= methods["Optimal"]["objectives"][0]
    assert numbers["missing"] == []


def test_missing_data_is_a_sentence_and_no_failure(run, tmp_path):
    (tmp_path / "empty").mkdir()
    done = run("reproduce", "fig7", "--data", "empty")
    assert done.code == 0
    assert "Boston Housing is missing: put boston.npz" in done.err
    assert "Boston Housing is missing" in (tmp_path / "reproduction" / "index.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("fig12",), "must be one of fig1"),
        (("fig2", "--data", "nowhere"), "of `--data` does not exist"),
    ],
)
def test_refusals(run, arguments, sentence):
    done = run("reproduce", *arguments)
    assert done.code == 2
    assert sentence in done.err
