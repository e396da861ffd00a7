"""Prediction intervals on new rows: how many they hold, how wide they are, and what conformal calibration changes.

    python benchmarks/intervals.py [--only TEXT ...] [--splits K] [--coverage C] [--data FOLDER] [--json]

Ten tables: four generated ones (spread that grows, skewed targets, heavy tails, counts with ties), scikit-learn's
friedman1 with noise that grows and its diabetes; boston, yacht, energy and kin8nm, NAME.npz with X (n, d) and y in the
data folder or its folder regression (left out without it). Each split draws up to 396 rows, at most two thirds, for
training and predicts up to 2,000 of the others; a quarter of the training rows is held out by everyone.

Printed is, over the splits, the mean share of new targets inside intervals meant for 90 %, and in brackets the mean
width over the standard deviation of y:

quantiles    between the networks of levels 0.05 and 0.95, as trained
conformal    the same as `ReLUQuantileRegressor.predict_interval` gives it
constant     split conformal around `ReLURegressor(beta=...)`, 3 % of the largest penalty: one width for all rows
boosting     conformal too, around scikit-learn's HistGradientBoostingRegressor(loss="quantile") at the two levels
"""

import argparse
import json
import os
import platform
import time
import warnings
from types import SimpleNamespace

import numpy as np
from classification import DEFAULT_DATA
from regression import Path, table

ROWS, MOST_NEW, HOLDOUT = 396, 2000, 0.25


def generated(name, rng, n=3000):
    """X and y of a table that is made up."""
    from sklearn.datasets import make_friedman1

    if name == "spread":
        X = rng.uniform(0.0, 2.0, size=(n, 2))
        return X, np.abs(X[:, 0] - 1.0) + (0.1 + X[:, 1] ** 2) * rng.normal(size=n)
    if name == "skewed":
        X = rng.normal(size=(n, 4))
        return X, np.exp(0.5 * X[:, 0] + (0.2 + 0.6 * (X[:, 1] > 0.0)) * rng.normal(size=n))
    if name == "tails":
        X = rng.normal(size=(n, 6))
        return X, X[:, 0] + np.maximum(X[:, 1], 0.0) + (0.2 + np.abs(X[:, 2])) * rng.standard_t(2.5, size=n)
    if name == "counts":
        X = rng.uniform(-1.0, 1.0, size=(n, 3))
        return X, rng.poisson(np.exp(1.0 + X[:, 0] + np.maximum(X[:, 1], 0.0))).astype(float)
    X, y = make_friedman1(n, n_features=8, random_state=int(rng.integers(2**31)))
    return X, y + 4.0 * X[:, 5] * rng.normal(size=n)


GENERATED = ("spread", "skewed", "tails", "counts", "friedman1")
SETS = (*GENERATED, "diabetes", "boston", "yacht", "energy", "kin8nm")


def data_of(name, settings):
    if name in GENERATED:
        return generated(name, np.random.default_rng(len(name)))
    found = table(name, SimpleNamespace(data=settings.data, masks=0))
    return None if found is None else (found.X, found.y)


# Each takes training rows and new ones, and returns {name: intervals (n, 2) of the new rows}.


def networks(X, y, new, coverage, seed):
    import neuralgauge as ng

    levels = (0.5 - 0.5 * coverage, 0.5 + 0.5 * coverage)
    model = ng.ReLUQuantileRegressor(levels=levels, holdout=HOLDOUT, gap=0.05, random_state=seed, n_jobs=1).fit(X, y)
    return {"quantiles": model.predict_quantiles(new), "conformal": model.predict_interval(new, coverage)}


def constant(X, y, new, coverage, seed):
    import neuralgauge as ng

    order = np.random.default_rng(seed).permutation(len(y))
    held, rows = np.split(order, [int(HOLDOUT * len(y))])
    standard = (X - X[rows].mean(axis=0)) / np.where(X[rows].std(axis=0) > 0.0, X[rows].std(axis=0), 1.0)
    target = (y[rows] - y[rows].mean()) / y[rows].std()
    beta = 0.03 * ng.beta_max(ng.TrainingProblem(standard[rows], target, beta=1.0))
    model = ng.ReLURegressor(beta=beta, gap=0.05, n_jobs=1).fit(X[rows], y[rows]).calibrate(X[held], y[held])
    return {"constant": model.predict_interval(new, coverage)}


def boosting(X, y, new, coverage, seed):
    from sklearn.ensemble import HistGradientBoostingRegressor

    order = np.random.default_rng(seed).permutation(len(y))
    held, rows = np.split(order, [int(HOLDOUT * len(y))])
    levels = (0.5 - 0.5 * coverage, 0.5 + 0.5 * coverage)
    models = [
        HistGradientBoostingRegressor(loss="quantile", quantile=level, random_state=seed).fit(X[rows], y[rows])
        for level in levels
    ]
    known, found = (np.sort(np.column_stack([model.predict(part) for model in models])) for part in (X[held], new))
    scores = np.sort(np.maximum(known[:, 0] - y[held], y[held] - known[:, 1]))
    margin = scores[int(np.ceil((len(held) + 1) * coverage - 1e-9)) - 1]
    return {"boosting": found + np.array([-margin, margin])}


METHODS = (networks, constant, boosting)
NAMES = ("quantiles", "conformal", "constant", "boosting")


def measure(X, y, settings):
    """Mean coverage and relative width of each, and processor seconds of ours, over the splits."""
    inside, width, seconds = ({name: [] for name in NAMES} for _ in range(3))
    for split in range(settings.splits):
        order = np.random.default_rng(split).permutation(len(y))
        rows, new = np.split(order, [min(ROWS, 2 * len(y) // 3)])
        new = new[:MOST_NEW]
        for method in METHODS:
            start = time.process_time()
            for name, (lower, upper) in (
                (name, found.T) for name, found in method(X[rows], y[rows], X[new], settings.coverage, split).items()
            ):
                inside[name].append(np.mean((lower <= y[new]) & (y[new] <= upper)))
                width[name].append(np.mean(upper - lower) / np.std(y))
                seconds[name].append(time.process_time() - start)
    return {
        name: {"coverage": np.mean(inside[name]), "width": np.mean(width[name]), "seconds": np.mean(seconds[name])}
        for name in NAMES
    }


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[""], metavar="TEXT", help="sets with one of these in their name")
    parser.add_argument("--splits", type=int, default=20, help="of each table")
    parser.add_argument("--coverage", type=float, default=0.9)
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="folder with the sets")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    return parser.parse_args()


def main():
    settings = parse()
    warnings.simplefilter("ignore")
    conditions = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    results = {}
    if not settings.json:
        print(f"{conditions}; share inside intervals for {settings.coverage:g} (width / deviation of y), seconds a fit")
        print(f"{'set':10} {'n':>5} {'d':>3}" + "".join(f"{name:>20}" for name in NAMES))
    for name in SETS:
        found = data_of(name, settings) if any(text in name for text in settings.only) else None
        if found is None:
            continue
        results[name] = measure(*found, settings)
        if not settings.json:
            cells = (results[name][one] for one in NAMES)
            text = "".join(f"{c['coverage']:8.3f} ({c['width']:4.2f}) {c['seconds']:3.1f}" for c in cells)
            print(f"{name:10} {len(found[1]):5} {found[0].shape[1]:3} {text}", flush=True)
    if settings.json:
        print(json.dumps({"conditions": conditions, "coverage": settings.coverage, "sets": results}))


if __name__ == "__main__":
    main()
