"""Kinks that meet in one point, lie on sides of the box or on each other; and bounds against exact arithmetic."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from box_twin import cells, jacobians, random_box, random_network, vertices

import neuralgauge as ng


@pytest.mark.parametrize("seed", range(25))
def test_weights_of_few_values(seed):
    rng = np.random.default_rng(seed)
    m, c, bias = int(rng.integers(1, 12)), int(rng.integers(1, 3)), bool(rng.integers(2))
    U = rng.integers(-2, 3, (2 + bias, m)) * rng.choice([1.0, 0.1, 1 / 3], m)
    network = ng.TwoLayerNetwork(U, rng.integers(-2, 3, (m, c)), bias)
    lower = rng.integers(-2, 1, 2)
    upper = lower + rng.integers(1, 4, 2)
    values = np.reshape(network.predict(vertices(network, lower, upper)), (-1, c))[:, -1]
    found = ng.output_range(network, lower, upper, output=c - 1)
    assert found.maximum.value == pytest.approx(values.max(), abs=1e-9)
    assert found.minimum.value == pytest.approx(values.min(), abs=1e-9)
    assert max(found.minimum.gap, found.maximum.gap) < 1e-9
    assert ng.surrogate(network, lower, upper).minimize(c - 1).value == pytest.approx(values.min(), abs=1e-9)
    slopes = jacobians(network, cells(network, lower, upper))
    for norm in (1, 2, np.inf):
        steep = ng.lipschitz(network, lower, upper, norm)
        assert steep.value == pytest.approx(max(np.linalg.norm(J, norm) for J in slopes), abs=1e-9)
        assert steep.gap < 1e-9


def exact_outputs(network, lower, upper):
    """Outputs at all vertices of the arrangement in a box of the plane, in rational arithmetic."""
    fractions = [[Fraction(float(u)) for u in column] for column in network.U.T]
    lines = [column for column in fractions if column[0] or column[1]]
    for k, sides in enumerate(zip(lower, upper, strict=True)):
        lines += [[Fraction(int(k == 0)), Fraction(int(k == 1)), -Fraction(float(side))] for side in sides]
    low, high = ([Fraction(float(one)) for one in side] for side in (lower, upper))
    alpha, offset = [Fraction(float(a)) for a in network.A[:, 0]], Fraction(float(np.ravel(network.offset)[0]))
    for (a, b, e), (c, d, f) in itertools.combinations(lines, 2):
        determinant = a * d - b * c
        if determinant:
            x = ((b * f - d * e) / determinant, (c * e - a * f) / determinant)
            if all(low[k] <= x[k] <= high[k] for k in range(2)):
                z = (u[0] * x[0] + u[1] * x[1] + u[2] for u in fractions)
                yield offset + sum(w * max(one, Fraction(0)) for w, one in zip(alpha, z, strict=True))


@pytest.mark.parametrize("seed", range(12))
def test_bounds_hold_in_exact_arithmetic(seed):
    rng = np.random.default_rng(seed)
    network, (lower, upper) = random_network(rng, m=6), random_box(rng)
    if seed % 2:  # a box far from the origin, where the terms of neurons cancel
        U = network.U.copy()
        U[2] -= 1e7 * U[:2].sum(axis=0)
        network, lower, upper = network.with_neurons(U, network.A), lower + 1e7, upper + 1e7
    found = ng.output_range(network, lower, upper)
    exact = list(exact_outputs(network, lower, upper))
    assert Fraction(found.minimum.bound) <= min(exact)
    assert max(exact) <= Fraction(found.maximum.bound)
    assert float(max(exact)) == pytest.approx(found.maximum.bound, abs=1e-9 if seed % 2 == 0 else 1e-5)
