"""Parts of the interior point in the Fourier domain: its cones and its Newton systems, against dense algebra."""

import numpy as np
import pytest

from neuralgauge.programs.circular_conv import CircularProgram, complex_blocks, real_rows
from neuralgauge.solvers._hermitian_cone import HermitianScaling, adjoint, multiplier
from neuralgauge.solvers._reduced_system import CurvatureRoot
from neuralgauge.solvers._spectral_system import SpectralSystem


def hermitian_pair(rng, M, N, spread=1.0):
    """Random interior points of the cones of Hermitian matrices."""
    pair = []
    for _ in range(2):
        root = rng.standard_normal((M, N, N)) + 1j * rng.standard_normal((M, N, N))
        root *= 10.0 ** rng.uniform(-spread, 0.0, (M, 1, N))
        pair.append(root @ adjoint(root) + 1e-6 * np.eye(N))
    return pair


@pytest.mark.parametrize(("a", "c"), [(1, 1), (3, 1), (1, 2), (2, 3)])
def test_scaling_makes_both_points_one_diagonal(a, c, rng):
    P, Q = hermitian_pair(rng, 4, a + c)
    scaling = HermitianScaling(P, Q, a)
    D = scaling.diagonal(scaling.point)
    np.testing.assert_allclose(scaling.unscale(D), P, atol=1e-12)
    np.testing.assert_allclose(scaling.scale(Q), D, atol=1e-12)


@pytest.mark.parametrize(("a", "c"), [(1, 1), (3, 1), (1, 2), (2, 3)])
def test_response_is_the_map_of_its_root(a, c, rng):
    P, Q = hermitian_pair(rng, 4, a + c)
    scaling = HermitianScaling(P, Q, a)
    zeta = rng.standard_normal((4, a, c)) + 1j * rng.standard_normal((4, a, c))
    G = scaling.G
    E = np.zeros_like(G)
    E[:, :a, a:], E[:, a:, :a] = zeta, adjoint(zeta)
    W = G @ adjoint(G)
    expected = 0.5 * (W @ E @ W)[:, :a, a:]
    np.testing.assert_allclose(scaling.respond(zeta), expected, atol=1e-11)
    C = scaling.response_root()
    rows = real_rows(zeta).reshape(4, -1, 1)
    found = complex_blocks((C @ (C.swapaxes(1, 2) @ rows)).reshape(-1, c), a)
    np.testing.assert_allclose(found, expected, atol=1e-11)
    np.testing.assert_allclose(multiplier(zeta, 0.0), -0.5 * E)


def test_step_length_ends_on_the_boundary(rng):
    P, Q = hermitian_pair(rng, 3, 3)
    scaling = HermitianScaling(P, Q, 2)
    dP = hermitian_pair(rng, 3, 3)[0] - 2.0 * np.eye(3)
    inverse = np.linalg.inv(scaling.G)
    alpha = scaling.step_length(inverse @ dP @ adjoint(inverse))
    least = np.linalg.eigvalsh(P + alpha * dP).min()
    assert least == pytest.approx(0.0, abs=1e-9)
    assert scaling.step_length(scaling.diagonal(scaling.point)) == np.inf


@pytest.mark.parametrize("n", [4, 40])
@pytest.mark.parametrize(("shape", "c"), [((7, 1), 1), ((6, 2), 1), ((5, 1), 3), ((3, 2, 2), 2)])
@pytest.mark.parametrize("coupled", [False, True])
@pytest.mark.parametrize("offset", [False, True])
def test_newton_directions_solve_their_equations(n, shape, c, coupled, offset, rng):
    program = CircularProgram.of(rng.standard_normal((n, *shape)), c)
    system = SpectralSystem(program, offset)
    assert system.by_samples == (n == 4)
    P, Q = hermitian_pair(rng, program.n_blocks, shape[-1] + c)
    scaling = HermitianScaling(P, Q, shape[-1])
    values = rng.standard_normal((n, c, c)) if coupled else rng.uniform(0.1, 2.0, (n, c))
    root = CurvatureRoot(values, n)
    r = rng.standard_normal(program.adjoint(np.zeros((n, c))).shape) + 0j
    shift, rho, r_b = rng.standard_normal((n, c)), rng.standard_normal((n, c)), rng.standard_normal(c)
    dw, db, dg = system.factorize(scaling, root)(r, shift, rho, r_b)
    dF = program.forward(dw) + db
    np.testing.assert_allclose(dg, shift + root.times(root.transposed(dF) + rho), atol=1e-7)
    np.testing.assert_allclose(dw, r - scaling.respond(program.adjoint(dg)), atol=1e-7)
    if offset:
        np.testing.assert_allclose(dg.sum(axis=0), r_b, atol=1e-7)
    else:
        assert not db.any()


@pytest.mark.parametrize("shape", [(7, 1), (6, 2), (4, 3, 2)])
def test_forward_and_adjoint(shape, rng):
    program = CircularProgram.of(rng.standard_normal((5, *shape)), 2)
    w = rng.standard_normal((program.n_blocks, shape[-1], 2)) + 1j * rng.standard_normal(
        (program.n_blocks, shape[-1], 2)
    )
    V = rng.standard_normal((5, 2))
    assert np.vdot(program.adjoint(V), w).real == pytest.approx(np.sum(V * program.forward(w)))
    kept = np.array([0, 2])
    np.testing.assert_allclose(program.take(kept).adjoint(V), program.adjoint(V)[kept])
