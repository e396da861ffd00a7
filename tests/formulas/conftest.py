"""Fixtures: the models of `code_models`, and one of a table with text and gaps."""

import math

import numpy as np
import pytest
from code_models import MODELS

import neuralgauge as ng


@pytest.fixture(params=MODELS, scope="module")
def model(request):
    return MODELS[request.param]


@pytest.fixture(scope="session")
def table():
    """Columns of every kind but dates: gaps, rare levels, quotes in levels, hostile names."""
    rng = np.random.default_rng(1)
    n = 240
    size = np.where(rng.uniform(size=n) < 0.1, math.nan, rng.uniform(50, 90, n))
    kind = rng.choice(["old", "new", 'quite "new"', "it's"], n).tolist()
    kind[:3] = ["rare 1", "rare 2", "rare 3"]
    street = [None if u < 0.1 else "A" if u < 0.5 else "B" for u in rng.uniform(size=n)]
    columns = {"size": size.tolist(), 'ki"nd; --': kind, "street": street, "year": rng.integers(1990, 2020, n).tolist()}
    y = np.nan_to_num(size, nan=70.0) + 10 * (np.array(kind) == "new") + 0.1 * np.array(columns["year"])
    return columns, y


@pytest.fixture(scope="session")
def encoded(table):
    """A pipeline of an encoder and an estimator."""
    from sklearn.pipeline import make_pipeline

    columns, y = table
    return make_pipeline(ng.TableEncoder(), ng.ReLURegressor(beta=2.0, gap=0.1, prove=False)).fit(columns, y)
