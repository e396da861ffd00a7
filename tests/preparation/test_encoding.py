"""Columns of any kind: what they become, against numbers written by hand and scikit-learn's encoders."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import neuralgauge as ng
from neuralgauge.preparation.cells import date_format, parsed
from neuralgauge.preparation.encoding import ColumnCode, learned


def test_categories_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    kinds = rng.choice(["a", "b", "c", "d", "e"], p=[0.5, 0.3, 0.19, 0.005, 0.005], size=1000)
    theirs = OneHotEncoder(min_frequency=10, handle_unknown="infrequent_if_exist", sparse_output=False)
    expected = theirs.fit_transform(kinds[:, None])
    encoder = ng.TableEncoder().fit({"kind": kinds})
    np.testing.assert_array_equal(encoder.transform({"kind": kinds}), expected)
    assert encoder.get_feature_names_out().tolist() == ["kind = a", "kind = b", "kind = c", "kind is rare"]
    assert encoder.describe() == {"kind": "5 levels, 2 rare ones joined: 4 columns of 0 and 1"}
    with pytest.warns(ng.UnknownLevelWarning, match="'z': they count as rare ones"):
        found = encoder.transform({"kind": ["a", "z", "e"]})
    np.testing.assert_array_equal(found, [[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 1]])


def test_gaps_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    x = np.where(rng.random(50) < 0.2, np.nan, rng.standard_normal(50))
    expected = SimpleImputer(strategy="median", add_indicator=True).fit_transform(x[:, None])
    for table in ({"x": x}, pd.DataFrame({"x": x}), pl.DataFrame({"x": x}), {"x": [str(v) for v in x]}):
        np.testing.assert_array_equal(ng.TableEncoder().fit_transform(table), expected)


def test_gaps_where_there_were_none_take_the_median_and_warn():
    encoder = ng.TableEncoder().fit({"x": [1.0, 2.0, 9.0], "kind": ["a", "b", "a"]})
    with pytest.warns(ng.UnknownLevelWarning, match="'x' has no value in 1 rows"):
        assert encoder.transform({"x": [None, 3.0], "kind": ["a", None]}).tolist() == [[2.0, 0.0], [3.0, 0.0]]


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1,5", "2", "-3,25"], [1.5, 2.0, -3.25]),
        (["1.234,5", "12.345.678,0"], [1234.5, 12345678.0]),
        (["1.5", "2,5"], [1.5, 2.5]),
        (["true", "False"], [1.0, 0.0]),
        (["1e3", " 2 "], [1000.0, 2.0]),
    ],
)
def test_text_that_is_a_number(cells, values):
    missing, found = parsed(pl.Series(cells))
    assert found.to_list() == values
    assert not missing.any()
    assert learned("x", pl.Series(cells)).is_plain


@pytest.mark.parametrize(
    ("cells", "form"),
    [
        (["2020-01-31", "2021-12-01"], "%Y-%m-%d"),
        (["31.01.2020", "01.12.2021"], "%d.%m.%Y"),
        (["01/31/2020", "12/01/2021"], "%m/%d/%Y"),
        (["31/01/2020", "01/12/2021"], "%d/%m/%Y"),
        (["2020-01-31 08:30", "2021-12-01 09:00"], "%Y-%m-%d %H:%M"),
        (["2020-01-31", "soon"], ""),
        (["1-2", "3-4"], ""),
    ],
)
def test_dates_in_text(cells, form):
    assert date_format(pl.Series(cells)) == form


def test_dates_become_days_and_the_periods_that_they_span():
    days = [dt.date(2020, 1, 1) + dt.timedelta(days=k) for k in range(0, 800, 10)]
    encoder = ng.TableEncoder().fit({"on": days})
    found = encoder.transform({"on": days})
    assert encoder.get_feature_names_out().tolist() == [
        "on",
        "on cosine of the year",
        "on sine of the year",
        "on cosine of the week",
        "on sine of the week",
    ]
    expected = np.array([(day - dt.date(1970, 1, 1)).days for day in days])
    np.testing.assert_array_equal(found[:, 0], expected)
    np.testing.assert_allclose(found[:, 3], np.cos(2 * np.pi * expected / 7), atol=1e-9)
    text = ng.TableEncoder().fit({"on": [day.strftime("%d.%m.%Y") for day in days]})
    np.testing.assert_array_equal(text.transform({"on": [day.strftime("%d.%m.%Y") for day in days]}), found)
    with pytest.raises(ng.InvalidInputError, match=r"'on' must hold dates like those of %d\.%m\.%Y, got '2020-01-01'"):
        text.transform({"on": ["2020-01-01"]})


def test_what_is_left_out_is_said():
    table = {
        "name": [f"customer {k}" for k in range(20)],
        "one": ["x"] * 20,
        "nothing": [None] * 20,
        "kind": ["a", "b"] * 10,
    }
    encoder = ng.TableEncoder().fit(table)
    assert encoder.get_feature_names_out().tolist() == ["kind = b"]
    said = encoder.describe()
    assert said["name"] == "left out: its text differs in every row, as names and numbers of rows do"
    assert said["one"] == "left out: it has one value"
    assert said["nothing"] == "left out: it has no values"
    with pytest.raises(ng.InvalidInputError, match="must have the column 'kind'"):
        encoder.transform({"name": ["a"]})
    only = ng.TableEncoder().fit({"one": ["x"] * 20})
    with pytest.raises(ng.InvalidInputError, match="no column left"):
        only.transform({"one": ["x"]})


def test_a_stray_word_among_numbers_is_named():
    encoder = ng.TableEncoder().fit({"x": ["1", "2", "three", "4"]})
    with pytest.raises(ng.InvalidInputError, match="'x' must hold numbers, got 'three' in row 2"):
        encoder.transform({"x": ["1", "2", "three", "4"]})


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, dict])
def test_tables_of_three_libraries_and_a_pipeline(make):
    rng = np.random.default_rng(0)
    size, kind = rng.uniform(20, 200, 90), rng.choice(["flat", "house", "loft"], 90)
    y = 1000.0 * size + 3e4 * (kind == "loft")
    table = make({"size": size, "kind": kind.tolist(), "lift": rng.random(90) < 0.5})
    model = make_pipeline(ng.TableEncoder(), ng.ReLURegressor(gap=1e-2)).fit(table, y)
    assert model.score(table, y) > 0.99
    assert model[0].get_feature_names_out().tolist() == ["size", "kind = flat", "kind = house", "kind = loft", "lift"]


def test_arrays_and_empty_tables():
    array = np.array([["a", "1"], ["b", "2"], ["a", "3"]], dtype=object)
    assert ng.TableEncoder().fit_transform(array).tolist() == [[0, 1], [1, 2], [0, 3]]
    with pytest.raises(ng.InvalidInputError, match="must have rows and columns"):
        ng.TableEncoder().fit({"x": []})
    with pytest.raises(ng.InvalidInputError, match="of shape"):
        ng.TableEncoder().fit([1, 2])
    with pytest.raises(ng.InvalidInputError, match="must be finite, got nan"):
        ColumnCode("x", "number", fill=float("nan"))


def test_categories_of_polars_are_their_text():
    colours, sizes = ["red", "blue", "red", "green", "blue", "red"], ["1", "2", "1", "2", "3", "1"]
    as_text = {"colour": colours, "size": sizes}
    kinds = {"colour": pl.Enum(["blue", "green", "red"]), "size": pl.Categorical}
    as_categories = pl.DataFrame({name: pl.Series(values, dtype=kinds[name]) for name, values in as_text.items()})
    encoder, same = ng.TableEncoder().fit(as_categories), ng.TableEncoder().fit(as_text)
    assert encoder.describe() == same.describe()
    np.testing.assert_array_equal(encoder.transform(as_categories), same.transform(as_text))
