"""The trace and the certificate curve: lines are the history and the certificate, and no search looks like a proof."""

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.interchange import StatedCertificate

RECORDS = [(0.5, 9.0, 1.0), (1.0, 5.0, 3.0), (2.0, 4.0, 2.5)]


def texts(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_the_lines_are_the_history_and_the_certificate(plt, make_solution):
    axes = ng.plot_training(make_solution(RECORDS, 4.0, 3.5, seconds=3.0))
    objective, bound = axes.get_lines()
    np.testing.assert_array_equal(objective.get_xydata(), [(0.5, 9.0), (1.0, 5.0), (2.0, 4.0), (3.0, 4.0)])
    np.testing.assert_array_equal(bound.get_xydata(), [(0.5, 1.0), (1.0, 3.0), (2.0, 2.5), (3.0, 3.5)])
    assert {line.get_drawstyle() for line in axes.get_lines()} == {"steps-post"}
    assert texts(axes) == ["objective", "lower bound (exact)", "gap, at the end 1.2e-01"]
    assert axes.get_xlim()[0] == 0.0


def test_nothing_is_drawn_as_better_than_the_certificate(plt, make_solution):
    # A search had missed a neuron; and an objective below the certificate's is not one of the problem.
    solution = make_solution([(1.0, 3.0, 3.9), (2.0, 4.5, 2.0)], 4.0, 2.5, seconds=3.0)
    objective, bound = ng.plot_training(solution).get_lines()
    np.testing.assert_array_equal(objective.get_ydata(), [4.0, 4.5, 4.0])
    np.testing.assert_array_equal(bound.get_ydata(), [2.5, 2.0, 2.5])


@pytest.mark.parametrize(
    ("scope", "style"), [("exact", "-"), ("bounded", "-"), ("patterns", "-."), ("estimated", "--")]
)
def test_scopes_are_drawn_and_named(plt, make_solution, scope, style):
    solution = make_solution(RECORDS, 4.0, 3.0, scope)
    axes = ng.plot_training(solution)
    assert [line.get_linestyle() for line in axes.get_lines()] == ["-", style]
    assert texts(axes)[1] == f"lower bound ({scope})"
    axes = ng.plot_certificate(solution)
    assert axes.get_lines()[0].get_linestyle() == style
    assert texts(axes) == [f"solution ({scope})"]


@pytest.mark.parametrize("scope", ["patterns", "estimated"])
def test_what_is_proven_besides_is_a_level_line(plt, make_solution, scope):
    solution = make_solution(RECORDS, 4.0, 3.0, scope, proven=1.0)
    axes = ng.plot_training(solution)
    proven = axes.get_lines()[2]
    assert (proven.get_linestyle(), list(proven.get_ydata())) == ("-", [1.0, 1.0])
    assert texts(axes)[2] == "proven, gap 7.5e-01"
    assert len(ng.plot_training(make_solution(RECORDS, 4.0, 3.0, scope, proven=0.0)).get_lines()) == 2
    axes = ng.plot_certificate([solution, solution.certificate])
    lines = axes.get_lines()
    assert [list(line.get_ydata()) for line in lines[1:]] == [[0.75, 0.75], [0.25, 0.25], [0.75, 0.75]]
    assert [line.get_linestyle() == "-" for line in lines] == [False, True, False, True]
    assert lines[0].get_color() == lines[1].get_color() != lines[2].get_color() == lines[3].get_color()
    assert texts(axes)[:2] == [f"solution 1 ({scope})", "solution 1 (proven)"]


def test_what_a_file_states_is_not_drawn_as_proven(plt):
    axes = ng.plot_certificate(StatedCertificate(4.0, 3.0, "exact"))
    assert axes.get_lines()[0].get_linestyle() == "--"
    assert texts(axes) == ["certificate (exact as a file states)"]
    axes = ng.plot_certificate(StatedCertificate(4.0, 3.0, "estimated", proven=1.0))
    assert [line.get_linestyle() for line in axes.get_lines()] == ["--", "--"]


def test_the_shade_is_between_the_lines(plt, make_solution):
    (shade,) = ng.plot_training(make_solution(RECORDS, 4.0, 3.5, seconds=3.0)).collections
    inside = [(0.7, 5.0), (1.5, 4.0), (2.5, 2.6)]
    outside = [(0.7, 9.5), (1.5, 2.9), (2.5, 4.1)]
    assert shade.get_paths()[0].contains_points(inside + outside).tolist() == [True] * 3 + [False] * 3


def test_the_scale_is_logarithmic_for_wide_positive_values(plt, make_solution):
    for records, expected in [
        ([(1.0, 50.0, 1.0)], "log"),
        ([(1.0, 9.0, 1.0)], "linear"),
        ([(1.0, 50.0, 0.0)], "linear"),
        ([(1.0, 50.0, -1.0)], "linear"),
    ]:
        assert ng.plot_training(make_solution(records, 4.0, 3.0)).get_yscale() == expected


def test_bounds_that_are_not_finite_are_left_out(plt, make_solution):
    solution = make_solution([(1.0, np.inf, -np.inf), (2.0, 4.0, 3.0)], 4.0, 3.0)
    axes = ng.plot_training(solution)
    objective, bound = axes.get_lines()
    np.testing.assert_array_equal(objective.get_ydata(), [np.nan, 4.0, 4.0])
    np.testing.assert_array_equal(bound.get_ydata(), [np.nan, 3.0, 3.0])
    np.testing.assert_array_equal(ng.plot_certificate(solution).get_lines()[0].get_ydata(), [np.nan, 0.25, 0.25])
    axes.figure.canvas.draw()


def test_a_run_of_no_iterations_has_its_certificate(plt, paper):
    problem = paper(1.0).with_beta(2.0 * ng.beta_max(paper(1.0)))
    solution = ng.solve_program(problem, ng.enumerate_patterns(problem.X))
    objective, _ = ng.plot_training(solution).get_lines()
    assert objective.get_ydata()[-1] == solution.certificate.upper


def test_a_real_run(plt, paper):
    solution = ng.train(paper(0.1), gap=1e-6)
    objective, bound = ng.plot_training(solution).get_lines()
    history = solution.history
    np.testing.assert_array_equal(objective.get_xdata()[:-1], [record.seconds for record in history])
    np.testing.assert_array_equal(objective.get_ydata()[:-1], [record.objective for record in history])
    optimum = 0.891447
    assert np.all(bound.get_ydata() <= optimum * (1 + 1e-6))
    assert np.all(objective.get_ydata() >= optimum * (1 - 1e-6))


def test_the_gap_over_time(plt, make_solution):
    runs = [make_solution(RECORDS, 4.0, 3.0), make_solution(RECORDS, 4.0, 3.9, "estimated", separate=True)]
    axes = ng.plot_certificate([*runs, ng.Certificate(2.0, 1.5, "bounded")], labels=["ours", "theirs", "later"])
    ours, theirs, later = axes.get_lines()
    np.testing.assert_allclose(ours.get_ydata(), [8 / 9, 2 / 5, 1.5 / 4, 1 / 4])
    np.testing.assert_allclose(theirs.get_ydata(), [8 / 9, 2 / 5, 1.5 / 4, 0.1 / 4])
    np.testing.assert_array_equal(ours.get_xdata(), [0.5, 1.0, 2.0, 2.0])
    np.testing.assert_array_equal(later.get_ydata(), [0.25, 0.25])
    assert axes.get_yscale() == "log"
    assert ours.get_drawstyle() == theirs.get_drawstyle() == "steps-post"
    assert texts(axes) == ["ours (exact)", "theirs (estimated, one output a neuron)", "later (bounded)"]
    assert len({line.get_color() for line in axes.get_lines()}) == 3


def test_names_of_runs_without_labels(plt, make_solution):
    runs = (make_solution(RECORDS, 4.0, 3.0), ng.Certificate(2.0, 1.5, "patterns"))
    assert texts(ng.plot_certificate(runs)) == ["solution 1 (exact)", "certificate 2 (patterns)"]
    with pytest.raises(ng.InvalidInputError, match=r"`labels` must have one entry per solution \(2\), got 1"):
        ng.plot_certificate(runs, labels=["one"])


def test_gaps_of_zero_and_of_zero_or_negative_objectives(plt, make_solution):
    eps = np.finfo(float).eps
    for upper, lower, expected in [(1.0, 1.0, eps), (0.0, 0.0, eps), (-2.0, -3.0, 0.5), (0.0, -1.0, np.nan)]:
        (line,) = ng.plot_certificate(make_solution([(1.0, upper, lower)], upper, lower)).get_lines()
        np.testing.assert_array_equal(line.get_ydata(), [expected, expected])


def test_axes_with_logarithmic_time_stay_so(plt, make_solution):
    _, axes = plt.subplots()
    axes.set_xscale("log")
    ng.plot_certificate(make_solution(RECORDS, 4.0, 3.0), axes=axes)
    assert axes.get_xscale() == "log"
    assert axes.get_xlim()[0] > 0.0


def test_the_gap_stands_below_on_a_log_axis(plt, make_solution):
    axes = ng.plot_training(make_solution(RECORDS, 4.0, 3.0, "estimated", proven=1.0))
    upper, below = axes.figure.axes
    assert upper is axes
    gap, proven = below.get_lines()
    np.testing.assert_allclose(gap.get_xydata(), [(0.5, 8 / 9), (1.0, 2 / 5), (2.0, 1.5 / 4), (2.0, 1 / 4)])
    assert list(proven.get_ydata()) == [0.75, 0.75]
    assert (below.get_yscale(), gap.get_linestyle(), proven.get_linestyle()) == ("log", "--", "-")
    axes.figure.canvas.draw()
    assert below.get_xlim() == axes.get_xlim()
    assert below.get_window_extent().y1 < axes.get_window_extent().y0
