"""Section 4, A.5 to A.7: convolutional networks, their programs and the constants in them."""

from __future__ import annotations

import numpy as np

import neuralgauge as ng

from ._array import Array
from .outcome import Check, Outcome
from .scale import Scale

N, LENGTH, FILTER = 20, 9, 3
BETA = 2.0  # not 1, at which [10] is right
GAP = 1e-9
SAME = 1e-6  # relative difference that counts as none


def linear_filters(scale: Scale) -> Outcome:
    """Statements about [9] to [14] and 4.1."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((N, LENGTH)), 2.0 * rng.standard_normal(N)
    circle = ng.LinearConvProblem(X, y, beta=BETA, filter_size=LENGTH, padding="same", padding_mode="circular")
    short = ng.LinearConvProblem(X, y, beta=BETA, filter_size=FILTER)
    return Outcome(
        "Convolutional networks",
        {"n": N, "d": LENGTH, "h": FILTER, "loss": "squared", "beta": BETA},
        ("Signals of normal random numbers.",),
        checks=(_separable(rng), _nuclear(short), _constant(short), _fourier(circle, X), _classes(rng)),
    )


def _separable(rng: np.random.Generator) -> Check:
    images, y = rng.standard_normal((4, 5)), rng.standard_normal((4, 4))
    patches = ng.PatchGeometry((5, 1), 2).stack(images[:, :, None])
    conv = ng.ReLUConvProblem(images, y, beta=0.1, filter_size=2, readout="separable")
    dense = ng.TrainingProblem(patches, y.reshape(-1), beta=0.1)
    one, other = (ng.train(problem, SAME).certificate for problem in (conv, dense))
    return Check(
        "section 4.1",
        "The separable convolutional network is the dense one on the stacked patches.",
        "equal",
        f"separable {one.upper:.8g}, stacked {other.upper:.8g} ({one.scope})",
        abs(one.upper - other.upper) <= 2.0 * SAME * one.upper,
        "X' and y' stack the patches and their targets; two trainings agree within their gaps.",
    )


def _nuclear(problem: ng.LinearConvProblem) -> Check:
    solution = ng.train(problem, GAP)
    network, certificate = solution.network, solution.certificate
    return Check(
        "section 4.2, [9], [11], [12]; A.5",
        "The nuclear-norm program has the value of the training problem, and strong duality holds.",
        "equal",
        f"network [9] {problem.objective(network):.9g} with {network.n_neurons} filters, dual [11] "
        f"{certificate.lower:.9g}",
        abs(problem.objective(network) - certificate.lower) <= 10.0 * GAP * certificate.lower,
        "The network's own objective and a feasible dual point meet.",
    )


def _constant(problem: ng.LinearConvProblem) -> Check:
    p, as_printed = ng.train(problem, GAP).certificate.upper, ng.train(problem.with_beta(1.0), GAP).certificate.lower
    return Check(
        "section 4.2, [10]",
        "The dual of [9] has the constraint max sum_k (v^T X_k u)^2 <= 1.",
        "<= 1",
        f"[9] {p:.7g} at beta = {BETA:g}; maximum of [10] with <= 1 {as_printed:.7g}, with <= beta^2 {p:.7g}",
        abs(as_printed - p) <= SAME * p,
        "The multiplier of alpha_jk gives |(v^T X_k u_j)_k|_2 <= beta. Squared, sum_k (v^T X_k u)^2 <= beta^2. [11] "
        "has sigma_max <= beta and is right; [10] is right for beta = 1 only.",
    )


def _fourier(problem: ng.LinearConvProblem, X: Array) -> Check:
    v = ng.train(problem, GAP).dual
    shifts = np.stack([np.roll(X, -k, axis=1).T @ v for k in range(LENGTH)], axis=1)
    sigma = float(np.linalg.norm(shifts, 2))
    unnormalised = float(np.abs(np.fft.fft(X.T @ v)).max())
    unitary = float(np.abs(np.fft.fft(X.T @ v, norm="ortho")).max())
    return Check(
        "section 4.3, [14]; A.6",
        "For filters of length d the dual constraint is |v^T X F|_inf <= beta in [14], <= beta / sqrt d in A.6.",
        "both",
        f"optimal v at beta = {BETA:g}: sigma_max of [11] {sigma:.6f}; |v^T X F|_inf {unnormalised:.6f} for F "
        f"unnormalised, {unitary:.6f} = beta / {BETA / unitary:.6f} for F unitary, sqrt d = {LENGTH**0.5:g}",
        max(abs(unnormalised - sigma), abs(unitary * LENGTH**0.5 - sigma)) <= SAME * sigma,
        "A.6 has U = F D F^H, so F unitary, and beta / sqrt d. With sqrt(d) F in its place z shrinks by sqrt d and "
        "the weight becomes beta: [14] holds for the unnormalised F. With one F for both, one of them is wrong.",
    )


def _classes(rng: np.random.Generator) -> Check:
    n, K, d, classes = 30, 4, 5, 3
    patches, label = rng.standard_normal((K, n, d)), rng.integers(0, classes, n)
    Y = np.eye(classes)[label]
    top = np.linalg.eigh(sum(X_k.T @ Y @ Y.T @ X_k for X_k in patches))[1][:, -1]
    every = np.linalg.svd(patches.reshape(K * n, d))[2][0]
    sums = np.concatenate([[X_k[label == c].sum(axis=0) for c in range(classes)] for X_k in patches])
    of_sums = np.linalg.svd(sums)[2][0]
    one, other = (float(abs(top @ vector)) for vector in (every, of_sums))
    return Check(
        "A.7",
        "For V = Y one-hot filters are right singular vectors of the matrix whose rows are all patches of a class.",
        "the same vectors",
        f"cosine with the leading eigenvector of sum_k X_k^T Y Y^T X_k: rows all patches {one:.4f}, rows their sums by "
        f"class and position {other:.10f}",
        one >= 1.0 - SAME,
        "X_k^T Y has the sums of the patches of each class as its columns. So X_k^T Y Y^T X_k is a sum over classes of "
        "(sum x)(sum x)^T, not of sums of x x^T. Read with class sums as rows, the statement holds.",
    )
