"""X that is kept as it is (single precision, sparse, mapped, Parquet) trains as the same numbers in a float64 array."""

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp

import neuralgauge as ng
from neuralgauge.features import kinds, parquet
from neuralgauge.features.rows import DenseFeatures
from neuralgauge.features.sparse import SparseFeatures
from neuralgauge.features.streamed import ArrayRows, FileRows, StreamedFeatures
from neuralgauge.solvers.local_search import local_search


@pytest.fixture(autouse=True)
def kept(monkeypatch):
    monkeypatch.setattr(kinds, "CONVERTED", 100)
    monkeypatch.setattr(parquet, "DECODED", 700)


def data(n=400, d=4, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)).astype(np.float32)
    X[rng.random((n, d)) < 0.3] = 0.0
    return X, np.maximum(X @ rng.standard_normal(d), 0.0) + 0.1 * rng.standard_normal(n)


def frame(X, y):
    return pl.DataFrame({f"x{k}": X[:, k] for k in range(X.shape[1])} | {"y": y})


def as_mapped(X, y, folder):
    np.save(folder / "X.npy", X)
    return np.load(folder / "X.npy", mmap_mode="r"), y


def as_path(X, y, folder):
    frame(X, y).write_parquet(folder / "table.parquet", row_group_size=150)
    return folder / "table.parquet", "y"


def in_a_file(X, y, folder):
    path, _ = as_path(X, y, folder)
    rows = ng.ParquetRows(str(path), target="y", memory=100)
    assert isinstance(rows.rows, FileRows)
    return rows, rows.y


FORMS = {
    "float32": lambda X, y, folder: (X, y),
    "mapped": as_mapped,
    "mapped float64": lambda X, y, folder: as_mapped(X.astype(np.float64), y, folder),
    "path": as_path,
    "query": lambda X, y, folder: (frame(X, y).lazy(), ["y"]),
    "file": in_a_file,
    "csr": lambda X, y, folder: (sp.csr_matrix(X.astype(np.float64)), y),
    "coo": lambda X, y, folder: (sp.coo_array(X), y),
}
every_form = pytest.mark.parametrize("form", FORMS)


@every_form
@pytest.mark.parametrize("bias", [True, False])
def test_the_same_problem(form, bias, tmp_path):
    X, y = data()
    kept = ng.TrainingProblem(*FORMS[form](X, y, tmp_path), beta=5.0, bias=bias)
    dense = ng.TrainingProblem(X.astype(np.float64), y, beta=5.0, bias=bias)
    assert not kept.features.resident
    assert (kept.n, kept.d) == (dense.n, dense.d)
    assert kept.features.largest == np.max(np.abs(X))
    assert kept.reach == pytest.approx(dense.reach, rel=1e-12)
    rng = np.random.default_rng(1)
    start = ng.TwoLayerNetwork(rng.standard_normal((kept.d, 6)), rng.standard_normal(6), bias)
    assert kept.objective(start) == pytest.approx(dense.objective(start), rel=1e-12)
    v = -dense.fit.gradient(dense.outputs(start))
    assert np.allclose(kept.scores(v, start.U), dense.scores(v, start.U), rtol=1e-10, atol=0.0)
    found = local_search(kept, start, 30)
    assert dense.objective(found) < dense.objective(start)
    assert dense.objective(found) == pytest.approx(dense.objective(local_search(dense, start, 30)), rel=1e-3)
    assert ng.beta_max(kept) == pytest.approx(ng.beta_max(dense), rel=1e-4)
    assert ng.beta_max(kept) <= ng.beta_max(dense) * (1 + 1e-9)


@every_form
def test_trained_and_certified(form, tmp_path):
    X, y = data()
    kept = ng.TrainingProblem(*FORMS[form](X, y, tmp_path), beta=5.0)
    dense = ng.TrainingProblem(X.astype(np.float64), y, beta=5.0)
    solution = ng.train(kept, gap=1e-2, n_jobs=1)
    assert solution.certificate.scope == "estimated"
    assert solution.certificate.gap <= 1e-2
    assert dense.objective(solution.network) == pytest.approx(solution.certificate.upper, rel=1e-10)
    best = ng.train(dense, gap=1e-4, n_jobs=1)
    assert solution.certificate.lower <= best.certificate.upper * (1 + 1e-9)
    assert solution.certificate.upper >= best.certificate.lower
    again = ng.certify(solution.network, kept, gap=1e-2, n_jobs=1)
    assert again.upper <= solution.certificate.upper * (1 + 1e-9)
    pruned = ng.prune(solution.network, kept)
    assert pruned.after <= pruned.before * (1 + 1e-9)


@pytest.mark.parametrize(("loss", "c"), [("squared", 2), ("hinge", 1), ("softmax", 3)])
def test_losses_and_outputs_without_smoothed_rounds(loss, c):
    X, y = data()
    targets = {"squared": np.column_stack([y, -y]), "hinge": np.sign(y - 0.5), "softmax": np.digitize(y, [0.0, 0.5])}
    dense = ng.TrainingProblem(X.astype(np.float64), targets[loss], beta=10.0, loss=loss)
    kept = ng.TrainingProblem(X, targets[loss], beta=10.0, loss=loss)
    solution = ng.train(kept, gap=5e-2, time_limit=60.0, n_jobs=1)
    best = ng.train(dense, gap=1e-2, n_jobs=1)
    assert dense.objective(solution.network) == pytest.approx(solution.certificate.upper, rel=1e-10)
    assert solution.certificate.upper <= 1.1 * best.certificate.upper
    assert solution.certificate.lower <= best.certificate.upper


def test_a_path_of_penalties():
    X, y = data()
    path = ng.relu_path(ng.TrainingProblem(sp.csr_array(X), y, beta=1.0), 3, 0.2, gap=2e-2, n_jobs=1)
    assert len(path) == 3
    assert path.status is ng.Status.SOLVED


def test_what_becomes_an_array(tmp_path, monkeypatch):
    X, y = data(20)
    monkeypatch.setattr(kinds, "CONVERTED", 80)
    for form in ("float32", "path", "query", "file"):
        problem = ng.TrainingProblem(*FORMS[form](X, y, tmp_path), beta=1.0)
        assert isinstance(problem.features, DenseFeatures)
        assert np.array_equal(problem.X[:, :-1], X.astype(np.float64))
    assert isinstance(ng.TrainingProblem(sp.csr_array(X), y, beta=1.0).features, SparseFeatures)
    assert isinstance(ng.TrainingProblem(X.astype(np.float64), y, beta=1.0).features, DenseFeatures)


def test_nothing_is_copied(tmp_path):
    X, y = data()
    mapped, _ = as_mapped(X, y, tmp_path)
    assert np.shares_memory(ng.TrainingProblem(mapped, y, beta=1.0).features.source.X, mapped)
    assert np.shares_memory(ng.TrainingProblem(X, y, beta=1.0).features.source.X, X)
    sparse = sp.csr_array(X)
    assert np.shares_memory(ng.TrainingProblem(sparse, y, beta=1.0).features.X.data, sparse.data)


def test_what_needs_rows_whole_says_so():
    X, y = data()
    problem = ng.TrainingProblem(X, y, beta=5.0)
    for call in (lambda: problem.X, lambda: ng.train(problem, prove=True, time_limit=5.0)):
        with pytest.raises(ng.InvalidInputError, match="all rows of X at once"):
            call()
    with pytest.raises(ng.InvalidInputError, match="whole in memory as float64 for a relaxation"):
        ng.prove_bound(problem)
    network = ng.TwoLayerNetwork(np.eye(5), np.ones(5))
    with pytest.raises(ng.InvalidInputError, match="`width` needs the rows of X whole in memory, got 5 neurons"):
        ng.prune(network, problem, 2)


@pytest.mark.parametrize("form", ["float32", "mapped", "path", "query", "file", "csr"])
def test_a_value_that_is_not_finite(form, tmp_path):
    X, y = data()
    X[250, 2] = np.nan
    column = "'x2'" if form in ("path", "query", "file") else "2"
    with pytest.raises(ng.InvalidInputError, match=rf"must be finite, got nan in row 250, column {column}"):
        ng.TrainingProblem(*FORMS[form](X, y, tmp_path), beta=1.0)


def test_entries_out_of_range():
    X, y = data()
    X = X.astype(np.float64)
    X[3, 1] = 1e70
    with pytest.raises(ng.InvalidInputError, match="choose other units"):
        ng.TrainingProblem(sp.csr_array(X), y, beta=1.0)


def test_bad_sparse_matrices():
    with pytest.raises(ng.InvalidInputError, match="must hold real numbers, got a sparse matrix of complex128"):
        ng.TrainingProblem(sp.csr_array(np.eye(3) * 1j), np.ones(3), beta=1.0)
    with pytest.raises(ng.InvalidInputError, match=r"none empty, got shape \(0, 3\)"):
        ng.TrainingProblem(sp.csr_array((0, 3)), np.ones(0), beta=1.0)


def test_repeated_entries_of_a_sparse_matrix_add_up():
    rows, columns, values = [0, 0, 1], [1, 1, 0], [1.0, 2.0, 5.0]
    given = sp.coo_array((values, (rows, columns)), shape=(2, 2))
    problem = ng.TrainingProblem(given, [1.0, 2.0], beta=1.0, bias=False)
    assert problem.features.gathered(slice(0, 2)).tolist() == [[0.0, 3.0], [5.0, 0.0]]
    assert given.data.tolist() == values


def test_integers_in_a_mapped_file(tmp_path):
    X = np.arange(60).reshape(20, 3)
    mapped, y = as_mapped(X, np.ones(20), tmp_path)
    problem = ng.TrainingProblem(mapped, y, beta=1.0)
    assert isinstance(problem.features, StreamedFeatures)
    assert isinstance(problem.features.source, ArrayRows)
    assert np.array_equal(problem.features.gathered(slice(0, 20))[:, :3], X)
