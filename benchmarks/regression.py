"""Regression: error and seconds, ours against scikit-learn's regressors, everyone tuned alike.

    python benchmarks/regression.py [--only TEXT ...] [--competitors NAME ...] [--rerun NAME ...] [--masks K]
                                    [--data FOLDER] [--save FILE.json] [--quick] [--json]

Data: energy and yacht, NAME.npz with X (n, d), y and test_masks (20, n) in the folder regression of the data folder,
by the first K masks (5 by default); boston and scikit-learn's diabetes, five folds shuffled with seed 0; kin8nm and
bank32nh, one split with 2,000 rows for training, seed 0.

Inner folds, by which everyone is tuned on the training rows: three, shuffled with seed 0; by R^2, ours by the squared
error. The best parameters are fitted again to all training rows. Columns and targets are standardised by the training
rows. Everyone has one thread, in a process of its own for each outer split, one after another; imports and a small fit
come before the clock. Seconds are processor time for tuning, the last fit and the prediction.

The MLPs are MLPRegressor with L-BFGS (at most 500 iterations) and with Adam (learning rate 0.01, at most 500 epochs).
Ours tries 12 penalties over three powers of ten, and smaller ones while they score better; its last fit goes to a gap
of 1e-2 or until patience or ten minutes end it. --save keeps every result, and what it has is not run again; --rerun
runs the named competitors anew.
"""

import argparse
import json
import os
import platform
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from classification import (
    DEFAULT_DATA,
    INNER,
    MOST_TRAINING_ROWS,
    OUTER,
    SEED,
    TIME_LIMIT,
    Results,
    processor_seconds,
    tuned,
)
from measure import THREAD_VARIABLES, run_apart
from measure import main as run_as_competitor

QUICK = ("yacht", "diabetes")
SETS = ("yacht", "diabetes", "boston", "energy", "kin8nm", "bank32nh")


# Competitors: from the inner folds to an estimator that tunes itself; `small` leaves one candidate, for warming up.


def neuralgauge(inner, small):
    import neuralgauge as ng

    return ng.ReLURegressorCV(n_betas=3 if small else 12, cv=inner, gap=1e-2, time_limit=TIME_LIMIT, n_jobs=1)


def mlp_lbfgs(inner, small):
    return mlp(inner, small, solver="lbfgs")


def mlp_adam(inner, small):
    return mlp(inner, small, solver="adam", learning_rate_init=0.01)


def mlp(inner, small, **options):
    from sklearn.neural_network import MLPRegressor

    grid = {"hidden_layer_sizes": [(10,), (50,), (100,)], "alpha": [10.0, 1.0, 1e-1, 1e-2, 1e-4]}
    return tuned(MLPRegressor(max_iter=500, random_state=SEED, **options), grid, inner, small)


def svr(inner, small):
    from sklearn.svm import SVR

    grid = {"C": [1.0, 10.0, 100.0, 1000.0], "gamma": [1e-3, 1e-2, 1e-1, 1.0], "epsilon": [0.1, 0.01]}
    return tuned(SVR(max_iter=10**6), grid, inner, small)


def boosting(inner, small):
    from sklearn.ensemble import HistGradientBoostingRegressor

    grid = {
        "learning_rate": [0.03, 0.1, 0.3],
        "max_iter": [50, 200],
        "max_leaf_nodes": [4, 16],
        "min_samples_leaf": [20, 5],
    }
    return tuned(HistGradientBoostingRegressor(early_stopping=False, random_state=SEED), grid, inner, small)


COMPETITORS: dict[str, Callable] = {
    "neuralgauge": neuralgauge,
    "mlp-lbfgs": mlp_lbfgs,
    "mlp-adam": mlp_adam,
    "svr": svr,
    "boosting": boosting,
}


# What a process of its own runs.


def regress(competitor):
    """One outer split: tune and fit on its training rows, predict the others."""

    def prepare(data):
        from sklearn.compose import TransformedTargetRegressor
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.model_selection import KFold
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        warnings.simplefilter("ignore", ConvergenceWarning)
        X, y, train, test = data["X"], data["y"], data["train"], data["test"]
        inner = KFold(INNER, shuffle=True, random_state=SEED)

        def estimator(small):
            model = make_pipeline(StandardScaler(), COMPETITORS[competitor](inner, small))
            return TransformedTargetRegressor(model, transformer=StandardScaler())

        few = np.random.default_rng(SEED).standard_normal((60, X.shape[1]))
        estimator(small=True).fit(few, np.abs(few[:, 0]))

        def solve():
            start = processor_seconds()
            predicted = estimator(small=False).fit(X[train], y[train]).predict(X[test])
            return {"processor": processor_seconds() - start, "error": np.sqrt(np.mean((predicted - y[test]) ** 2))}

        return solve

    return prepare


# Data and splits.


@dataclass
class Table:
    """One set and its outer splits."""

    name: str
    X: np.ndarray
    y: np.ndarray
    masks: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), dtype=bool))  # (splits, n), True for testing

    @property
    def n_folds(self) -> int:
        return len(self.masks) or (1 if len(self.y) > MOST_TRAINING_ROWS else OUTER)

    def folds(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Training and test rows of each."""
        from sklearn.model_selection import KFold, ShuffleSplit

        if len(self.masks):
            return ((np.flatnonzero(~mask), np.flatnonzero(mask)) for mask in self.masks)
        if self.n_folds == 1:
            return ShuffleSplit(1, train_size=MOST_TRAINING_ROWS, random_state=SEED).split(self.X)
        return KFold(OUTER, shuffle=True, random_state=SEED).split(self.X)


def table(name, settings):
    if name == "diabetes":
        from sklearn.datasets import load_diabetes

        return Table(name, *load_diabetes(return_X_y=True))
    file = next(
        (path for path in (settings.data, settings.data / "regression") if (path / f"{name}.npz").exists()), None
    )
    if file is None:
        return None
    with np.load(file / f"{name}.npz") as data:
        masks = {"masks": data["test_masks"][: settings.masks].astype(bool)} if "test_masks" in data else {}
        return Table(name, np.asarray(data["X"], dtype=float), np.asarray(data["y"], dtype=float).ravel(), **masks)


def tables(settings):
    """The sets asked for that are there, those that take least first."""
    names = [name for name in (QUICK if settings.quick else SETS) if any(text in name for text in settings.only)]
    return [found for name in names if (found := table(name, settings)) is not None]


# Running and printing.


def measure(found, competitor, results):
    for fold, (train, test) in enumerate(found.folds()):
        if str(fold) not in results.of(found, competitor):
            data = {"X": found.X, "y": found.y, "train": train, "test": test}
            result = run_apart(__file__, competitor, data, dict.fromkeys(THREAD_VARIABLES, 1))
            results.add(found, competitor, fold, {key: float(result[key]) for key in ("error", "processor", "seconds")})


def row(found, competitors, results):
    """Root mean squared error, mean over the outer splits, and the seconds of all of them."""
    cells = [
        f"{results.mean(found, name, 'error'):8.4g} {found.n_folds * results.mean(found, name, 'processor'):6.1f} s"
        for name in competitors
    ]
    return f"{found.name:14} {len(found.y):6} {found.X.shape[1]:4} {found.n_folds:2} " + " ".join(cells)


def summary(found, competitors, results):
    """Mean rank with ties averaged and total seconds, in the order of the competitors."""
    from scipy.stats import rankdata

    error = results.array(found, competitors, "error")
    seconds = results.array(found, competitors, "processor") * [[one.n_folds] for one in found]
    ranks = rankdata(np.round(error, 10), axis=1, nan_policy="propagate")
    return {"mean rank": ranks.mean(axis=0).tolist(), "total seconds": seconds.sum(axis=0).tolist()}


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ", ".join(COMPETITORS)
    parser.add_argument("--only", nargs="+", default=[""], metavar="TEXT", help="sets with one of these in their name")
    parser.add_argument(
        "--competitors", nargs="+", choices=COMPETITORS, default=list(COMPETITORS), metavar="NAME", help=f"of {names}"
    )
    parser.add_argument("--rerun", nargs="+", choices=COMPETITORS, default=[], metavar="NAME", help="run these anew")
    parser.add_argument("--masks", type=int, default=5, help="splits of energy and yacht, at most 20")
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="folder with the sets")
    parser.add_argument("--save", type=Path, metavar="FILE.json", help="keep every result here and continue from it")
    parser.add_argument("--quick", action="store_true", help=f"only {' and '.join(QUICK)}")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    return parser.parse_args()


def main():
    settings = parse()
    results, competitors, found = Results(settings.save), settings.competitors, tables(settings)
    if not found:
        print(f"regression left out: there is no such set in {settings.data}", file=sys.stderr)
        return
    conditions = f"{platform.machine()}, {os.cpu_count()} cores, one BLAS thread, Python {platform.python_version()}"
    if not settings.json:
        print(f"{conditions}; root mean squared error, processor seconds")
        print(f"{'set':14} {'n':>6} {'d':>4} {'splits'}" + "".join(f"{name:>17}" for name in competitors), flush=True)
    for one in found:
        for name in competitors:
            if name in settings.rerun:
                results.forget(one, name)
            measure(one, name, results)
        if not settings.json:
            print(row(one, competitors, results), flush=True)
    lines = summary(found, competitors, results)
    if settings.json:
        print(json.dumps({"conditions": conditions, "competitors": competitors, **lines, "sets": results.known}))
        return
    for label, values in lines.items():
        print(f"{label:29}" + "".join(f"{value:15.2f}  " for value in values))


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in COMPETITORS:
        run_as_competitor({name: regress(name) for name in COMPETITORS})
    else:
        main()
