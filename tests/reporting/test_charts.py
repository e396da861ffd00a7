"""Scales, ticks, numbers as text, and paths."""

import numpy as np
import pytest

from neuralgauge.reporting.charts import Chart
from neuralgauge.reporting.scales import Scale, percent, shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (1.0, "1"), (-2.5, "−2.5"), (12345.678, "12,346"), (0.00012345, "0.0001234"), (1e7, "10⁷"),
        (-1.5e-9, "−1.5 × 10⁻⁹"), (np.inf, "–"), (99999.5, "100,000"), (0.99999, "1"),
    ],
)  # fmt: skip
def test_numbers(value, text):
    assert shown(value) == text


def test_percent():
    assert [percent(one) for one in (0.0, 0.5, 0.999, 1.0, 12.0)] == ["0 %", "50 %", "99.9 %", "100 %", "1,200 %"]


@pytest.mark.parametrize("span", [(0.0, 1.0), (-3.0, 250.0), (1e-9, 3e-9), (5.0, 5.0), (0.0, 0.0), (1e12, 1.1e12)])
@pytest.mark.parametrize("log", [False, True])
def test_ticks_are_few_distinct_and_on_the_scale(span, log):
    scale = Scale.over(span, 10.0, 110.0, log=log)
    ticks = scale.ticks
    assert 2 <= len(ticks) <= 11
    assert len({label for _, label in ticks}) == len(ticks)
    at = [pixel for pixel, _ in ticks]
    assert at == sorted(at)
    assert min(at) >= 10.0 - 1e-6
    assert max(at) <= 110.0 + 1e-6


def test_log_scales():
    scale = Scale.over([1e-6, 1.0, 0.0, np.nan], 0.0, 60.0, log=True, margin=0.0)
    np.testing.assert_allclose(scale([1e-6, 1e-3, 1.0]), [0.0, 30.0, 60.0], atol=1e-9)
    assert np.isnan(scale([0.0, -1.0])).all()
    assert scale.ticks[0] == (pytest.approx(0.0), "10⁻⁶")
    assert [label for _, label in Scale.over([6.0, 70.0], 0.0, 1.0, log=True).ticks] == ["10", "20", "50"]


def test_lines_break_where_a_value_is_missing_and_steps_are_level():
    chart = Chart.of("t", ("x", "y"), [0.0, 3.0], [0.0, 1.0])
    chart.line([0.0, 1.0, 2.0, 3.0], [0.0, np.nan, 1.0, 1.0], "a line", "first").line([0, 1], [0, 1], "b", steps=True)
    first, second = chart.marks
    assert first.d.count("M") == 2
    assert first.d.count("L") == 1
    assert second.d.count("H") == 1
    assert [mark.name for mark in chart.legend] == ["first"]
    assert chart.line([0.0], [np.nan], "a").marks == [first, second]


def test_histograms_stand_on_the_axis():
    chart = Chart.of("t", ("x", "y"), [0.0, 2.0], [0.0, 4.0])
    (mark,) = chart.bars(np.array([0.0, 1.0, 2.0]), np.array([4.0, 0.0]), "a fill").marks
    assert mark.d.count("Z") == 1
    assert f"V{chart.y([4.0])[0]:.1f}" in mark.d


def test_labels_of_the_horizontal_axis_do_not_touch():
    chart = Chart.of("t", ("x", "y"), [100000.0, 900000.0], [0.0, 1.0], size=(200.0, 100.0))
    assert len(chart.legible_ticks) < len(chart.x.ticks)


def test_bands_follow_the_steps_of_their_lines():
    chart = Chart.of("t", ("x", "y"), [0.0, 2.0], [0.0, 4.0])
    x, low, high = np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 2.0]), np.array([4.0, 3.0, 3.0])
    level, slanted = chart.band(x, low, high, "shade", steps=True).band(x, low, high, "shade").marks
    assert slanted.d.count("L") == 5
    corner = f"{chart.x([1.0])[0]:.1f} {chart.y([0.0])[0]:.1f}L{chart.x([1.0])[0]:.1f} {chart.y([1.0])[0]:.1f}"
    assert corner in level.d
    assert corner not in slanted.d
