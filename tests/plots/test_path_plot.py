"""Pictures of a path: what the lines hold, and which neurons are taken to be the same."""

from dataclasses import replace

import numpy as np
import pytest

import neuralgauge as ng


def path_of(*networks, scopes=None, validation=None):
    """A path over beta = 4, 2, 1, .. with these networks."""
    betas = 4.0 * 0.5 ** np.arange(len(networks))
    scopes = scopes or ["exact"] * len(networks)
    solutions = [
        ng.Solution(network, ng.Certificate(3.0 - k, 2.5 - k, scopes[k]), ng.Status.SOLVED, 1, 0.1, np.zeros(2))
        for k, network in enumerate(networks)
    ]
    error = np.linspace(1.0, 0.0, len(networks))
    held_out = np.full(len(networks), np.nan) if validation is None else np.array(validation)
    return ng.Path(betas, tuple(solutions), error, held_out, ng.Status.SOLVED)


def neurons(*vectors, A):
    return ng.TwoLayerNetwork(np.array(vectors, dtype=float).reshape(-1, 2).T, np.array(A, dtype=float))


EMPTY = neurons(A=np.zeros((0, 1)))


def lines(axes):
    return {tuple(map(tuple, line.get_xydata().round(9))): line.get_color() for line in axes.get_lines()}


def test_norms_begin_and_end_at_zero(plt):
    path = path_of(EMPTY, neurons((1, 0), A=[2]), neurons((0, 3), (1.5, 0.1), A=[1, 2]), EMPTY)
    axes = ng.plot_path(path)
    grown = round(2.0 * float(np.hypot(1.5, 0.1)), 9)
    drawn = lines(axes)
    assert set(drawn) == {((4, 0), (2, 2), (1, grown), (0.5, 0)), ((2, 0), (1, 3), (0.5, 0))}
    assert axes.get_xscale() == "log"
    assert axes.get_ylim()[0] == 0.0


def test_neurons_of_other_signs_or_directions_are_others(plt):
    path = path_of(neurons((1, 0), (0, 1), A=[1, -1]), neurons((1, 0), (1, 1.1), A=[-1, -1]))
    drawn = lines(ng.plot_path(path))
    size = round(float(np.hypot(1, 1.1)), 9)
    # The first of each: same vector, other sign. The second: 42 degrees apart, the same.
    assert set(drawn) == {((4, 1), (2, 0)), ((4, 0), (2, 1)), ((4, 1), (2, size))}
    assert drawn[(4, 1), (2, 0)] != drawn[(4, 0), (2, 1)] == drawn[(4, 1), (2, size)]
    axes = ng.plot_path(path_of(neurons((1, 0), A=[1]), neurons((1, 1.1), A=[1])))
    assert set(lines(axes)) == {((4, 1), (2, 0)), ((4, 0), (2, size))}  # 48 degrees


def test_opposite_neurons_do_not_part_those_that_go_on(plt):
    path = path_of(neurons((1, 0), (0, 9), A=[1, 1]), neurons((1, 0), (0, -9), A=[1, 1]))
    assert set(lines(ng.plot_path(path))) == {((4, 1), (2, 1)), ((4, 9), (2, 0)), ((4, 0), (2, 9))}


def test_pairs_are_those_of_the_largest_overlap(plt, rng):
    from itertools import permutations

    for _ in range(5):
        a, b = (ng.TwoLayerNetwork(rng.normal(size=(2, 4)), rng.normal(size=(4, 3))) for _ in range(2))
        atoms = [np.einsum("dm,mc->mdc", net.U, net.A).reshape(4, -1) for net in (a, b)]
        best = max(permutations(range(4)), key=lambda p: np.maximum(np.sum(atoms[0] * atoms[1][list(p)], 1), 0).sum())
        norms = [np.linalg.norm(part, axis=1) for part in atoms]
        inner = np.sum(atoms[0] * atoms[1][list(best)], axis=1)
        same = inner >= np.sqrt(0.5) * norms[0] * norms[1][list(best)]
        expected = {(norms[0][j], norms[1][best[j]]) for j in range(4) if same[j]}
        expected |= {(norms[0][j], 0.0) for j in range(4) if not same[j]}
        expected |= {(0.0, norms[1][best[j]]) for j in range(4) if not same[j]}
        drawn = {tuple(line.get_ydata()) for line in ng.plot_path(path_of(a, b)).get_lines()}
        np.testing.assert_allclose(sorted(drawn), sorted(expected))
        plt.close("all")


def test_number_of_neurons(plt):
    axes = ng.plot_path(path_of(EMPTY, neurons((1, 0), (0, 1), A=[1, 1])), what="neurons")
    assert axes.get_lines()[0].get_xydata().tolist() == [[4.0, 0.0], [2.0, 2.0]]


def test_objective_and_bound_of_the_weakest_scope(plt):
    path = path_of(EMPTY, EMPTY, scopes=["exact", "estimated"])
    axes = ng.plot_path(path, what="objective")
    objective, bound = axes.get_lines()
    assert objective.get_ydata() == pytest.approx([3.0, 2.0])
    assert bound.get_ydata() == pytest.approx([2.5, 1.5])
    assert (objective.get_linestyle(), bound.get_linestyle()) == ("-", "--")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "objective", "lower bound (estimated)", "gap, at most 2.5e-01",
    ]  # fmt: skip


def test_what_is_proven_along_a_path(plt):
    path = path_of(EMPTY, EMPTY, EMPTY, scopes=["exact", "estimated", "estimated"])
    last = path.solutions[1]
    known = replace(last, certificate=last.certificate.with_proven(1.0))
    axes = ng.plot_path(replace(path, solutions=(path.solutions[0], known, path.solutions[2])), what="objective")
    np.testing.assert_array_equal(axes.get_lines()[2].get_ydata(), [2.5, 1.0, np.nan])
    assert axes.get_legend().get_texts()[2].get_text() == "proven"


def test_errors_and_the_best(plt):
    axes = ng.plot_path(path_of(EMPTY, EMPTY, EMPTY, validation=[0.5, 0.2, 0.3]), what="errors")
    train, held_out, best = axes.get_lines()
    assert train.get_ydata().tolist() == [1.0, 0.5, 0.0]
    assert held_out.get_ydata().tolist() == [0.5, 0.2, 0.3]
    assert best.get_xdata() == [2.0, 2.0]
    assert len(ng.plot_path(path_of(EMPTY, EMPTY), what="errors").get_lines()) == 2


def test_a_real_path(plt, paper):
    path = ng.relu_path(paper(1.0), n_betas=6, beta_min_ratio=0.05)
    for k, beta in enumerate(path.betas):
        network = path.solutions[k].network
        expected = np.sort(np.linalg.norm(network.U, axis=0) * np.linalg.norm(network.A, axis=1))
        points = np.vstack([line.get_xydata() for line in ng.plot_path(path).get_lines()])
        drawn = np.sort(points[points[:, 0] == beta, 1])
        np.testing.assert_allclose(drawn[drawn > 0], expected)
        plt.close("all")


def test_another_picture_is_refused(plt):
    with pytest.raises(ng.InvalidInputError, match=r"`what` must be one of 'norms', 'neurons', .*, got 'loss'"):
        ng.plot_path(path_of(EMPTY), what="loss")
    assert plt.get_fignums() == []


def test_the_bound_does_not_cover_the_objective(plt):
    """Where the two agree, the objective is wider than what is drawn over it."""
    objective, bound = ng.plot_path(path_of(EMPTY, EMPTY), what="objective").get_lines()
    assert objective.get_linewidth() > 2 * bound.get_linewidth()
    assert bound.get_zorder() == objective.get_zorder()
