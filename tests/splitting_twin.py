"""The splitting written out: dense moments, the products one by one, their adjoint with the matrices transposed."""

import numpy as np

from neuralgauge.relaxation.half import OVER_RELAXATION
from neuralgauge.relaxation.moments import OUTPUT_WEIGHT, Lift
from neuralgauge.relaxation.proximal import proximal_point
from neuralgauge.relaxation.splitting import Splitting


def rows_of_products(lift):
    """Matrices whose rows give on, off, p and q in their weights; outputs in theirs; a; u."""
    n, r, one, none = lift.n, lift.r, np.eye(lift.n), np.zeros((lift.n, lift.n))
    gate, zeros = np.full((n, 1), lift.gate), np.zeros((n, 1))
    y = np.vstack(
        [
            np.hstack([one, none, np.zeros((n, r)), gate]),
            np.hstack([-one, none, np.zeros((n, r)), gate]),
            np.hstack([none, one, lift.Q, zeros]),
            np.hstack([none, one, -lift.Q, zeros]),
        ]
    ) / np.sqrt(2.0)
    u = np.hstack([np.zeros((r, 2 * n)), np.diag(lift.length), np.zeros((r, 1))])
    return y, np.sqrt(OUTPUT_WEIGHT) * y[2 * n : 3 * n], np.eye(lift.order)[-1], u


def plain_products(lift, Z):
    """All weighted products of moments Z, one after the other."""
    y, p, a, u = rows_of_products(lift)
    balance = np.sqrt(lift.balance_weight) * (np.trace(u @ Z @ u.T) - a @ Z @ a)
    return np.concatenate([(y @ Z @ y.T).ravel(), p @ Z @ a, [balance]])


def plain_adjoint(lift, products):
    """The symmetric matrix whose product with Z is that of `products` with the products of Z."""
    y, p, a, u = rows_of_products(lift)
    pairs, output, balance = parts(lift, products)
    K = y.T @ pairs @ y + np.outer(p.T @ output, a)
    K += np.sqrt(lift.balance_weight) * balance * (u.T @ u - np.outer(a, a))
    return 0.5 * (K + K.T)


def parts(lift, products):
    """Pairs, outputs and the balance of what `plain_products` returns."""
    n = lift.n
    pairs, output, balance = np.split(products, np.cumsum([16 * n * n, n]))
    return pairs.reshape(4 * n, 4 * n), output, float(balance[0])


def kept(lift, aim):
    """The nearest products that a network may have, but for the outputs, which the loss moves."""
    n, i = lift.n, np.arange(lift.n)
    pairs, output, _ = parts(lift, aim)
    pairs = np.maximum(pairs, 0.0)
    for k, other in ((0, 1), (2, 3), (0, 3), (1, 2)):
        pairs[k * n + i, other * n + i] = pairs[other * n + i, k * n + i] = 0.0
    return np.concatenate([pairs.ravel(), output, [0.0]])


def plain_splitting(problem, start):
    """The dual points of the iterations."""
    lift, model = Lift(problem.X), Splitting(problem, start)
    root = np.sqrt(lift.metric)
    congruence = np.outer(root, root)
    Z = [z @ z.T for z in model.start]
    images = [plain_products(lift, one) for one in Z]
    keeps, scaled, b = (
        [kept(lift, image) for image in images],
        [0.0 * image for image in images],
        float(problem.fit.constant[0]),
    )
    while True:
        aims = []
        for s in (0, 1):
            K = plain_adjoint(lift, images[s] - keeps[s] - scaled[s]) + np.diag(model.cost)
            M = Z[s] * congruence - K / congruence
            values, vectors = np.linalg.eigh(M)
            Z[s] = (vectors * np.maximum(values, 0.0)) @ vectors.T / congruence
            images[s] = plain_products(lift, Z[s])
            aims.append(OVER_RELAXATION * images[s] + (1 - OVER_RELAXATION) * keeps[s] - scaled[s])
        keeps = [kept(lift, aim) for aim in aims]
        (_, above, _), (_, below, _) = (parts(lift, one) for one in keeps)
        aim = (above - below) * lift.scale / np.sqrt(OUTPUT_WEIGHT)
        f, b = proximal_point(problem.fit, aim, model.stiffness, b)
        move = 0.5 * np.sqrt(OUTPUT_WEIGHT) / lift.scale * (f - b - aim)
        for one, sign in zip(keeps, (1.0, -1.0), strict=True):
            one[-1 - lift.n : -1] += sign * move
        scaled = [one - aim for one, aim in zip(keeps, aims, strict=True)]
        yield model.stiffness * (f - b - aim)
