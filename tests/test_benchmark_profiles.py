import importlib.util
from pathlib import Path

import numpy as np
import pytest

SOURCE = Path(__file__).parents[1] / "benchmarks" / "peers" / "profiles.py"


@pytest.fixture(scope="module")
def profiles():
    spec = importlib.util.spec_from_file_location("benchmark_profiles", SOURCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_time_to_is_the_first_moment_at_or_below_the_target(profiles):
    trace = [(1.0, 0.5), (2.0, 0.01), (3.0, 0.02), (4.0, 0.0)]
    assert profiles.time_to(trace, 0.01) == 2.0
    assert profiles.time_to(trace, 0.001) == 4.0
    assert profiles.time_to(trace[:3], 0.001) == np.inf
    assert profiles.time_to([], 0.1) == np.inf


def test_the_median_is_infinite_where_half_never_arrive(profiles):
    assert profiles.median_time([3.0, 1.0, 2.0]) == 2.0
    assert profiles.median_time([1.0, np.inf, 2.0]) == 2.0
    assert profiles.median_time([1.0, np.inf]) == np.inf
    assert profiles.median_time([]) == np.inf


def test_best_so_far_falls_and_keeps_only_what_improves(profiles):
    trace = [(3.0, 0.2), (1.0, 0.4), (2.0, 0.6), (4.0, 0.2), (5.0, 0.1)]
    assert profiles.best_so_far(trace) == [(1.0, 0.4), (3.0, 0.2), (5.0, 0.1)]


def test_profile_agrees_with_counting_by_hand(profiles):
    inf = np.inf
    # The last problem is solved by nobody and does not count.
    times = {"a": [1.0, 4.0, inf, inf], "b": [2.0, 2.0, 6.0, inf], "c": [inf, 20.0, 6.0, inf]}
    found = profiles.profile(times, [1.0, 2.0, 10.0])
    assert found["a"] == pytest.approx([1 / 3, 2 / 3, 2 / 3])
    assert found["b"] == pytest.approx([2 / 3, 1.0, 1.0])
    assert found["c"] == pytest.approx([1 / 3, 1 / 3, 2 / 3])


def test_profile_of_nothing_solved_is_zero(profiles):
    assert profiles.profile({"a": [np.inf], "b": [np.inf]}, [1.0]) == {"a": [0.0], "b": [0.0]}
    assert profiles.profile({"a": []}, [1.0]) == {"a": [0.0]}


@pytest.mark.parametrize(
    ("ours", "peers", "name", "ratio"),
    [
        (2.0, {"x": 6.0, "y": 1.0}, "y", 0.5),
        (2.0, {"x": 6.0, "y": np.inf}, "x", 3.0),
        (2.0, {"x": np.inf}, "", np.inf),
        (np.inf, {"x": 1.0}, "x", 0.0),
    ],
)
def test_lead_names_the_fastest_peer(profiles, ours, peers, name, ratio):
    assert profiles.lead(ours, peers) == (name, ratio)


def test_nobody_leads_where_nobody_arrives(profiles):
    name, ratio = profiles.lead(np.inf, {"x": np.inf})
    assert name == ""
    assert np.isnan(ratio)
