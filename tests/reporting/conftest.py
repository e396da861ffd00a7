"""Models of every kind that a report takes, with names that would break a page which does not escape them."""

import numpy as np
import pandas as pd
import pytest

import neuralgauge as ng

HOSTILE = ('<script>alert("x")</script>', "a'b\"c & d > e", "x" * 120, "{{ 7 * 7 }}")


@pytest.fixture(scope="session")
def rows():
    return np.random.default_rng(0).normal(size=(60, 4)) * [1.0, 2.0, 0.1, 1.0]


def network(c):
    rng = np.random.default_rng(c)
    return ng.TwoLayerNetwork(rng.normal(size=(5, 6)), rng.normal(size=(6, c)))


@pytest.fixture(scope="session")
def regression(rows):
    """An estimator fitted on a table of hostile names."""
    X = pd.DataFrame(rows, columns=HOSTILE)
    y = pd.Series(np.abs(rows[:, 0]) + rows[:, 1], name="<b>price</b>")
    return ng.ReLURegressor(beta=1.0, gap=1e-2).fit(X, y), X, y


@pytest.fixture(scope="session")
def cases(rows, regression):
    """Name: model, rows, targets."""
    sign = np.where(rows[:, 0] * rows[:, 1] > 0, "yes & no", "<i>")
    three = np.digitize(rows[:, 1], [-1.0, 1.0])
    both = np.column_stack([np.abs(rows[:, 0]), 1000.0 * rows[:, 1]])
    quick = {"beta": 1.0, "gap": 1e-1}
    return {
        "regression": regression,
        "several targets": (ng.ReLURegressor(beta=50.0, gap=0.5).fit(rows, both), rows, both),
        "two classes": (ng.ReLUClassifier(**quick).fit(rows, sign), rows, sign),
        "margins": (ng.ReLUClassifier(loss="hinge", **quick).fit(rows, sign), rows, sign),
        "three classes": (ng.ReLUClassifier(**quick).fit(rows, three), rows, three),
        "apart": (ng.ReLUClassifier(multi_class="one_vs_rest", **quick).fit(rows, three), rows, three),
        "cross-validated": (
            ng.ReLURegressorCV(betas=[10.0, 3.0, 1.0], cv=3, gap=1e-1, gap_path=0.1).fit(rows, both[:, 0]),
            rows,
            both[:, 0],
        ),
        "empty": (ng.ReLURegressor(beta=1e6).fit(rows, both[:, 0]), rows, both[:, 0]),
    }
