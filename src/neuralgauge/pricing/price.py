r"""Pricing: the polar gauge G(v), exactly or enclosed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np

from .._array import Array, as_matrix, as_positive, as_vector, frozen
from .._threads import threads
from ..errors import InvalidInputError
from .ascent import ascend
from .direction_search import search_directions
from .few_kinks import FEW_KINKS, price_few_kinks
from .kinks import EPS, Enclosure, KinkForm, kink_form
from .sweep_plane import sweep_plane

Method = Literal["auto", "sweep", "branch_and_bound"]


@dataclass(frozen=True)
class Price:
    """Bounds on the polar gauge G(V), and the neuron that attains the lower one.

    Attributes
    ----------
    value : float
        ``direction @ (V.T @ np.maximum(X @ u, 0))``, attained: a lower bound on G(V).
    bound : float
        Upper bound on G(V), in floating-point arithmetic too.
    u : array of shape (d,)
        Unit vector that attains `value`; read-only.
    sign : int
        +1 or -1: the sign of v^T (X u)_+; +1 for several outputs.
    direction : array of shape (c,)
        Unit output direction of the neuron, V^T (X u)_+ over its length; ``[sign]`` for one output; read-only.
    closed : bool
        Whether the method finished, so that bound and value differ by the tolerance or by rounding only.
    method : str
        "sweep", "branch_and_bound" or "enumeration".
    history : tuple of (seconds, value, bound)
        How branch and bound got there; empty for a sweep.
    n_nodes : int
        Cones that branch and bound relaxed, over all directions it priced.
    """

    value: float
    bound: float
    u: Array
    sign: int
    direction: Array
    closed: bool
    method: str
    history: tuple[tuple[float, float, float], ...] = ()
    n_nodes: int = 0


def price(
    v: Any,
    X: Any,
    *,
    target: float | None = None,
    tol: float | None = None,
    time_limit: float | None = None,
    random_state: int = 0,
    method: Method = "auto",
) -> Price:
    r"""Return bounds on the polar gauge of a dual point: the largest score of any neuron.

    .. math:: G(V) = \max_{\|u\|_2 \le 1} |V^T (Xu)_+|_2

    If G(V) <= beta, V is feasible in the dual [15] and bounds the training objective from below for every width; if
    not, the maximiser u is the neuron to add.

    Parameters
    ----------
    v : array of shape (n,) or (n, c)
        Dual point, usually minus the gradient of the loss, a column an output. With one output both signs are priced.
    X : array of shape (n, d)
        Design matrix, used as it is (for a problem: ``problem.X``). Zero, repeated and collinear rows and any rank
        are fine.
    target : float, optional
        Only decide whether G(V) exceeds it: branch and bound stops once ``value > target`` or ``bound <= target``.
    tol : float, optional
        Relative difference of bound and value at which branch and bound is closed, > 0; 1e-9 by default for one output
        and 1e-5 for several.
    time_limit : float, optional
        Seconds for branch and bound after its start vectors are found; the bound holds when time is up.
    random_state : int
        Seed of the start vectors of branch and bound; the result does not depend on it once closed.
    method : {"auto", "sweep", "branch_and_bound"}
        "auto" sweeps up to rank 3 of X and branches above; of one output with at most 16 distinct lines among the rows
        and a rank above 2 it enumerates the signs of these, and goes on as before where that does not close.

    Returns
    -------
    Price
        With value <= G(V) <= bound. An enumeration is closed to `tol` like branch and bound; a sweep leaves only
        rounding between them, a multiple of (n + c) eps sum_i |v_i| |x_i| and, for several outputs in rank 3, 1e-13 of
        that sum.

    Raises
    ------
    InvalidInputError
        For shapes that do not match, values that are not finite, `tol` or `time_limit` <= 0, an unknown `method`, or
        "sweep" above rank 3.

    Notes
    -----
    Enumeration: O(2^n n rank) a sweep over the slopes. Rank 1: O(n c). Rank 2: O(n (log n + c)). Rank 3: O(n^2 (log n +
    c)). Above, exponential in the rank, and for several outputs once for every output direction priced: rank(V) of them
    for the first bound, tens more to close it for two or three; see `direction_search`. Singular values of X below
    max(n, d) eps of the largest count as zero, and what that drops is added to the bound. Source: duals of [8] and [19]
    of Pilanci & Ergen (2020).

    Examples
    --------
    >>> from neuralgauge.pricing import price
    >>> result = price([1, -1, 1, 1, -1], [[-2, 1], [-1, 1], [0, 1], [1, 1], [2, 1]])
    >>> print(f"{result.value:.4f} {result.bound:.4f} {result.closed}")
    1.7889 1.7889 True
    >>> result = price([[1, 0], [0, 1], [1, 1]], [[3, 0], [4, 0], [0, 1]])
    >>> print(f"{result.value:.4f}", result.u.round(4), result.direction.round(4))
    5.1926 [0.9629 0.27  ] [0.6083 0.7937]
    """
    matrix = as_matrix(X)
    dual = _as_dual(v, matrix.shape[0])
    tolerance = as_positive((1e-9 if dual.ndim == 1 else 1e-5) if tol is None else tol, "tol")
    limit = None if time_limit is None else as_positive(time_limit, "time_limit")
    goal = None if target is None else _as_target(target)
    if method not in get_args(Method):
        raise InvalidInputError(f"`method` must be one of {list(get_args(Method))}, got {method!r}.")
    return priced(dual, matrix, goal, tolerance, limit, random_state, method)


def priced(
    v: Array,
    X: Array,
    target: float | None,
    tol: float,
    time_limit: float | None,
    random_state: int,
    method: Method = "auto",
    *,
    least: float | None = None,
) -> Price:
    """What `price` returns, of checked arguments.

    With `least`, of one output, only neurons of sign +1 count, and smaller maxima are not told from it.
    """
    one_sided = least is not None
    # Powers of two: exact, and squares can neither overflow nor vanish.
    v_scale, X_scale = _power_of_two(v), _power_of_two(X)
    scale = v_scale * X_scale
    v, X = v / v_scale, X / X_scale
    form = replace(kink_form(v, X), one_sided=one_sided)
    if method == "sweep" and form.rank > 3:
        raise InvalidInputError(
            f'`method="sweep"` handles X of rank at most 3, got rank {form.rank}; use "branch_and_bound" or "auto".'
        )
    goal = None if target is None else target / scale
    found = _few(v, X, form, goal, tol) if method == "auto" else None
    swept = method != "branch_and_bound" and form.rank <= (2 if one_sided else 3)
    if found is None and (form.rank == 1 or not len(form.w) or swept):
        z, bound = _sweep(form)
        found = _attained(v, X, form, z, bound + form.margin)
    elif found is None:
        least = 0.0 if least is None else least / scale
        branch = _branch(v, X, form, (goal, least), tol, time_limit, random_state)
        found = replace(
            _attained(v, X, form, branch.z, branch.bound),
            method="branch_and_bound", closed=branch.closed, history=branch.history, n_nodes=branch.n_nodes,
        )  # fmt: skip
    history = tuple((seconds, value * scale, bound * scale) for seconds, value, bound in found.history)
    return replace(found, value=found.value * scale, bound=found.bound * scale, history=history)


def _few(v: Array, X: Array, form: KinkForm, goal: float | None, tol: float) -> Price | None:
    """The price by enumeration, where that takes the form and closes."""
    if form.rank <= 2 or v.ndim != 1 or len(form.w) > FEW_KINKS:
        return None
    z, bound, closed = price_few_kinks(form, -np.inf if goal is None else goal, tol)
    return replace(_attained(v, X, form, z, bound), method="enumeration") if closed else None


def _sweep(form: KinkForm) -> tuple[Array, float]:
    """Maximiser and bound in rank 3 at most, or of any rank without kinks."""
    if form.rank == 1 or not len(form.w):  # |b z + w |z||, or linear
        b = np.atleast_2d(form.b)
        z = np.linalg.svd(b)[2][0]
        odd, even = b @ z, np.abs(form.Z @ z) @ form.w.reshape(-1, len(b))
        sides = [even + side * odd for side in (1.0, -1.0)]  # at z and at -z
        largest = max(float(side[0]) if form.one_sided else float(np.linalg.norm(side)) for side in sides)
        return z, largest + 4.0 * (sum(b.shape) + 16.0) * EPS * form.mass
    if form.rank == 2:
        return sweep_plane(form)
    if form.b.ndim == 1:
        from .sweep_space import sweep_space

        return sweep_space(form)
    from .sweep_space_vector import sweep_space_vector

    return sweep_space_vector(form)


def _branch(
    v: Array,
    X: Array,
    form: KinkForm,
    goals: tuple[float | None, float],
    tol: float,
    time_limit: float | None,
    random_state: int,
) -> Enclosure:
    """Branch and bound from the best maximum of an ascent; for several outputs over their directions, too."""

    def price_column(v: Array, tol: float, limit: float | None) -> Price:
        return price(v, X, tol=tol, time_limit=limit, random_state=random_state)

    target, least = goals
    with threads():
        if v.ndim == 2:
            found = search_directions(v, X, price_column, target, tol, time_limit, random_state)
            return replace(found, z=form.basis.T @ found.z)
        from .branch_and_bound import branch_and_bound

        reduced = X @ form.basis
        starts = [ascend(sign * v, reduced, random_state=random_state)[1][:, 0] for sign in form.signs]
        z = max(starts, key=form.polar)
        return branch_and_bound(form, z, target=target, tol=tol, time_limit=time_limit, least=least)


def _attained(v: Array, X: Array, form: KinkForm, z: Array, bound: float) -> Price:
    """Evaluate the neuron on the data as given, at z and at -z."""
    u = form.basis @ z
    u /= np.linalg.norm(u)
    X_u = X @ u
    outputs = [(np.atleast_1d(v.T @ np.maximum(side * X_u, 0.0)), side) for side in (1.0, -1.0)]
    size: Callable[[Array], float] = (lambda h: float(h[0])) if form.one_sided else (lambda h: float(np.linalg.norm(h)))
    output, side = max(outputs, key=lambda pair: size(pair[0]))
    value = float(np.linalg.norm(output))
    if form.one_sided:
        sign, value, direction = 1, float(output[0]), np.ones(1)
    elif v.ndim == 1:
        sign = 1 if output[0] >= 0.0 else -1
        value, direction = abs(float(output[0])), np.array([float(sign)])
    else:
        sign, direction = 1, output / value if value > 0.0 else np.eye(1, len(output))[0]
    return Price(value, max(bound, value), frozen(side * u), sign, frozen(direction), True, "sweep")


def _as_dual(v: Any, n: int) -> Array:
    """Return v (n,), also from a column, or V (n, c)."""
    try:
        shape = np.shape(v)
    except ValueError:  # ragged: `as_vector` raises the error
        shape = ()
    if len(shape) != 2 or shape[1] == 1:
        return as_vector(v, n, "v")
    V = as_matrix(v, "v")
    if len(V) != n:
        raise InvalidInputError(f"`v` must have one row per row of X ({n}), got {len(V)}.")
    return V


def _as_target(target: Any) -> float:
    try:
        number = float(target)
    except (TypeError, ValueError):
        raise InvalidInputError(f"`target` must be a number, got {target!r}.") from None
    if not math.isfinite(number):
        raise InvalidInputError(f"`target` must be finite, got {number}; leave it out to find G(v) itself.")
    return number


def _power_of_two(values: Array) -> float:
    largest = float(np.max(np.abs(values)))
    return math.ldexp(1.0, math.frexp(largest)[1]) if largest > 0.0 else 1.0
