"""Ten tables as they come: trained, certified and predicted in one command each, and what was done is said and kept."""

import gzip

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.datasets import load_diabetes, load_iris, load_wine

from neuralgauge.interchange import load_model

QUICK = ("--gap", "0.1", "--quiet")


def drawn(n=120):
    rng = np.random.default_rng(0)
    size, kind = rng.uniform(20.0, 200.0, n), rng.choice(["flat", "house", "loft"], n, p=[0.5, 0.4, 0.1])
    days = pd.Timestamp("2019-01-01") + pd.to_timedelta(rng.integers(0, 1200, n), unit="D")
    price = 1000.0 * size + 3e4 * (kind == "loft") + 20.0 * (days - pd.Timestamp("2019-01-01")).days
    return pd.DataFrame({"size": size.round(1), "kind": kind, "sold": days, "price": price.round(0)})


def categories():
    return drawn().drop(columns="sold").to_csv(index=False).encode()


def gaps():
    table = drawn().drop(columns="sold")
    table.loc[::7, "size"] = np.nan
    table.loc[::11, "kind"] = None
    return table.to_csv(index=False, na_rep="NA").encode()


def dates():
    return drawn().to_csv(index=False, date_format="%d.%m.%Y").encode()


def decimal_commas():
    return drawn().drop(columns="sold").to_csv(index=False, sep=";", decimal=",").encode()


def packed():
    return gzip.compress(categories())


def with_mark():
    return b"\xef\xbb\xbf" + categories()


def latin():
    table = drawn().drop(columns="sold").replace({"kind": {"loft": "Dachgeschoß", "flat": "Gewölbe"}})
    return table.to_csv(index=False).encode("cp1252")


def excel():
    text = "sep=;\r\n" + drawn().drop(columns="sold").to_csv(index=False, sep=";", decimal=",", lineterminator="\r\n")
    return text.encode("utf-16")


def identifiers():
    table = drawn()
    table["sold"] = table["sold"].dt.strftime("%Y-%m-%d %H:%M")
    table.insert(0, "customer", [f"C-{k}" for k in range(len(table))])
    table["country"], table["lift"] = "NL", np.arange(len(table)) % 3 == 0
    return table.to_csv(index=False, sep="\t").encode()


def many_levels():
    table = drawn().drop(columns="sold")
    table["street"] = [f"street {k % 57}" if k % 2 else "high street" for k in range(len(table))]
    return table.to_csv(index=False).encode()


TABLES = [categories, gaps, dates, decimal_commas, packed, with_mark, latin, excel, identifiers, many_levels]


@pytest.mark.parametrize("content", TABLES, ids=lambda content: content.__name__)
def test_one_command_each(run, tmp_path, content):
    (tmp_path / "t.csv").write_bytes(content())
    trained = run("train", "t.csv", "--target", "price", "--output", "m", "--json", *QUICK)
    assert trained.code == 0, trained.err
    assert trained.json["training_score"]["r2"] > 0.9
    assert trained.json["columns"]
    certified = run("certify", "m", "t.csv", "--json", *QUICK)
    assert certified.code == 0, certified.err
    assert certified.json["objective"] == pytest.approx(trained.json["objective"], rel=1e-9)
    predicted = run("predict", "m", "t.csv")
    assert (predicted.code, predicted.err) == (0, "")
    values = pl.read_csv(predicted.out.encode())["prediction"].to_numpy()
    assert np.corrcoef(values, drawn()["price"])[0, 1] > 0.95
    assert load_model("m").encoding


@pytest.mark.parametrize(
    ("load", "target", "task"),
    [(load_iris, "target", "classification"), (load_wine, "target", "classification"), (load_diabetes, "target", None)],
)
def test_tables_of_scikit_learn(run, tmp_path, load, target, task):
    table = load(as_frame=True).frame
    table.insert(0, "number", [f"row {k}" for k in range(len(table))])
    table.iloc[::9, 1] = np.nan
    table.to_csv("t.csv", index=False, sep=";", decimal=",")
    if task:
        outcome = run("train", "t.csv", "--target", target)
        assert (outcome.code, outcome.out) == (2, "")
        assert "give `--task classification` if they are classes" in outcome.err
    options = ("--task", task) if task else ()
    assert run("train", "t.csv", "--target", target, *options, "--output", "m", *QUICK).code == 0
    assert run("certify", "m", "t.csv", *QUICK).code == 0
    assert run("predict", "m", "t.csv").code == 0


def test_what_was_done_is_said(run, tmp_path):
    (tmp_path / "t.csv").write_bytes(identifiers())
    outcome = run("train", "t.csv", "--target", "price", *QUICK)
    for words in (
        "'customer': left out: its text differs in every row",
        "'country': left out: it has one value",
        "'kind': 3 levels: 3 columns of 0 and 1",
        "'sold': dates read as %Y-%m-%d %H:%M: days since 1970, with the times of year and week",
        "(the target holds numbers; `--task classification` takes them for classes)",
    ):
        assert words in outcome.out
    assert "'size'" not in outcome.out  # plain numbers


def test_new_tables_are_encoded_by_the_model(run, tmp_path):
    (tmp_path / "t.csv").write_bytes(identifiers())
    run("train", "t.csv", "--target", "price", "--output", "m", *QUICK)
    saved, table = load_model("m"), pl.read_csv(tmp_path / "t.csv", separator="\t", infer_schema=False)
    expected = pl.read_csv(run("predict", "m", "t.csv").out.encode())["prediction"].to_numpy()
    np.testing.assert_array_equal(saved.predict(table), expected)
    np.testing.assert_array_equal(saved.predict(table.to_pandas(use_pyarrow_extension_array=False)), expected)
    new = table.drop("price", "customer", "country").with_columns(kind=pl.lit("castle")).head(3)
    new.write_csv("n.csv")
    outcome = run("predict", "m", "n.csv")
    assert outcome.code == 0
    assert "Warning: Column 'kind' has levels that the encoding does not know, 'castle'" in outcome.err
    new.drop("size").write_csv("n.csv")
    assert "missing 'size'" in run("predict", "m", "n.csv").err


def test_a_held_out_part_is_encoded_as_the_rest(run, tmp_path):
    (tmp_path / "t.csv").write_bytes(gaps())
    outcome = run("train", "t.csv", "--target", "price", "--holdout", "0.3", "--json", *QUICK)
    assert outcome.json["held_out_score"]["r2"] > 0.8
    assert outcome.json["guessed"].startswith("the target holds numbers")


def test_gaps_in_rows_held_out_alone_are_filled(run, tmp_path):
    table = drawn(40)[["size", "price"]]
    for gap in range(40):  # one of them is held out
        table.assign(size=table["size"].where(table.index != gap)).to_csv("t.csv", index=False)
        outcome = run("train", "t.csv", "--target", "price", "--holdout", "0.05", "--gap", "0.5", "--json")
        assert outcome.code == 0, outcome.err
        if "the median is taken" in outcome.err:
            return
    pytest.fail("no gap was held out")


def test_damaged_gzip(refused, tmp_path):
    (tmp_path / "t.csv").write_bytes(packed()[:-20])
    assert "'t.csv' is a damaged gzip file" in refused("train", "t.csv", "--target", "price")
