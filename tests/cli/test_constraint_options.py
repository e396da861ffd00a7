"""`neuralgauge train --increasing ...`: constraints from the command line to the model file and back."""

from pathlib import Path

import numpy as np
import pytest

import neuralgauge as ng


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    size, age = rng.uniform(50.0, 200.0, 60), rng.uniform(0.0, 80.0, 60)
    price = 2.0 * size - age + 20.0 * rng.standard_normal(60)
    rows = [f"{s:.3f},{a:.3f},{kind},{p:.3f}" for s, a, kind, p in zip(size, age, "ab" * 30, price, strict=True)]
    (tmp_path / "houses.csv").write_text("\n".join(["size,age,kind,price", *rows]), encoding="utf-8")


ASKED = ("--increasing", "size", "--decreasing", "age", "--gap", "1e-2")


def test_constraints_go_with_the_model(run, table):
    outcome = run("train", "houses.csv", "--target", "price", *ASKED, "--output", "m")
    assert outcome.code == 0
    assert "only among networks whose every neuron obeys the constraints" in outcome.out
    model = ng.load_model("m")
    assert dict(zip(model.feature_names, model.constraints.monotonic_cst, strict=True))["age"] == -1
    certified = run("certify", "m", "houses.csv", "--gap", "1e-2")
    assert certified.code == 0
    assert "obeys the constraints" in certified.out
    assert run("report", "m", "houses.csv", "--output", "r.html").code == 0
    assert "obey the constraints" in Path("r.html").read_text(encoding="utf-8")


def test_convex_and_positive(run, table):
    assert run("train", "houses.csv", "--target", "price", "--convexity", "concave", "--output", "c").code in (0, 3)
    assert ng.load_model("c").constraints.convexity == "concave"
    run("train", "houses.csv", "--target", "size", "--drop", "kind", "--positive", "--output", "p")
    model = ng.load_model("p")
    assert model.constraints.positive
    assert np.all(model.predict(1e3 * np.random.default_rng(0).standard_normal((1000, 2))) >= 0.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--increasing", "size", "--decreasing", "size"), "got 'size' as both"),
        (("--increasing", "rooms"), "must name columns of X, got 'rooms'"),
        (("--increasing", "kind"), "must name columns of X, got 'kind'"),
        (("--positive", "--offset"), "leave one of them out"),
        (("--positive", "--convexity", "concave"), "leave one of them out"),
    ],
)
def test_what_makes_no_sense_is_refused(refused, table, options, message):
    assert message in refused("train", "houses.csv", "--target", "price", *options)
