"""Descent that takes a few steps only, and an outcome that has one of everything."""

import dataclasses

import pytest

from neuralgauge_reproduction import Check, Curve, Grid, Method, Outcome, Panel, baseline
from neuralgauge_reproduction.descent import descend


@pytest.fixture
def few_steps(monkeypatch):
    """The trainings that descent was asked for; it takes 30 steps of each."""
    asked = []

    def short(training):
        asked.append(training)
        return descend(dataclasses.replace(training, iterations=30))

    monkeypatch.setattr(baseline, "descend", short)
    return asked


@pytest.fixture
def small_outcome():
    methods = (Method("SGD", (2.0, 3.0), 1.5, (0.5, 0.7)), Method("Optimal", (1.0,), 0.1, lower=0.9, scope="exact"))
    checks = (
        Check("Fig. 1", "It holds.", "1", "1.0", True, "by proof"),
        Check("[8]", "It <fails>.", "2", "3 | 4", False, "for a reason"),
        Check("A.2", "Nobody knows.", "", "", None, "without a number"),
    )
    curves = (Curve("SGD", [1, 10], [3.0, 2.0]), Curve("SGD", [1, 10], [4.0, 3.0]))
    panels = (Panel("objective", "iteration", "objective", curves, (("Optimal", 1.0, "program"),), (True, False)),
              Panel("seconds", "", "s", (Curve("SGD", ["a", "b"], [1.0, 2.0], "points"),)))  # fmt: skip
    return Outcome(
        "A <title> & more",
        {"n": 5, "m": [8, 15], "beta": 0.1234567891},
        ("A choice.",),
        {"only": methods},
        checks,
        panels,
        ("Something is missing.",),
        stand_in="digits, in place of letters",
        grids=(Grid(("Figure", "Method", "here"), (("Fig. A", "SGD", "0.001"),)),),
    )
