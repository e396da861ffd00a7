"""Queries that SQLite runs give the predictions of the model."""

import sqlite3

import numpy as np
import pytest
from code_models import HOSTILE, MODELS, network, rows_of, sizes, wanted

import neuralgauge as ng
from neuralgauge.formulas.sql import constant, identifier


def database(columns, rows, table="t"):
    connection = sqlite3.connect(":memory:")
    for name, function in (("exp", np.exp), ("ln", np.log)):  # which not every build has
        connection.create_function(name, 1, lambda x, f=function: None if x is None else float(f(x)))
    listed = ", ".join(f"{identifier(name)}" for name in columns)
    connection.execute(f"CREATE TABLE {identifier(table)} ({listed})")
    marks = ", ".join("?" * len(columns))
    connection.executemany(f"INSERT INTO {identifier(table)} VALUES ({marks})", [tuple(row) for row in rows])
    return connection


def columns_of(model):
    return model.feature_names or [f"x{k + 1}" for k in range(model.network.n_features)]


def run(code, columns, rows, table="t"):
    cursor = database(columns, rows, table).execute(code)
    return [one[0] for one in cursor.description], cursor.fetchall()


def test_equals_the_model(model):
    X = rows_of(model)
    names, found = run(ng.to_sql(model, "t", keep=()), columns_of(model), X.tolist())
    values = np.array([row[1:] if model.classes else row for row in found], dtype=float)
    right = wanted(model, X)
    relative = np.max(np.abs(right)) if model.loss == "poisson" else 1.0
    assert np.abs(values - right).max() <= 1e-13 * sizes(model, X) * relative
    assert names[0] == ("prediction_u" if "u" in model.target_names else "prediction")
    if model.classes:
        assert [row[0] for row in found] == model.predict(X).tolist()


def test_integers_are_not_divided_and_keys_are_kept():
    net = ng.TwoLayerNetwork([[0.5], [0.25]], [1.0])
    names, found = run(ng.to_sql(net, "t", keep=["id"], feature_names=["x"]), ["id", "x"], [("a", 1), ("b", 3)])
    assert (names, found) == (["id", "prediction"], [("a", 0.75), ("b", 1.75)])


def test_columns_that_are_read_are_kept_by_default():
    model = MODELS["names"]
    X = rows_of(model, 3)
    names, found = run(ng.to_sql(model, 'it"s'), HOSTILE, X.tolist(), 'it"s')
    assert names == [*HOSTILE, "prediction"]
    assert np.array_equal(np.array(found)[:, :-1], X)


@pytest.mark.parametrize("name", ["one feature", "no neurons", "counts", "two classes", "softmax", "apart", "margins"])
def test_null_gives_null(name):
    model = MODELS[name]
    (row,) = rows_of(model, 1).tolist()
    for k in range(len(row)):
        _, found = run(ng.to_sql(model, "t", keep=()), columns_of(model), [[*row[:k], None, *row[k + 1 :]]])
        assert set(found[0]) == {None}


def test_text_gaps_and_levels(encoded, table):
    columns, _ = table
    rows = [
        [None if isinstance(cell, float) and cell != cell else cell for cell in row]
        for row in zip(*columns.values(), strict=True)
    ]
    _, found = run(ng.to_sql(encoded, "t", keep=()), list(columns), rows)
    assert np.allclose(np.array(found)[:, 0], encoded.predict(columns), rtol=1e-12)


def test_many_columns_and_neurons_stay_within_the_depth_of_expressions():
    rng = np.random.default_rng(0)
    net = network(rng, 1200, 3, 1)
    X = rng.standard_normal((2, 1200))
    _, found = run(ng.to_sql(net, "t", keep=()), [f"x{k + 1}" for k in range(1200)], X.tolist())
    assert np.allclose(np.array(found)[:, 0], net.predict(X), rtol=1e-11, atol=1e-10)
    wide = network(rng, 1, 1500, 1)
    _, found = run(ng.to_sql(wide, "t", keep=()), ["x1"], [[0.3]])
    assert found[0][0] == pytest.approx(wide.predict([[0.3]])[0], rel=1e-9, abs=1e-9)


def test_large_scores_do_not_overflow():
    model = MODELS["softmax"]
    X = 1e6 * rows_of(model)
    _, found = run(ng.to_sql(model, "t", keep=()), columns_of(model), X.tolist())
    assert np.allclose(np.array([row[1:] for row in found]), model.predict_proba(X), atol=1e-12)


def test_helper_columns_do_not_meet_those_of_the_table():
    net = ng.TwoLayerNetwork([[1.0], [1.0], [0.0]], [1.0])
    code = ng.to_sql(net, "t", keep=["_H1"], feature_names=["_h1", "__x"])
    _, found = run(code, ["_h1", "__x"], [[2.0, 3.0]])
    assert found == [(2.0, 5.0)]


def test_literals():
    assert identifier('a"b') == '"a""b"'
    assert [constant(one) for one in ("it's", True, 3, 0.5)] == ["'it''s'", "TRUE", "3", "0.5"]


@pytest.mark.parametrize("name", ["a\\b", "a\nb", "a\x00b"])
def test_names_that_databases_read_differently_are_refused(name):
    net = ng.TwoLayerNetwork([[1.0], [0.0]], [1.0])
    with pytest.raises(ng.InvalidInputError, match="no backslash"):
        ng.to_sql(net, "t", feature_names=[name])
    with pytest.raises(ng.InvalidInputError, match="no backslash"):
        ng.to_sql(net, name)


def test_refusals():
    net = ng.TwoLayerNetwork([[1.0], [0.0]], [1.0])
    with pytest.raises(ng.InvalidInputError, match="has a column 'prediction' already"):
        ng.to_sql(net, "t", feature_names=["Prediction"])
    with pytest.raises(ng.InvalidInputError, match="`keep` must be different"):
        ng.to_sql(net, "t", keep=["a", "a"])
    with pytest.raises(ng.InvalidInputError, match="`digits`"):
        ng.to_sql(net, "t", digits=99)


def test_dates_are_refused():
    from neuralgauge.preparation.encoding import ColumnCode

    model = MODELS["one feature"]
    dated = ng.SavedModel(**{**vars(model), "feature_names": ("day",), "encoding": (ColumnCode("day", "date"),)})
    for write in (lambda: ng.to_sql(dated, "t"), lambda: ng.to_excel(dated)):
        with pytest.raises(ng.InvalidInputError, match="'day'"):
            write()
