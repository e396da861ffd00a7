"""Fig. 1: the ellipsoid of X, its rectification and the polar of the two-sided set, drawn for two samples."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog

import neuralgauge as ng

from ._array import Array
from .outcome import Check, Curve, Outcome, Panel
from .scale import Scale

X = np.array([[1.0, 0.3], [-0.4, 0.9]])
Y = np.array([0.9, -0.5])
POINTS = 2881
DRAWN = 4  # of so many points one is drawn: an outline of 721 has no corner that is seen to be cut
SAME = 1e-3  # of the value, which the corners of the drawn outlines cut


def figure_1(scale: Scale) -> Outcome:
    """The sets, and the neural gauge of a target read off them in two ways."""
    angle = np.linspace(0.0, 2.0 * np.pi, POINTS)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    ellipse = X @ circle
    rectified = np.maximum(ellipse, 0.0)
    rays = circle.T / np.array([ng.price(z, X).value for z in circle.T])[:, None]
    gauge = ng.neural_gauge(X, Y, bias=False, gap=1e-8).certificate.upper
    return Outcome(
        "Sets of the neural gauge",
        {"n": 2, "d": 2, "X by columns": X.T.ravel().tolist(), "y": Y.tolist()},
        ("The paper lists no data; two samples in the plane, without bias, so that all sets are plane.",),
        checks=_checks(gauge, rectified, rays),
        panels=(
            _panel("(a) ellipsoidal set {X u}", ("X u", ellipse)),
            _panel("(b) rectified, Q_X = {(X u)_+}", ("Q_X", rectified), ("-Q_X", -rectified)),
            _panel("(c) polar of Q_X and -Q_X", ("polar", rays.T)),
        ),
    )


def _panel(title: str, *outlines: tuple[str, Array]) -> Panel:
    kinds = ("found", "approximate")
    curves = tuple(
        Curve(name, x.tolist(), y.tolist(), kind)
        for (name, (x, y)), kind in zip(((name, line[:, ::DRAWN]) for name, line in outlines), kinds, strict=False)
    )
    return Panel(title, "sample 1", "sample 2", curves, square=True)


def _checks(gauge: float, rectified: Array, rays: Array) -> tuple[Check, ...]:
    atoms = np.hstack([rectified, -rectified])
    weights: Array = np.asarray(linprog(np.ones(atoms.shape[1]), A_eq=atoms, b_eq=Y).x)
    hull = float(weights.sum())
    support = float((rays @ Y).max())
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 200, 2))
    bent = max(
        ng.price(0.5 * (p + q), X).value - 0.5 * (ng.price(p, X).value + ng.price(q, X).value)
        for p, q in zip(a, b, strict=True)
    )
    return (
        Check(
            "section 2.1; A.10",
            "The neural gauge is the least t with y in t Conv(Q_X and -Q_X).",
            "equal",
            f"minimum-norm network {gauge:.6f}, least t over {POINTS} points of the outlines {hull:.6f}",
            abs(hull - gauge) <= SAME * gauge,
            "A linear program over points of the two sets, whose corners cut the value by little.",
        ),
        Check(
            "section 2.1, [7]",
            "The neural gauge is the maximum of y^T z over the polar set.",
            "equal",
            f"minimum-norm network {gauge:.6f}, maximum over {POINTS} points of the polar's outline {support:.6f}",
            abs(support - gauge) <= SAME * gauge,
            "Polar duality; the outline is 1 / G(z) in the direction z, which misses its corners by little.",
        ),
        Check(
            "Fig. 1c; section 2.1",
            "The polar set is convex.",
            "always",
            f"largest excess of G at the middle of 200 pairs over the mean {bent:.1e}",
            bent <= 1e-12,
            "It is the set where the polar gauge G is at most 1. Q_X itself is not convex in general.",
        ),
    )
