"""Networks on a box in the plane or on an interval, by all vertices and cells of the arrangement of their kinks."""

import itertools

import numpy as np

import neuralgauge as ng


def kinks(network, lower, upper):
    """Lines a . x + b = 0, (L, 2) and (L,): those of the neurons and the sides of the box."""
    d = network.n_features
    bias = network.U[-1:].T if network.bias else np.zeros((network.n_neurons, 1))
    sides = [np.eye(d), np.eye(d)]
    normals = np.vstack([network.U[:d].T, *sides])
    levels = np.concatenate([bias[:, 0], -np.asarray(lower, float), -np.asarray(upper, float)])
    size = np.linalg.norm(normals, axis=1)
    return normals[size > 0] / size[size > 0, None], levels[size > 0] / size[size > 0]


def vertices(network, lower, upper):
    """Points of the box where d of the kinks and sides meet; a piecewise linear function is extreme at one of them."""
    normals, levels = kinks(network, lower, upper)
    points = []
    for chosen in itertools.combinations(range(len(normals)), network.n_features):
        A = normals[list(chosen)]
        if abs(np.linalg.det(A)) > 1e-12:
            points.append(np.linalg.solve(A, -levels[list(chosen)]))
    points = np.array(points)
    inside = np.all((points >= np.subtract(lower, 1e-9)) & (points <= np.add(upper, 1e-9)), axis=1)
    return np.clip(points[inside], lower, upper)


def cells(network, lower, upper):
    """A point in every cell of the arrangement in a box of the plane: between neighbouring lines at every vertex."""
    normals, levels = kinks(network, lower, upper)
    points = []
    for vertex in vertices(network, lower, upper):
        through = normals[np.abs(normals @ vertex + levels) < 1e-9]
        angles = np.sort(np.unique(np.arctan2(through[:, 0], -through[:, 1]) % np.pi))
        angles = np.concatenate([angles, angles + np.pi, angles[:1] + 2.0 * np.pi])
        between = 0.5 * (angles[:-1] + angles[1:])
        points.append(vertex + 1e-6 * np.column_stack([np.cos(between), np.sin(between)]))
    points = np.vstack(points)
    return points[np.all((points > lower) & (points < upper), axis=1)]


def jacobians(network, points):
    """(n, c, d)."""
    d = network.n_features
    design = np.hstack([points, np.ones((len(points), 1))]) if network.bias else points
    return np.einsum("nm,mc,dm->ncd", (design @ network.U > 0).astype(float), network.A, network.U[:d])


def random_network(rng, d=2, m=None, c=1, bias=True):
    m = int(rng.integers(1, 20)) if m is None else m
    U, A = rng.standard_normal((d + int(bias), m)), rng.standard_normal((m, c))
    return ng.TwoLayerNetwork(U, A, bias, offset=rng.standard_normal(c))


def random_box(rng, d=2):
    lower = rng.uniform(-3.0, 0.0, d)
    return lower, lower + rng.uniform(0.1, 4.0, d)
