"""Newton systems of gated programs: against matrices that are formed whole."""

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.programs.block import BlockProgram
from neuralgauge.solvers import _gated_system, _scaled_rows
from neuralgauge.solvers._gated_system import Active, GatedSystem, cholesky_solve
from neuralgauge.solvers._scaled_rows import Grams, ScaledRows


def rows_of(n, d, m, **options):
    rng = np.random.default_rng(1)
    problem = ng.TrainingProblem(rng.standard_normal((n, d - 1)), rng.standard_normal(n), beta=1.0, **options)
    gates = rng.random((m, n)) < 0.5
    return ScaledRows.of(BlockProgram(problem, gates, rng.choice([-1.0, 1.0], (m, 1)), cones=False))


def columns(rows, blocks):
    """A of some blocks, (n, k d), whole."""
    return np.hstack([rows.gates[i][:, None] * rows.design for i in blocks])


def active_of(rows, blocks, seed):
    rng = np.random.default_rng(seed)
    k, d = len(blocks), rows.design.shape[1]
    u = rng.standard_normal((k, d))
    a = rng.uniform(0.01, 2.0, k)
    u /= np.linalg.norm(u, axis=1)[:, None]
    return Active(np.asarray(blocks), rows.gates[blocks], a, a + rng.uniform(0.0, 30.0, k), u)


def matrix(rows, active):
    M = np.zeros((active.u.size, active.u.size))
    for i, (a, b, u) in enumerate(zip(active.a, active.b, active.u, strict=True)):
        part = slice(i * len(u), (i + 1) * len(u))
        M[part, part] = a * (np.eye(len(u)) - np.outer(u, u)) + b * np.outer(u, u)
    A = columns(rows, active.blocks)
    return np.eye(len(rows.y)) + A @ M @ A.T


@pytest.mark.parametrize("offset", [False, True])
@pytest.mark.parametrize("blocks", [[0, 3], list(range(12))])  # factors of the order of the blocks, of the samples
@pytest.mark.parametrize("single", [1, 10**6])
def test_solves_the_system(monkeypatch, offset, blocks, single):
    monkeypatch.setattr(_scaled_rows, "SINGLE_ORDER", single)
    monkeypatch.setattr(_gated_system, "FORCING", 1e-9)
    rows = rows_of(40, 5, 15, offset=offset, sample_weight=np.linspace(0.5, 2.0, 40))
    system = GatedSystem(rows)
    for seed, chosen in ((0, blocks), (1, blocks), (2, [*blocks[1:], 13]), (3, [14])):  # a factor may be of before
        active = active_of(rows, chosen, seed)
        r = rows.projected(np.random.default_rng(seed).standard_normal(40))
        P = matrix(rows, active)
        if offset:
            bordered = np.block([[P, rows.e[:, None]], [rows.e[None], np.zeros((1, 1))]])
            expected = np.linalg.solve(bordered, np.append(r, 0.0))[:-1]
        else:
            expected = np.linalg.solve(P, r)
        found = system.solve(active, r)
        assert np.linalg.norm(found - expected) <= 1e-6 * np.linalg.norm(expected)


def test_without_active_blocks_nothing_is_solved():
    rows = rows_of(10, 3, 4)
    r = np.arange(10.0)
    assert np.array_equal(GatedSystem(rows).solve(active_of(rows, [], 0), r), r)


def test_grams_are_kept_until_there_is_no_room(monkeypatch):
    monkeypatch.setattr(_scaled_rows, "COLUMN_ENTRIES", 1)
    rows = rows_of(40, 4, 12)
    grams = Grams(rows)
    for blocks in ([3], [5, 3, 0], [0, 7], [11, 10, 9, 8], [0, 11, 3, 5, 1]):
        A = columns(rows, blocks)
        found = grams.of(np.asarray(blocks), rows.gates[blocks])
        assert np.allclose(found.reshape(A.shape[1], -1), A.T @ A, atol=1e-12)
        assert len(grams.held) <= 5


def test_single_precision_gives_way_to_double(monkeypatch):
    K = np.diag([1.0, 2.0])
    assert np.allclose(cholesky_solve(K.astype(np.float32))(np.ones(2)), [1.0, 0.5])
    monkeypatch.setattr(_gated_system.lapack, "spotrf", lambda K, **_: (K, 1))
    assert np.allclose(cholesky_solve(K.astype(np.float32))(np.ones(2)), [1.0, 0.5])
    with pytest.raises(np.linalg.LinAlgError):
        cholesky_solve(-K)
