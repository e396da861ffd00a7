"""The splitting written out: dense moments, the products one by one, their adjoint with the matrices transposed."""

import numpy as np

from neuralgauge.relaxation.half import OVER_RELAXATION
from neuralgauge.relaxation.moments import CONE_WEIGHT, OUTPUT_WEIGHT, Lift
from neuralgauge.relaxation.proximal import proximal_point
from neuralgauge.relaxation.splitting import Splitting


def rows_of_products(lift):
    """Matrices whose rows give p and q; p; a, the rest of u and p + q in their weights; a; u."""
    n, r, one = lift.n, lift.r, np.eye(lift.n)
    P, N = (np.hstack([one, sign * lift.Q, np.zeros((n, 1))]) / np.sqrt(2.0) for sign in (1.0, -1.0))
    a = np.eye(n + r + 1)[-1]
    u = np.hstack([np.zeros((r, n)), np.diag(lift.length), np.zeros((r, 1))])
    tail = np.sqrt(CONE_WEIGHT) * np.vstack([a, lift.rest @ u, np.sqrt(lift.shares)[:, None] * (P + N)])
    return np.vstack([P, N]), np.sqrt(OUTPUT_WEIGHT) * P, tail, a, u


def plain_products(lift, Z):
    """All weighted products of moments Z, one after the other."""
    PN, P, tail, a, u = rows_of_products(lift)
    balance = np.sqrt(lift.balance_weight) * (np.trace(u @ Z @ u.T) - a @ Z @ a)
    return np.concatenate([(PN @ Z @ PN.T).ravel(), (PN @ Z @ tail.T).ravel(), P @ Z @ a, [balance]])


def plain_adjoint(lift, products):
    """The symmetric matrix whose product with Z is that of `products` with the products of Z."""
    PN, P, tail, a, u = rows_of_products(lift)
    pairs, cones, output, balance = parts(lift, products)
    K = PN.T @ pairs.reshape(2 * lift.n, -1) @ PN + PN.T @ cones @ tail + np.outer(P.T @ output, a)
    K += np.sqrt(lift.balance_weight) * balance * (u.T @ u - np.outer(a, a))
    return 0.5 * (K + K.T)


def parts(lift, products):
    """Pairs, cones, outputs and the balance of what `plain_products` returns."""
    n, r = lift.n, lift.r
    ends = np.cumsum([4 * n * n, 2 * n * (n + r + 1), n])
    pairs, cones, output, balance = np.split(products, ends)
    return pairs, cones.reshape(2 * n, -1), output, float(balance[0])


def kept(lift, aim):
    """The nearest products that a network may have, but for the outputs, which the loss moves."""
    n = lift.n
    pairs, cones, output, _ = parts(lift, aim)
    pairs = np.maximum(pairs, 0.0).reshape(2 * n, 2 * n)
    i = np.arange(n)
    pairs[i, n + i] = pairs[n + i, i] = 0.0
    inside = []
    for t, x in zip(cones[:, 0], cones[:, 1:], strict=True):
        length = np.linalg.norm(x)
        height = t if length <= t else 0.0 if length <= -t else 0.5 * (t + length)
        inside.append(np.concatenate([[height], x if length <= t else x * (height / max(length, 1e-300))]))
    return np.concatenate([pairs.ravel(), np.concatenate(inside), output, [0.0]])


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
        (_, _, above, _), (_, _, below, _) = (parts(lift, one) for one in keeps)
        aim = (above - below) * lift.scale / np.sqrt(OUTPUT_WEIGHT)
        f, b = proximal_point(problem.fit, aim, model.stiffness, b)
        move = 0.5 * np.sqrt(OUTPUT_WEIGHT) / lift.scale * (f - b - aim)
        for one, sign in zip(keeps, (1.0, -1.0), strict=True):
            one[-1 - lift.n : -1] += sign * move
        scaled = [one - aim for one, aim in zip(keeps, aims, strict=True)]
        yield model.stiffness * (f - b - aim)
