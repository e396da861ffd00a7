"""Estimators on X that is kept as it is."""

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp

import neuralgauge as ng
from neuralgauge.features import kinds


def data():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((300, 3)).astype(np.float32)
    X[rng.random(X.shape) < 0.3] = 0.0
    return X, np.maximum(X[:, 0], 0.0) + X[:, 1]


def as_mapped(X, folder):
    np.save(folder / "X.npy", X)
    return np.load(folder / "X.npy", mmap_mode="r")


def as_rows(X, folder):
    pl.DataFrame({f"x{k}": X[:, k] for k in range(3)}).write_parquet(folder / "t.parquet")
    return ng.ParquetRows(str(folder / "t.parquet"))


FORMS = {"float32": lambda X, _: X, "csr": lambda X, _: sp.csr_array(X), "mapped": as_mapped, "parquet": as_rows}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kept", [True, False])
def test_fit_and_predict(form, kept, tmp_path, monkeypatch):
    X, y = data()
    monkeypatch.setattr(kinds, "CONVERTED", 100 if kept else 10_000)
    given = FORMS[form](X, tmp_path)
    model = ng.ReLURegressor(beta=1.0, gap=1e-2).fit(given, y)
    whole = ng.ReLURegressor(beta=1.0, gap=1e-2).fit(X.astype(np.float64), y)
    assert model.certificate_.upper == pytest.approx(whole.certificate_.upper, rel=2e-2)
    assert np.allclose(model.predict(given), model.network_.predict(X.astype(np.float64)), rtol=0.0, atol=1e-12)
    assert model.n_features_in_ == 3
    labels = np.where(y > 0.5, "high", "low")
    classifier = ng.ReLUClassifier(beta=2.0, gap=5e-2).fit(given, labels)
    assert np.mean(classifier.predict(given) == labels) > 0.8


def test_weights_of_zero_leave_rows_out(monkeypatch, tmp_path):
    X, y = data()
    monkeypatch.setattr(kinds, "CONVERTED", 100)
    weight = np.where(np.arange(300) < 200, 1.0, 0.0)
    model = ng.ReLURegressor(beta=1.0, gap=1e-2, standardize=False).fit(sp.csr_array(X), y, weight)
    problem = ng.TrainingProblem(X[:200].astype(np.float64), y[:200], beta=1.0)
    assert problem.objective(model.network_) == pytest.approx(model.certificate_.upper, rel=1e-9)
    with pytest.raises(ng.InvalidInputError, match="give weights above zero"):
        ng.ReLURegressor(beta=1.0).fit(as_rows(X, tmp_path), y, weight)
