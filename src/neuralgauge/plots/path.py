"""The regularization path: neurons, objective and errors against the penalty."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from ..certificate import STRONGEST_FIRST
from ..errors import wrong_kind
from ..networks.dense import TwoLayerNetwork
from ..training.path import Path
from ._axes import NEGATIVE, POSITIVE, add_legend, choice, place_of
from ._bounds import LINE_STYLES, proves_less

SAME_NEURON = 0.5**0.5  # cosine from which neurons of neighbouring networks can count as one: 45 degrees
KINDS = ("norms", "neurons", "objective", "errors")


def plot_path(path: Path, *, what: str = "norms", axes: Any = None) -> Any:
    r"""Draw a regularization path against beta on a log axis.

    Parameters
    ----------
    path : Path
        What `relu_path` returns.
    what : {"norms", "neurons", "objective", "errors"}
        "norms" draws :math:`\|w_j\| = \|u_j\|_2 \|\alpha_j\|_2` as lines that begin and end at zero, as for the lasso,
        coloured by the sign of the output weight where there is one. "neurons" draws their number; "objective" the
        objective and its lower bound, whose scope the legend names, with what is proven besides; "errors" the share of
        wrong labels, or for numbers the mean loss, on the training data and, where there is some, the validation data,
        and the beta of `Path.best`.
    axes : matplotlib.axes.Axes, optional
        Where to draw, by default in a new figure; returned in any case.

    Raises
    ------
    InvalidInputError, MissingDependencyError
        For anything but a path, another picture than these, or several axes; without Matplotlib.

    Notes
    -----
    Networks of neighbouring penalties are trained separately; which neurons are drawn as one line is a heuristic: pairs
    are chosen so that the sum of :math:`\langle w_j g_j^T, w_k g_k^T \rangle` is largest, and kept when the
    cosine is at least 0.7. The scope of the bounds is the weakest of all points: solid lines for "exact" and "bounded",
    dashed for "estimated". Cost O(k m^3) for k penalties and m neurons.

    Examples
    --------
    >>> import neuralgauge as ng
    >>> problem = ng.TrainingProblem([[-2], [-1], [0], [1], [2]], [1, -1, 1, 1, -1], beta=1.0)
    >>> axes = ng.plot_path(ng.relu_path(problem, n_betas=5), what="objective")  # doctest: +SKIP
    >>> [line.get_label() for line in axes.get_lines()]  # doctest: +SKIP
    ['objective', 'lower bound (exact)']
    """
    if not isinstance(path, Path):
        raise wrong_kind("path", "a Path, which `relu_path` returns", path, "path_")
    choice(what, "what", KINDS)
    place = place_of(axes, "plot_path")
    draw = {"norms": _draw_norms, "neurons": _draw_neurons, "objective": _draw_objective, "errors": _draw_errors}
    draw[what](place, path)
    place.set_xscale("log")
    place.set_xlabel(r"$\beta$")
    add_legend(place, axes)
    return place


def _draw_norms(place: Any, path: Path) -> None:
    names = {POSITIVE: "positive output weight", NEGATIVE: "negative output weight"}
    for points, sign in sorted(_tracks(path), key=lambda track: -track[1]):
        colour = {1.0: POSITIVE, -1.0: NEGATIVE}.get(sign, "0.3")
        betas, norms = [path.betas[k] for k, _ in points], [norm for _, norm in points]
        place.plot(betas, norms, color=colour, linewidth=1.0, alpha=0.8, label=names.pop(colour, None))
    place.set_ylabel(r"$\|u_j\| \|\alpha_j\|$")
    place.set_ylim(bottom=0.0)


def _tracks(path: Path) -> list[tuple[list[tuple[int, float]], float]]:
    """Return for every neuron its norms, pairs of the index of the penalty and the norm, and its sign (0 for none)."""
    networks = [_network(solution) for solution in path.solutions]
    done: list[tuple[list[tuple[int, float]], float]] = []
    alive: dict[int, tuple[list[tuple[int, float]], float]] = {}
    for k, network in enumerate(networks):
        norms = np.linalg.norm(network.U, axis=0) * np.linalg.norm(network.A, axis=1)
        signs = np.sign(network.A[:, 0]) if network.A.shape[1] == 1 else np.zeros(len(norms))
        before = _pairs(networks[k - 1], network) if k else {}
        now = {}
        for j, norm in enumerate(norms.tolist()):
            track = alive.pop(before[j]) if j in before else ([(k - 1, 0.0)] if k else [], float(signs[j]))
            track[0].append((k, norm))
            now[j] = track
        for points, _ in alive.values():
            points.append((k, 0.0))
        done += alive.values()
        alive = now
    return [*done, *alive.values()]


def _pairs(last: TwoLayerNetwork, network: TwoLayerNetwork) -> dict[int, int]:
    """Return the matching: for neurons of `network` the index of the same neuron of `last`, where there is one."""
    U, A = (last.U, network.U), (last.A, network.A)
    size = [np.linalg.norm(u, axis=0) * np.linalg.norm(a, axis=1) for u, a in zip(U, A, strict=True)]
    overlap = (U[0].T @ U[1]) * (A[0] @ A[1].T)
    rows, columns = linear_sum_assignment(np.maximum(overlap, 0.0), maximize=True)
    same = overlap[rows, columns] >= SAME_NEURON * size[0][rows] * size[1][columns]
    return dict(zip(columns[same].tolist(), rows[same].tolist(), strict=True))


def _network(solution: Any) -> TwoLayerNetwork:
    assert isinstance(solution.network, TwoLayerNetwork)
    return solution.network


def _draw_neurons(place: Any, path: Path) -> None:
    place.plot(path.betas, [_network(solution).n_neurons for solution in path.solutions], marker=".")
    place.yaxis.get_major_locator().set_params(integer=True)
    place.set_ylabel("neurons")


def _draw_objective(place: Any, path: Path) -> None:
    certificates = [solution.certificate for solution in path.solutions]
    upper, lower = [c.upper for c in certificates], [c.lower for c in certificates]
    scope = max((c.scope for c in certificates), key=STRONGEST_FIRST.index)
    # Where the two agree to the width of a line, the objective is seen on both sides of its bound.
    place.plot(path.betas, upper, color="C0", alpha=0.4, linewidth=6.0, solid_capstyle="round", label="objective")
    bound = {"linestyle": LINE_STYLES[scope], "linewidth": 1.5, "marker": ".", "color": "C1"}
    place.plot(path.betas, lower, label=f"lower bound ({scope})", **bound)
    if any(proves_less(c) for c in certificates):
        proven = [c.proven if np.isfinite(c.proven) else np.nan for c in certificates]
        place.plot(path.betas, proven, color="C2", linewidth=0.8, marker=".", label="proven")
    gap = f"gap, at most {max(c.gap for c in certificates):.1e}"
    place.fill_between(path.betas, lower, upper, color="0.5", alpha=0.2, linewidth=0, label=gap)
    place.set_ylabel("training objective")


def _draw_errors(place: Any, path: Path) -> None:
    place.plot(path.betas, path.train_error, color="C0", marker=".", label="training")
    if not np.isnan(path.validation_error).all():
        place.plot(path.betas, path.validation_error, color="C1", marker=".", label="validation")
    best = float(path.betas[path.best()])
    place.axvline(best, color="0.5", linestyle=":", label=rf"best, $\beta$ = {best:.3g}")
    place.set_ylabel("error")
