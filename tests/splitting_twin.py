"""The splitting written out: dense moments, the products one by one, their adjoint with the matrices transposed."""

import numpy as np

from neuralgauge.relaxation.half import OVER_RELAXATION
from neuralgauge.relaxation.moments import ALPHA_WEIGHT, OUTPUT_WEIGHT, Lift
from neuralgauge.relaxation.proximal import proximal_point
from neuralgauge.relaxation.splitting import Splitting


def rows_of_products(lift):
    """Matrices whose rows give on, off, p and q in their weights; outputs in theirs; a; alpha; u."""
    n, r, one, none = lift.n, lift.r, np.eye(lift.n), np.zeros((lift.n, lift.n))
    gate, zeros, of_alpha = np.full((n, 1), lift.gate), np.zeros((n, 1)), np.zeros((n, lift.q))
    y = np.vstack(
        [
            np.hstack([one, none, np.zeros((n, r)), of_alpha, gate]),
            np.hstack([-one, none, np.zeros((n, r)), of_alpha, gate]),
            np.hstack([none, one, lift.Q, of_alpha, zeros]),
            np.hstack([none, one, -lift.Q, of_alpha, zeros]),
        ]
    ) / np.sqrt(2.0)
    u = np.hstack([np.zeros((r, 2 * n)), np.diag(lift.length), np.zeros((r, lift.q + 1))])
    return y, np.sqrt(OUTPUT_WEIGHT) * y[2 * n : 3 * n], np.eye(lift.order)[-1], np.eye(lift.order)[2 * n + r : -1], u


def plain_products(lift, Z):
    """All weighted products of moments Z, one after the other."""
    y, p, a, alpha, u = rows_of_products(lift)
    sizes = np.array([np.trace(u @ Z @ u.T), np.trace(alpha @ Z @ alpha.T)])[: 2 if lift.q else 1]
    balance = np.sqrt(lift.balance_weight) * (sizes - a @ Z @ a)
    ends = np.sqrt(ALPHA_WEIGHT) * np.vstack([a, alpha])
    ends, read = (ends, alpha) if lift.q else (ends[:0], a[None])
    return np.concatenate([*(one.ravel() for one in (y @ Z @ y.T, y @ Z @ ends.T, p @ Z @ read.T)), balance])


def plain_adjoint(lift, products):
    """The symmetric matrix whose product with Z is that of `products` with the products of Z."""
    y, p, a, alpha, u = rows_of_products(lift)
    pairs, of_alpha, output, balance = parts(lift, products)
    K = y.T @ pairs @ y + p.T @ output @ (alpha if lift.q else a[None])
    for weight, row in zip(np.sqrt(lift.balance_weight) * balance, (u, alpha), strict=False):
        K += weight * (row.T @ row - np.outer(a, a))
    if lift.q:
        K += np.sqrt(ALPHA_WEIGHT) * y.T @ of_alpha @ np.vstack([a, alpha])
    return 0.5 * (K + K.T)


def parts(lift, products):
    """Pairs, cones in alpha, outputs and balances of what `plain_products` returns."""
    n, q = lift.n, lift.q
    ends = np.cumsum([16 * n * n, 4 * n * (q + 1) if q else 0, n * max(q, 1)])
    pairs, of_alpha, output, balance = np.split(products, ends)
    return pairs.reshape(4 * n, 4 * n), of_alpha.reshape(-1, q + 1), output.reshape(n, -1), balance


def kept(lift, aim):
    """The nearest products that a network may have, but for the outputs, which the loss moves."""
    n, i = lift.n, np.arange(lift.n)
    pairs, of_alpha, output, balance = parts(lift, aim)
    pairs = np.maximum(pairs, 0.0)
    for k, other in ((0, 1), (2, 3), (0, 3), (1, 2)):
        pairs[k * n + i, other * n + i] = pairs[other * n + i, k * n + i] = 0.0
    return np.concatenate([pairs.ravel(), inside(of_alpha), output.ravel(), 0.0 * balance])


def inside(cones):
    """The nearest points t >= |x|, for rows (t, x)."""
    found = [np.zeros(0)]
    for t, x in zip(cones[:, 0], cones[:, 1:], strict=True):
        length = np.linalg.norm(x)
        height = t if length <= t else 0.0 if length <= -t else 0.5 * (t + length)
        found.append(np.concatenate([[height], x if length <= t else x * (height / max(length, 1e-300))]))
    return np.concatenate(found)


def readout_matrix(problem):
    """F, whose rows give the outputs of the samples from those of the rows of X, one after the other."""
    return np.stack([problem.features.lifted(one.reshape(problem.y.shape)).ravel() for one in np.eye(problem.y.size)])


def plain_splitting(problem, start):
    """The dual points of the iterations."""
    lift, model = Lift(problem.X, problem.q if problem.q > 1 else 0), Splitting(problem, start)
    F, shape, signs = readout_matrix(problem), problem.y.shape, (1.0,) if problem.q > 1 else (1.0, -1.0)
    congruence = np.outer(np.sqrt(lift.metric), np.sqrt(lift.metric))
    unit = np.sqrt(OUTPUT_WEIGHT) / lift.scale
    stiffness = model.penalty * unit**2 / len(signs) / np.sum(F**2, axis=1)
    stiffness = stiffness if len(shape) == 1 else stiffness.reshape(shape)[:, :1]
    Z = [z @ z.T for z in model.start]
    images = [plain_products(lift, one) for one in Z]
    keeps, scaled = [kept(lift, image) for image in images], [0.0 * image for image in images]
    b, last = problem.fit.constant, len(lift.balance_weight)
    while True:
        aims = []
        for s in range(len(signs)):
            K = plain_adjoint(lift, images[s] - keeps[s] - scaled[s]) + np.diag(model.cost)
            M = Z[s] * congruence - K / congruence
            values, vectors = np.linalg.eigh(M)
            Z[s] = (vectors * np.maximum(values, 0.0)) @ vectors.T / congruence
            images[s] = plain_products(lift, Z[s])
            aims.append(OVER_RELAXATION * images[s] + (1 - OVER_RELAXATION) * keeps[s] - scaled[s])
        keeps = [kept(lift, aim) for aim in aims]
        outputs = sum(sign * parts(lift, one)[2].ravel() for sign, one in zip(signs, keeps, strict=True))
        aim = (F @ outputs).reshape(shape) / unit
        f, b = proximal_point(problem.fit, aim, stiffness, b)
        move = np.linalg.pinv(F) @ (f - b - aim).ravel() * unit / len(signs)
        for one, sign in zip(keeps, signs, strict=True):
            one[-last - len(move) : -last] += sign * move
        scaled = [one - aim for one, aim in zip(keeps, aims, strict=True)]
        yield stiffness * (f - b - aim)
