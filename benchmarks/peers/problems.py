"""The problems, as data: families of fixed-pattern programs, gated programs, real tables and growing sizes.

X is standardised with population deviations and a column of ones is appended; regression targets are standardised too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Data = dict[str, Any]


@dataclass(frozen=True)
class Problem:
    """One problem: `make` returns the arrays that every system gets."""

    family: str
    name: str
    kind: str  # relu: [8] with cones; gated: without; training: [2], any network; path: at several betas
    make: Callable[[Path], Data]
    file: str | None = None  # in the data folder
    quick: bool = False  # whether it belongs to the quick run

    def missing(self, folder: Path) -> bool:
        return self.file is not None and not (folder / self.file).exists()

    def load(self, folder: Path) -> Data:
        return {"kind": self.kind, "loss": "squared", **self.make(folder)}


def standardised(values: np.ndarray) -> np.ndarray:
    deviation = values.std(axis=0)
    return (values - values.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)


def with_ones(X: np.ndarray) -> np.ndarray:
    varying = X[:, X.std(axis=0) > 0]
    return np.column_stack([standardised(varying), np.ones(len(X))])


# Data.


def diabetes(folder: Path) -> Data:
    from sklearn.datasets import load_diabetes

    features, target = load_diabetes(return_X_y=True)
    return {"X": with_ones(features), "y": standardised(target)}


def table(name: str, rows: int | None = None) -> Callable[[Path], Data]:
    def make(folder: Path) -> Data:
        with np.load(folder / name) as stored:
            X, y = np.asarray(stored["X"], dtype=float)[:rows], np.asarray(stored["y"], dtype=float).ravel()[:rows]
        return {"X": with_ones(X), "y": standardised(y)}

    return make


def two_classes(name: str) -> Callable[[Path], Data]:
    def make(folder: Path) -> Data:
        with np.load(folder / "uci" / f"{name}.npz") as stored:
            X, labels = np.asarray(stored["X"], dtype=float), stored["y"]
        return {"X": with_ones(X), "y": np.where(labels == labels.max(), 1.0, -1.0), "loss": "logistic"}

    return make


def teacher(n: int, d: int) -> Callable[[Path], Data]:
    """Gaussian rows; a network of five neurons plus noise of 0.3 of its deviation. `d` counts the column of ones."""

    def make(folder: Path) -> Data:
        rng = np.random.default_rng(0)
        X = with_ones(rng.standard_normal((n, d - 1)))
        U = rng.standard_normal((d, 5))
        f = standardised(np.maximum(X @ U, 0.0) @ rng.standard_normal(5))
        return {"X": X, "y": standardised(f + 0.3 * rng.standard_normal(n))}

    return make


# Penalties and patterns.


def penalised(make: Callable[[Path], Data], fraction: float, path: int = 1) -> Callable[[Path], Data]:
    """With beta a fraction of the penalty from which on the empty network is optimal, or a path down to it."""

    def with_beta(folder: Path) -> Data:
        import neuralgauge as ng

        data = make(folder)
        problem = ng.TrainingProblem(data["X"], data["y"], beta=1.0, loss=data.get("loss", "squared"), bias=False)
        return {**data, "betas": ng.beta_max(problem) * np.geomspace(0.9, fraction, path + 1)[-path:]}

    return with_beta


def program(make: Callable[[Path], Data], n_patterns: int, beta: float, path: int = 1, gated: bool = False):
    """With random patterns, and one penalty or a path down to it from where no block is used."""

    def with_patterns(folder: Path) -> Data:
        from neuralgauge import sample_patterns

        data = make(folder)
        patterns = sample_patterns(data["X"], n_patterns, random_state=0)
        gates = patterns.dense()
        largest = np.max(np.linalg.norm((gates * data["y"]) @ data["X"], axis=1))
        betas = np.array([beta]) if path == 1 else np.geomspace(largest, beta, path)
        return {**data, "gates": gates, "vectors": patterns.witness(np.arange(len(patterns))), "betas": betas}

    return with_patterns


def relu(family: str, name: str, make: Callable[[Path], Data], n_patterns: int, beta: float, quick: bool = False):
    return Problem(family, name, "relu", program(make, n_patterns, beta), quick=quick)


def gated(name: str, make: Callable[[Path], Data], n_patterns: int, beta: float, path: int, quick: bool = False):
    return Problem("gated", name, "gated", program(make, n_patterns, beta, path, gated=True), quick=quick)


def training(family: str, name: str, make, fraction: float, file: str | None = None, quick: bool = False):
    return Problem(family, name, "training", penalised(make, fraction), file, quick)


def uci(name: str, quick: bool = False) -> Problem:
    return training("uci", name, two_classes(name), 0.05, f"uci/{name}.npz", quick)


PROBLEMS = [
    relu("cones", "diabetes, 60 patterns", diabetes, 60, 10.0, quick=True),
    relu("cones", "2,000 x 10, 50 patterns", teacher(2000, 10), 50, 40.0),
    gated("diabetes, 500 patterns, beta 10", diabetes, 500, 10.0, 1, quick=True),
    gated("diabetes, 500 patterns, 30 betas to 1", diabetes, 500, 1.0, 30, quick=True),
    gated("2,000 x 20, 200 patterns, 30 betas to 5", teacher(2000, 20), 200, 5.0, 30),
    training("tables", "Boston", table("boston.npz"), 0.01, "boston.npz", quick=True),
    training("tables", "Kinematics", table("kin8nm.npz"), 0.01, "kin8nm.npz"),
    training("tables", "Bank", table("bank32nh.npz"), 0.05, "bank32nh.npz"),
    uci("statlog-heart", quick=True),
    uci("conn-bench-sonar-mines-rocks"),
    uci("ilpd-indian-liver"),
    uci("ringnorm"),
    Problem("path", "diabetes, 10 betas", "path", penalised(diabetes, 0.05, 10)),
    training("rows", "500 x 10", teacher(500, 10), 0.02, quick=True),
    training("rows", "5,000 x 10", teacher(5000, 10), 0.02),
    training("rows", "50,000 x 10", teacher(50_000, 10), 0.02),
    training("columns", "1,000 x 2", teacher(1000, 2), 0.02),
    training("columns", "1,000 x 30", teacher(1000, 30), 0.02),
    training("columns", "1,000 x 100", teacher(1000, 100), 0.05),
    training("large", "Kinematics, 1 %", table("kin8nm.npz"), 0.01, "kin8nm.npz"),
    training("large", "Bank, 4,000 rows, 1 %", table("bank32nh.npz", 4000), 0.01, "bank32nh.npz"),
    training("large", "ringnorm, 1 %", two_classes("ringnorm"), 0.01, "uci/ringnorm.npz"),
    training("large", "1,000 x 30, 1 %", teacher(1000, 30), 0.01),
    training("large", "1,000 x 100, 1 %", teacher(1000, 100), 0.01),
    training("large", "50,000 x 10, 2 %", teacher(50_000, 10), 0.02),
    training("large", "50,000 x 20, 2 %", teacher(50_000, 20), 0.02),
    training("large", "1,000,000 x 20, 2 %", teacher(1_000_000, 20), 0.02),
    relu("patterns", "diabetes, 25 patterns", diabetes, 25, 10.0),
    relu("patterns", "diabetes, 200 patterns", diabetes, 200, 10.0),
    relu("patterns", "diabetes, 800 patterns", diabetes, 800, 10.0),
]

FAMILIES = {
    "cones": "the convex program [8] over given patterns, with cones",
    "gated": "the gated program over given patterns, alone and along a path of penalties",
    "tables": "the training objective [2] on tables of the paper, squared loss",
    "uci": "the training objective [2] on UCI sets of two classes, logistic loss",
    "path": "the training objective [2] along a path of penalties, squared loss",
    "rows": "the training objective [2] as the rows grow, squared loss",
    "columns": "the training objective [2] as the columns grow, squared loss",
    "large": "the training objective [2] of many rows or columns",
    "patterns": "the convex program [8] as the patterns grow",
}
