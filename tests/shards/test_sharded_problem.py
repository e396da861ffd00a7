"""Rows in shards against the same rows in memory."""

import numpy as np
import pytest

import neuralgauge as ng
from neuralgauge.certificate import lower_bound
from neuralgauge.shards import shards as shards_module

da = pytest.importorskip("dask.array")
dd = pytest.importorskip("dask.dataframe")

N, D = 900, 4
LOSSES = ["squared", "logistic", "softmax", "huber", "poisson"]


def data(loss, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((N, D))
    f = np.sin(2.0 * X[:, 0]) + X[:, 1]
    targets = {"logistic": np.sign(f), "softmax": np.digitize(f, [-1.0, 1.0]), "poisson": np.floor(np.abs(f))}
    return X, np.asarray(targets.get(loss, f), dtype=float), rng.uniform(0.5, 2.0, N)


def pair(loss, client, chunks=(170, 3)):
    """The problem in memory, and in shards of uneven sizes."""
    X, y, weight = data(loss)
    terms = {"beta": 3.0, "loss": loss}
    sharded = ng.TrainingProblem(da.from_array(X, chunks=chunks), y, sample_weight=weight, **terms)
    return ng.TrainingProblem(X, y, sample_weight=weight, **terms), sharded


def network(problem, m=6, seed=1):
    rng = np.random.default_rng(seed)
    return ng.TwoLayerNetwork(rng.standard_normal((problem.d, m)), 0.3 * rng.standard_normal((m, problem.c)))


@pytest.mark.parametrize("loss", LOSSES)
def test_objective_and_dual_points_are_those_of_rows_in_memory(loss, client):
    whole, sharded = pair(loss, client)
    assert (sharded.n, sharded.d, sharded.c, sharded.q) == (whole.n, whole.d, whole.c, whole.q)
    assert len(sharded.features.shards.sizes) > 1
    given = network(whole)
    assert sharded.objective(given) == pytest.approx(whole.objective(given), rel=1e-12)
    v = whole.fit.project(-whole.fit.gradient(whole.outputs(given)))
    found = sharded.fit.project(-sharded.fit.gradient(sharded.outputs(given)))
    np.testing.assert_allclose(np.asarray(found), v, rtol=1e-12, atol=1e-12)
    assert sharded.attained(found, given) == pytest.approx(whole.attained(v, given), rel=1e-12)
    np.testing.assert_allclose(np.asarray(sharded.fit.empty_dual), whole.fit.empty_dual)
    assert sharded.fit.dual_objective(found) == pytest.approx(whole.fit.dual_objective(v), rel=1e-12)
    assert sharded.reach == whole.reach


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("polar", [1.0, 300.0])
def test_lower_bounds_are_those_of_rows_in_memory(loss, polar, client):
    whole, sharded = pair(loss, client)
    given = network(whole)
    v = whole.fit.project(-whole.fit.gradient(whole.outputs(given)))
    expected = lower_bound(whole, v, polar)
    found = lower_bound(sharded, da.from_array(v, chunks=(400, *v.shape[1:])), polar)
    assert found == pytest.approx(expected, rel=1e-9)


def test_the_row_space_is_that_of_all_shards(client):
    whole, sharded = pair("squared", client)
    np.testing.assert_allclose(sharded.features.span.stretch, whole.features.span.stretch, rtol=1e-10)


def test_rows_are_taken_out_in_order(client):
    whole, sharded = pair("squared", client)
    chosen = np.array([0, 5, 169, 170, 171, 600, N - 1])
    np.testing.assert_array_equal(sharded.features.dense_part(chosen).X, whole.X[chosen])


@pytest.mark.parametrize("loss", ["squared", "softmax"])
def test_a_part_is_a_problem_in_memory(loss, client):
    whole, sharded = pair(loss, client)
    chosen = np.array([3, 170, 500, 501, N - 1])
    given = network(whole)
    assert sharded.part(chosen).features.resident
    assert sharded.part(chosen).objective(given) == pytest.approx(whole.part(chosen).objective(given), rel=1e-12)


@pytest.mark.parametrize("loss", ["squared", "softmax"])
def test_beta_max_is_searched_on_the_workers(loss, client):
    whole, sharded = pair(loss, client)
    assert ng.beta_max(sharded) == pytest.approx(ng.beta_max(whole), rel=1e-3)


def test_a_wide_table_is_searched_by_its_own_sample(client, monkeypatch):
    monkeypatch.setattr("neuralgauge.pricing.streamed.DENSE_COLUMNS", 1)
    whole, sharded = pair("squared", client)
    assert ng.beta_max(sharded) == pytest.approx(ng.beta_max(whole), rel=1e-2)


def test_neurons_of_one_ray_are_joined(client):
    whole, sharded = pair("squared", client)
    given = network(whole)
    doubled = given.join(given)
    pruned = ng.prune(doubled, sharded).network
    assert pruned.n_neurons == given.n_neurons
    assert sharded.objective(pruned) <= whole.objective(doubled)


def test_few_shards_whatever_the_blocks(client):
    X, y, _ = data("squared")
    problem = ng.TrainingProblem(da.from_array(X, chunks=(20, D)), y, beta=1.0)
    assert len(problem.features.shards.sizes) <= shards_module.PER_THREAD * 2
    assert problem.objective(problem.empty_network()) == pytest.approx(0.5 * float(y @ y))


def test_tables_are_taken_by_their_partitions(client):
    pd = pytest.importorskip("pandas")
    X, y, weight = data("squared")
    table = dd.from_pandas(pd.DataFrame({**{f"x{k}": X[:, k] for k in range(D)}, "y": y, "w": weight}), npartitions=3)
    problem = ng.TrainingProblem(table[[f"x{k}" for k in range(D)]], table["y"], beta=3.0, sample_weight=table["w"])
    whole = ng.TrainingProblem(X, y, beta=3.0, sample_weight=weight)
    given = network(whole)
    assert problem.objective(given) == pytest.approx(whole.objective(given), rel=1e-12)


def test_labels_that_some_shards_lack(client):
    X, _, _ = data("softmax")
    labels = np.sort(np.arange(N) % 4).astype(float)
    sharded = ng.TrainingProblem(
        da.from_array(X, chunks=(N // 6, D)), da.from_array(labels, chunks=100), beta=1.0, loss="softmax"
    )
    whole = ng.TrainingProblem(X, labels, beta=1.0, loss="softmax")
    assert sharded.c == 4
    assert sharded.objective(network(whole)) == pytest.approx(whole.objective(network(whole)), rel=1e-12)


def one_chunk(values):
    return da.from_array(values, chunks=(100, *values.shape[1:]))


def test_wrong_values_are_named_with_their_shard(client):
    X, y, _ = data("squared")
    X[450, 2] = np.nan
    with pytest.raises(ng.InvalidInputError, match=r"in the shard that begins with block \d of X.*must be finite"):
        ng.TrainingProblem(one_chunk(X), y, beta=1.0)
    with pytest.raises(ng.InvalidInputError, match=r"must be -1 or \+1"):
        ng.TrainingProblem(one_chunk(data("squared")[0]), y, beta=1.0, loss="logistic")


def test_wrong_shapes_are_refused(client):
    X, y, _ = data("squared")
    rows = one_chunk(X)
    with pytest.raises(ng.InvalidInputError, match="one entry per row of X"):
        ng.TrainingProblem(rows, y[:-1], beta=1.0)
    with pytest.raises(ng.InvalidInputError, match="one entry per row of X"):
        ng.TrainingProblem(rows, one_chunk(y[:-1]), beta=1.0)
    with pytest.raises(ng.InvalidInputError, match="two dimensions"):
        ng.TrainingProblem(rows[:, 0], y, beta=1.0)
    unknown = rows[rows[:, 0] > -9.0]
    with pytest.raises(ng.InvalidInputError, match="must come from the same table"):
        ng.TrainingProblem(unknown, y, beta=1.0)
    with pytest.raises(ng.InvalidInputError, match="must have the blocks of X"):
        ng.TrainingProblem(unknown, da.from_array(y, chunks=300), beta=1.0)


def test_blocks_of_unknown_lengths_are_taken_together(client):
    X, y, _ = data("squared")
    rows, kept = one_chunk(X), X[:, 0] > 0.0
    problem = ng.TrainingProblem(rows[rows[:, 0] > 0.0], one_chunk(y)[rows[:, 0] > 0.0], beta=1.0)
    assert problem.n == kept.sum()
    assert problem.objective(problem.empty_network()) == pytest.approx(0.5 * float(y[kept] @ y[kept]))


def test_what_needs_rows_in_memory_says_so(client):
    _, sharded = pair("squared", client)
    with pytest.raises(ng.InvalidInputError, match=r"X\.compute\(\)"):
        sharded.features.dense()
    with pytest.raises(ng.InvalidInputError, match="offset=True"):
        ng.TrainingProblem(one_chunk(data("squared")[0]), data("squared")[1], beta=1.0, offset=True)


def test_no_cluster_is_said(monkeypatch):
    X, y, _ = data("squared")
    monkeypatch.setattr("distributed.default_client", no_client)
    with pytest.raises(ng.InvalidInputError, match=r"distributed\.Client\(\)"):
        ng.TrainingProblem(one_chunk(X), y, beta=1.0)
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(ng.InvalidInputError, match=r"neuralgauge\[dask\]"):
        ng.TrainingProblem(one_chunk(X), y, beta=1.0)


def no_client():
    raise ValueError("No clients found")
