"""Running the command line in this process."""

import io
import json
import signal
from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

from neuralgauge.cli import main


@dataclass
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self):
        assert self.out.count("\n") == 1
        return json.loads(self.out)


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Runs `neuralgauge ...` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    handler = signal.getsignal(signal.SIGTERM)

    def call(*arguments, stdin=b""):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as caught:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Outcome(caught.value.code, captured.out, captured.err)

    yield call
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def refused(run):
    """Runs a command that must be refused: exit code 2, nothing on stdout, at most two lines on stderr."""

    def call(*arguments, stdin=b""):
        outcome = run(*arguments, stdin=stdin)
        assert outcome.code == 2, outcome
        assert outcome.out == ""
        assert outcome.err.startswith("Error: ")
        assert outcome.err.count("\n") <= 2
        assert "defect" not in outcome.err
        return outcome.err

    return call


@pytest.fixture
def table(tmp_path):
    """A table of 20 rows: two features, one of them constant besides, a numeric and a two-class target."""
    rng = np.random.default_rng(0)
    size, age = rng.normal(50.0, 10.0, 20), rng.integers(0, 30, 20)
    price = np.abs(size - 50.0) * 3.0 + age
    return pl.DataFrame(
        {
            "size": size,
            "age": age,
            "floor": [1] * 20,
            "price": price,
            "dear": np.where(price > np.median(price), "yes", "no"),
        }
    )


@pytest.fixture
def csv_file(table, tmp_path):
    path = tmp_path / "houses.csv"
    table.drop("dear").write_csv(path)
    return path


@pytest.fixture
def class_file(table, tmp_path):
    path = tmp_path / "classes.csv"
    table.drop("price").write_csv(path)
    return path
