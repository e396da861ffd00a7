"""Every way in which tables, models and options can be wrong, and the sentence for it."""

import os

import pandas as pd
import polars as pl
import pytest

from neuralgauge.cli.options import REFUSED
from neuralgauge.estimators import ReLURegressor
from neuralgauge.interchange import save_model
from neuralgauge.interchange.model_file import from_estimator
from neuralgauge.losses import Squared


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "'t.csv' is empty"),
        ("\n \n", "'t.csv' is empty"),
        ("x,y\n", "'t.csv' has a header and no rows"),
        ("x,y\n1,2\n", "'t.csv' has one row; training needs at least two"),
        ("y,x\n1,2\n\n,3\n", "Column 'y' has no value (missing or NaN) in line 4 of 't.csv' (1 such row)"),
        ('y,x\n"1",2\n"NA",3\nnan,4\n', "Column 'y' has no value (missing or NaN) in line 3 of 't.csv' (2 such rows)"),
        ("x,y\n1,2\n3\n", "Column 'y' has no value (missing or NaN) in line 3"),
        ("x,y\n1,2\n2,\n", "Column 'y' has no value (missing or NaN) in line 3"),
        ("x,y\n1,2\n-inf,3\n", "Column 'x' must hold finite numbers, got '-inf' in line 3 of 't.csv'"),
        ("x,y\n1,2\n1e999,3\n", "Column 'x' must hold finite numbers, got '1e999' in line 3 of 't.csv'"),
        ("x,y\n1,2\nred,3\n5,4\n", "Column 'x' must hold numbers, got 'red' in line 3 of 't.csv' (1 such value)"),
        ("\n\nx,y\n1,2\nred,3\n5,4\n", "got 'red' in line 5 of 't.csv'"),
        ('x,z,y\n1,2,3\n"a\nb",2,3\n2,3,4\n', "got 'a\\nb' in line 3"),
        ("x,y\na,1\nb,2\n", "'t.csv' has no column left to learn from: 'x' is left out: each of its levels is in one"),
        ("x,y\n" + "1,0\n2,1\n3,2\n" * 5, "'y' holds 3 whole numbers, 0, 1, 2: give `--task classification` if"),
        ("x,x,y\n1,2,3\n", "'t.csv' has more than one column named 'x'"),
        (",x,y\n0,2,3\n", "Column 1 of 't.csv' has no name in the header"),
        ("1.5,2.5\n3.5,4.5\n", "The first line of 't.csv' holds numbers and no column names"),
        ("x,y\n1,2\n1,2,3\n", "Line 3 of 't.csv' has 3 values where the header has 2"),
        ('x,y\n1,"2\n3,4\n', "'t.csv' is not a table"),
        ("y\n1\n2\n", "'t.csv' has no feature columns left"),
        ("x,price\n1,2\n3,4\n", "'t.csv' has no column 'y'; its columns are 'x', 'price'."),
        ("x,yy,Y\n1,2,3\n3,4,5\n", "'t.csv' has no column 'y'; did you mean 'Y' or 'yy'?"),
        ("x,y\n1,a\n2,b\n3,c\n", "has 3 classes ('a', 'b', 'c') in 3 rows, most of them only once; name another"),
        ("x,y\n1,a\n2,a\n", "Column 'y' has one class, 'a'; classification needs two"),
        ("x,y\n1,1e300\n2,-1e300\n3,0\n", "'y' are too large to be standardised"),
    ],
)
def test_bad_tables(refused, tmp_path, content, message):
    (tmp_path / "t.csv").write_text(content)
    assert message in refused("train", "t.csv", "--target", "y").replace("\n ", "\\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "is not a table of text in UTF-8"),
        (b"abc\0def\n", "is not a table but binary data"),
        (b"PK\x03\x04rest", "spreadsheet or archive"),
        (b"PAR1 and nothing more", "is a damaged Parquet file"),
    ],
)
def test_files_that_are_no_tables(refused, tmp_path, content, message):
    (tmp_path / "t.csv").write_bytes(content)
    assert message in refused("train", "t.csv", "--target", "y")


def test_unreadable_files(refused, tmp_path, monkeypatch):
    assert "'none.csv' cannot be read: No such file" in refused("train", "none.csv", "--target", "y")
    assert "cannot be read: Is a directory" in refused("train", tmp_path, "--target", "y")

    def denied(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("neuralgauge.cli.streams.open", denied, raising=False)
    assert "cannot be read: Permission denied" in refused("train", "x.csv", "--target", "y")
    assert "cannot be read: Permission denied" in refused("predict", "m", "x.csv")


def test_bad_parquet_cells(refused, tmp_path):
    pl.DataFrame({"y": [1.0, None, 3.0], "x": [1.0, 2.0, 3.0]}).write_parquet(tmp_path / "t.parquet")
    assert "Column 'y' has no value (missing or NaN) in row 2" in refused("train", "t.parquet", "--target", "y")
    frame = pl.DataFrame({"y": ["2020-01-01", "2021-01-01"], "x": [1.0, 2.0]}).with_columns(pl.col("y").str.to_date())
    frame.write_parquet(tmp_path / "t.parquet")
    options = ("--target", "y", "--task", "regression")
    assert "Column 'y' must hold numbers, got '2020-01-01' in row 1" in refused("train", "t.parquet", *options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--beta", "0"], "`beta` must be finite and > 0, got 0.0"),
        (["--beta", "-1"], "`beta` must be finite and > 0, got -1.0"),
        (["--gap", "0"], "`gap` must be finite and > 0"),
        (["--time-limit", "-5"], "`time_limit` must be finite and > 0, got -5.0"),
        (["--beta", "much"], "'--beta'"),
        (["--prove", "maybe"], "'maybe' is not one of auto, exact, none, and no number of seconds"),
        (["--prove", "-2"], "`prove` must be None, True, False or seconds > 0, got -2.0"),
        (["--task", "ranking"], "'ranking' is not one of 'auto', 'regression', 'classification'"),
        (["--loss", "hubert"], "'hubert' is not one of 'squared', 'absolute', 'huber'"),
        (["--loss", "squared", "--delta", "1"], "`--delta` is for `--loss huber`, got `--loss squared`"),
        (["--level", "0.5"], "`--level` is for `--loss quantile`, got no `--loss`, which means squared here"),
        (["--loss", "huber", "--delta", "0"], "`delta` must be finite and > 0, got 0.0"),
        (["--loss", "quantile", "--level", "1"], "`level` must be > 0 and < 1, got 1.0"),
        (["--loss", "epsilon_insensitive", "--epsilon", "-1"], "`epsilon` must be finite and >= 0, got -1.0"),
        (["--target", "price"], "Column 'price' is given as target twice"),
        (["--target", "flor"], "has no column 'flor'; did you mean 'floor'"),
        (["--target", "age", "--task", "classification"], "Classification takes one target column, got 2"),
        (["--target", "age", "--loss", "softmax"], "Classification takes one target column, got 2"),
        (["--multi-class", "one_vs_rest"], "is for classes, and the target holds numbers"),
        (["--task", "regression", "--loss", "hinge"], "`--loss hinge` is for classification"),
        (["--task", "classification"], "has 20 classes (3.9"),
        (["--drop", "prise"], "has no column 'prise'; did you mean 'price'"),
        (["--drop", "price"], "is both the target and to be left out"),
        (["--random-state", "-1"], "--random-state"),
        (["--output", "no/such/m"], "'m' does not exist; create it first"),
        (["--frobnicate"], "--frobnicate"),
    ],
)
def test_bad_options(refused, csv_file, options, message):
    assert message in refused("train", csv_file, "--target", "price", *options)


def test_targets_that_a_loss_does_not_take(refused, tmp_path):
    (tmp_path / "t.csv").write_text("x,a,b,kind\n1,2,3,p\n2,-4,1,q\n3,0,1,r\n4,1,1,p\n5,1,2,q\n6,2,2,r\n")
    drop = ["--drop", "b", "--drop", "kind"]
    message = refused("train", "t.csv", "--target", "a", "--loss", "poisson", *drop)
    assert "Column 'a' must be >= 0 for the poisson loss, got -4 in line 3 of 't.csv'" in message
    message = refused("train", "t.csv", "--target", "a", "--target", "kind")
    assert (
        "Column 'kind' must hold numbers, got 'p' in line 2 of 't.csv' (6 such values); the squared loss learns numbers"
        in message
    )
    message = refused("train", "t.csv", "--target", "kind", "--loss", "huber")
    assert "(6 such values); the huber loss learns numbers: encode the column" in message
    options = ["--target", "kind", "--loss", "softmax", "--multi-class", "one_vs_rest"]
    assert "does not allow; use loss='logistic'" in refused("train", "t.csv", *options)


def test_models_of_several_targets_need_all_of_them(refused, run, csv_file, tmp_path):
    command = ["train", csv_file, "--target", "price", "--target", "age", "--beta", "5", "--gap", "0.1"]
    assert run(*command, "--output", "m").code == 0
    assert "The model has 2 target columns, got 1" in refused("certify", "m", csv_file, "--target", "price")
    (tmp_path / "t.csv").write_text("size,floor,price\n1,2,3\n")
    assert "has no column 'age'" in refused("certify", "m", "t.csv")


def test_a_loss_of_the_users_own_predicts_but_is_not_certified(refused, run, csv_file):
    class MyLoss(Squared):
        pass

    frame = pl.read_csv(csv_file)
    model = ReLURegressor(loss=MyLoss(name="mine"), beta=50.0).fit(
        pd.DataFrame(frame.drop("price").to_dict(as_series=False)), frame["price"]
    )
    save_model(from_estimator(model, target_name="price"), "m")
    assert run("predict", "m", csv_file).code == 0
    assert "a loss of your own, 'mine', which a model file cannot hold" in refused("certify", "m", csv_file)


def test_wrong_usage(refused, csv_file):
    assert "--target" in refused("train", csv_file)
    assert "No such command 'trane'" in refused("trane")


def test_existing_outputs_need_force(refused, run, csv_file, tmp_path):
    command = ["train", csv_file, "--target", "price", "--beta", "1", "--output", "m"]
    assert run(*command).code == 0
    before = (tmp_path / "m").read_bytes()
    assert "The output 'm' exists already" in refused(*command, "--no-bias")
    assert (tmp_path / "m").read_bytes() == before
    assert run(*command, "--no-bias", "--force").code == 0
    assert (tmp_path / "m").read_bytes() != before
    (tmp_path / "p.csv").write_text("mine")
    assert "exists already" in refused("predict", "m", csv_file, "--output", "p.csv")
    assert run("predict", "m", csv_file, "--output", "p.csv", "--force").code == 0
    assert (tmp_path / "p.csv").read_text().startswith("prediction")


def test_models_and_tables_that_do_not_fit(refused, run, csv_file, class_file, tmp_path):
    assert run("train", csv_file, "--target", "price", "--beta", "1", "--output", "m").code == 0
    assert run("train", class_file, "--target", "dear", "--beta", "1", "--output", "c").code == 0
    (tmp_path / "other.csv").write_text("size,agee,floor,colour\n1,2,3,4\n")
    message = refused("predict", "m", "other.csv")
    assert "missing 'age', unknown 'agee', 'colour'. Is 'agee' meant to be 'age'?" in message
    assert "is not a neuralgauge model" in refused("predict", csv_file, csv_file)
    (tmp_path / "unseen.csv").write_text("size,age,floor,dear\n1,2,3,maybe\n")
    assert "the classes of the model, 'no', 'yes', got 'maybe'" in refused("certify", "c", "unseen.csv")
    assert "has no column 'dear'" in refused("certify", "c", "other.csv")
    (tmp_path / "m").write_bytes((tmp_path / "m").read_bytes()[:-1])
    assert "damaged or cut short" in refused("predict", "m", csv_file)


def test_the_unexpected_is_one_sentence_too(run, csv_file, monkeypatch):
    def broken(*_):
        raise RuntimeError("boom")

    monkeypatch.setattr("neuralgauge.cli.train.read_table", broken)
    outcome = run("train", csv_file, "--target", "price")
    assert outcome.code == REFUSED
    assert "unexpected RuntimeError: boom" in outcome.err


def test_interruption(run, csv_file, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("neuralgauge.cli.train.read_table", interrupted)
    outcome = run("train", csv_file, "--target", "price", "--output", "m")
    assert outcome.code == 130
    assert outcome.err == "Interrupted.\n"
    assert not os.path.exists("m")
