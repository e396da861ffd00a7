"""The table of the data: ranges and histograms of numbers, and columns of any kind as they were before encoding."""

import warnings

import numpy as np
import polars as pl
import pytest

import neuralgauge as ng
from neuralgauge.preparation.encoding import learned
from neuralgauge.reporting.data import column_rows, of_cells, of_numbers
from neuralgauge.reporting.subject import Subject

pytest.importorskip("jinja2")


@pytest.mark.parametrize(
    ("values", "kind", "missing", "ends"),
    [
        ([1.0, 2.0, 4.0, np.nan], "whole", 1, ("1", "2", "4")),
        ([0.5, 0.25, 3.0], "numbers", 0, ("0.25", "0.5", "3")),
        ([0.0, 1.0, 1.0], "two values", 0, ("0", "1", "1")),
        ([7.0, 7.0], "constant", 0, ("7", "7", "7")),
        ([np.nan], "empty", 1, ("–", "–", "–")),
    ],
)
def test_numbers(values, kind, missing, ends):
    row = of_numbers("a", np.array(values))
    assert (row.kind, row.missing, (row.low, row.median, row.high)) == (kind, missing, ends)
    assert bool(row.histogram) == (len(set(values)) > 1)


def test_cells_of_any_kind():
    size = pl.Series("size", ["1,5", "NA", "2,5"])
    row = of_cells(learned("size", size), size)
    assert (row.missing, row.low, row.high) == (1, "1.5", "2.5")
    assert row.kind == learned("size", size).said
    built = pl.Series("built", ["2001-05-01", "2010-01-31", None, "2005-01-31"])
    row = of_cells(learned("built", built), built)
    assert (row.missing, row.low, row.median, row.high) == (1, "2001-05-01", "2005-01-31", "2010-01-31")
    kind = pl.Series("kind", ["old", "new", "old", ""])
    row = of_cells(learned("kind", kind), kind)
    assert (row.missing, row.low) == (1, "–")
    assert row.histogram.count("Z") == 2


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "size": [None, *rng.normal(50.0, 9.0, 39).tolist()],
            "kind": rng.choice(["old", "new", "<b>"], 40),
            "id": [f"x{k}" for k in range(40)],
        }
    )


def test_a_pipeline_with_an_encoder_shows_the_table_before_it(table):
    from sklearn.pipeline import make_pipeline

    y = table["size"].fill_null(50.0).to_numpy()
    model = make_pipeline(ng.TableEncoder(), ng.ReLURegressor(beta=5.0, gap=0.5)).fit(table, y)
    rows = column_rows(Subject.of(model, table, y, None, "price", None))
    assert [(row.name, row.missing) for row in rows] == [("price", 0), ("size", 1), ("kind", 0), ("id", 0)]
    assert [row.kind for row in rows[1:]] == list(model[0].describe().values())
    page = ng.report(model, table, y).html
    assert "kind = &lt;b&gt;" in page
    assert "left out" in page
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ng.report(model, table, y).html == page
