"""`make demo`: what it leaves in its folder."""

import runpy
from pathlib import Path

import pytest

from neuralgauge import load_model

DEMO = Path(__file__).parents[1] / "examples" / "diabetes.py"


@pytest.mark.slow
def test_the_demo_ends_with_a_picture_and_a_report(tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    pytest.importorskip("jinja2")
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(DEMO))
    text = capsys.readouterr().out
    left = {path.name for path in (tmp_path / "demo-output").iterdir()}
    assert left == {"diabetes.safetensors", "path.png", "report.html"}
    assert all(f"demo-output/{name}" in text for name in left)
    assert float(text.partition("R^2 ")[2].split()[0]) > 0.3
    assert load_model("demo-output/diabetes.safetensors").certificate.gap <= 1e-3
    assert (tmp_path / "demo-output" / "path.png").read_bytes()[:4] == b"\x89PNG"
    assert "<h1>" in (tmp_path / "demo-output" / "report.html").read_text(encoding="utf-8")
