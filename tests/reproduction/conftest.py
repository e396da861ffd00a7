"""Descent that takes a few steps only."""

import dataclasses

import pytest

from neuralgauge_reproduction import baseline
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
