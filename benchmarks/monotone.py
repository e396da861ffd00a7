"""Features that are known to be monotone: test error with and without saying so, ours against gradient boosting.

    python benchmarks/monotone.py [--only TEXT ...] [--competitors NAME ...] [--rerun NAME ...] [--data FOLDER]
                                  [--save FILE.json]

Eight tables; TABLES below says which columns are monotone and why. yacht and energy are split by the first five masks
of their files, the others into five folds shuffled with seed 0, by class for labels. On the training rows everyone
chooses among 16 candidates in three inner folds, shuffled with seed 0: ours among 16 penalties over four powers of
ten, boosting among 16 of HistGradientBoosting's settings; by the squared error, or by the log loss for labels.

Errors are root mean squared errors over the standard deviation of the target, and for labels log losses, with the
shares of wrong labels below. A violation is a pair of rows that differ in one monotone feature, raised to a value that
the table holds, whose predictions (of labels: probabilities) go the other way by more than 1e-9 of their spread; the
share is of 20,000 pairs a split. Seconds are processor time of one thread for choosing, the last fit and the prediction
of all splits, after a small fit that is not counted. --save keeps every result, and what it has is not run again.
"""

import argparse
import os
import platform
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from classification import DEFAULT_DATA, INNER, OUTER, SEED, TIME_LIMIT, Results
from threadpoolctl import threadpool_limits

CANDIDATES, PAIRS, MASKS = 16, 20_000, 5
VIOLATED = 1e-9  # relative to the spread of the predictions


@dataclass
class Table:
    """A set, the signs of its monotone columns, and its outer splits."""

    name: str
    X: np.ndarray
    y: np.ndarray  # numbers, or False and True
    signs: dict[int, int]
    masks: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), dtype=bool))  # (splits, n), True for testing

    @property
    def labels(self) -> bool:
        return self.y.dtype == bool

    @property
    def n_folds(self) -> int:
        return len(self.masks) or OUTER

    @property
    def cst(self) -> list[int]:
        """As scikit-learn's `monotonic_cst`."""
        return [self.signs.get(j, 0) for j in range(self.X.shape[1])]

    def folds(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Training and test rows of each."""
        if len(self.masks):
            return ((np.flatnonzero(~mask), np.flatnonzero(mask)) for mask in self.masks)
        return splitter(self.labels, OUTER).split(self.X, self.y)


def splitter(labels, n):
    from sklearn.model_selection import KFold, StratifiedKFold

    return (StratifiedKFold if labels else KFold)(n, shuffle=True, random_state=SEED)


# Tables: which columns are monotone, and why.


def boston(data):
    """Harrison & Rubinfeld (1978) expect a higher price with more rooms (5), and a lower one with more crime (0),
    nitric oxides (4), pupils a teacher (10) and a larger share of lower status (12)."""
    return {"X": data["X"], "y": data["y"], "signs": {0: -1, 4: -1, 5: 1, 10: -1, 12: -1}}


def yacht(data):
    """The resistance of a hull grows with its speed: the Froude number (5)."""
    return {"X": data["X"], "y": data["y"], "signs": {5: 1}, "masks": data["test_masks"][:MASKS].astype(bool)}


def energy(data):
    """More glass loses more heat: the heating load grows with the glazing area (6)."""
    return {"X": data["X"], "y": data["y"], "signs": {6: 1}, "masks": data["test_masks"][:MASKS].astype(bool)}


def diabetes(data):
    """Progression is expected to grow with body mass index (2), blood pressure (3) and triglycerides (8), and to fall
    with high-density lipoproteins (6)."""
    from sklearn.datasets import load_diabetes

    X, y = load_diabetes(return_X_y=True)
    return {"X": X, "y": y, "signs": {2: 1, 3: 1, 6: -1, 8: 1}}


def car(data):
    """By the decision model that made it a car is no less acceptable for being cheaper (0, 1: from very high to low),
    with more doors (2), a larger boot (4) or safer (5); more persons (3) need doors as well. Label: not unacceptable,
    the class of most rows."""
    labels, counts = np.unique(data["y"], return_counts=True)
    return {"X": data["X"], "y": data["y"] != labels[np.argmax(counts)], "signs": dict.fromkeys((0, 1, 2, 4, 5), 1)}


def mammographic(data):
    """Malignancy is more likely with the radiologist's assessment (0), with age (1), from round to irregular shapes (2)
    and from sharp to spiculated margins (3). Rows whose age, shape, margin or density are missing, coded as the least
    value, are left out."""
    X = data["X"]
    known = np.all(X[:, 1:] > X[:, 1:].min(axis=0), axis=1)
    return {"X": X[known], "y": data["y"][known] == 1, "signs": {0: 1, 1: 1, 2: 1, 3: 1}}


def blood(data):
    """Who gave blood often (1, and its volume 2) and lately (0, months since) is more likely to give again."""
    return {"X": data["X"], "y": data["y"] == 1, "signs": {0: -1, 1: 1, 2: 1}}


def heart(data):
    """Heart disease is more likely with a lower greatest heart rate (7), angina in exercise (8), a larger depression of
    the ST segment (9) and more vessels that fluoroscopy colours (11)."""
    return {"X": data["X"], "y": data["y"] == 1, "signs": {7: -1, 8: 1, 9: 1, 11: 1}}


TABLES: dict[str, tuple[str, Callable]] = {
    "yacht": ("regression/yacht.npz", yacht),
    "heart": ("uci/statlog-heart.npz", heart),
    "diabetes": ("", diabetes),
    "boston": ("boston.npz", boston),
    "blood": ("uci/blood.npz", blood),
    "energy": ("regression/energy.npz", energy),
    "mammographic": ("uci/mammographic.npz", mammographic),
    "car": ("uci/car.npz", car),
}


def tables(settings):
    """The sets asked for that are there."""
    for name, (file, make) in TABLES.items():
        path = settings.data / file
        if not any(text in name for text in settings.only) or not path.exists():
            continue
        with np.load(path) if file else warnings.catch_warnings() as data:
            parts = make(data)
        y = np.asarray(parts.pop("y")).ravel()
        yield Table(name, np.asarray(parts.pop("X"), dtype=float), y if y.dtype == bool else y.astype(float), **parts)


# Competitors: an estimator that tunes itself; `small` leaves one candidate, for warming up.


def ours(table, inner, small, **options):
    import neuralgauge as ng

    kind = ng.ReLUClassifierCV if table.labels else ng.ReLURegressorCV
    scoring = "neg_log_loss" if table.labels else "neg_mean_squared_error"
    betas = {"n_betas": 2 if small else CANDIDATES, "beta_min_ratio": 0.3 if small else 1e-4}
    return kind(**betas, cv=inner, scoring=scoring, gap=1e-2, time_limit=TIME_LIMIT, n_jobs=1, **options)


def boosting(table, inner, small, **options):
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.model_selection import GridSearchCV

    grid = {
        "learning_rate": [0.03, 0.1],
        "max_iter": [50, 200],
        "max_leaf_nodes": [4, 16],
        "min_samples_leaf": [20, 5],
    }
    kind = HistGradientBoostingClassifier if table.labels else HistGradientBoostingRegressor
    scoring = "neg_log_loss" if table.labels else "neg_mean_squared_error"
    model = kind(early_stopping=False, random_state=SEED, **options)
    candidates = {name: values[:1] for name, values in grid.items()} if small else grid
    return GridSearchCV(model, candidates, cv=inner, scoring=scoring, n_jobs=1)


COMPETITORS: dict[str, Callable] = {
    "ours": ours,
    "ours, monotone": lambda table, *rest: ours(table, *rest, monotonic_cst=table.cst),
    "boosting": boosting,
    "boosting, monotone": lambda table, *rest: boosting(table, *rest, monotonic_cst=table.cst),
}


# One outer split.


def measured(table, competitor, train, test):
    """Errors, share of violations, and processor seconds."""
    inner = splitter(table.labels, INNER)
    few = np.linspace(0, len(table.y) - 1, 60).astype(int)
    COMPETITORS[competitor](table, inner, True).fit(table.X[few], table.y[few])
    start = time.process_time()
    model = COMPETITORS[competitor](table, inner, False).fit(table.X[train], table.y[train])
    f = predicted(model, table, table.X[test])
    processor, y = time.process_time() - start, table.y[test]
    if table.labels:
        loss = -np.mean(np.log(np.clip(np.where(y, f, 1.0 - f), 1e-15, 1.0)))
        return {"error": loss, "wrong": np.mean((f > 0.5) != y), "processor": processor, **violations(model, table)}
    error = np.sqrt(np.mean((f - y) ** 2)) / np.std(table.y)
    return {"error": error, "processor": processor, **violations(model, table)}


def predicted(model, table, X):
    """Numbers, or probabilities of True."""
    return model.predict_proba(X)[:, 1] if table.labels else model.predict(X)


def violations(model, table):
    rng = np.random.default_rng(SEED)
    low = table.X[rng.integers(len(table.X), size=PAIRS)]
    high, column = low.copy(), rng.choice(list(table.signs), PAIRS)
    pairs = np.arange(PAIRS)
    values = np.sort([low[pairs, column], table.X[rng.integers(len(table.X), size=PAIRS), column]], axis=0)
    low[pairs, column], high[pairs, column] = values
    f = np.array([predicted(model, table, low), predicted(model, table, high)])
    rise = (f[1] - f[0]) * np.array([table.signs[j] for j in column])
    return {"violations": np.mean(rise < -VIOLATED * np.ptp(f))}


def run(table, competitor, results):
    for fold, (train, test) in enumerate(table.folds()):
        if str(fold) not in results.of(table, competitor):
            found = measured(table, competitor, train, test)
            results.add(table, competitor, fold, {name: float(value) for name, value in found.items()})


# Printing: Markdown.


def cells(table, competitor, results):
    folds = results.of(table, competitor).values()
    if len(folds) < table.n_folds:
        return ["", "", ""]
    errors = [fold["error"] for fold in folds]
    wrong = f" ({100 * results.mean(table, competitor, 'wrong'):.1f} %)" if table.labels else ""
    return [
        f"{np.mean(errors):.3f} ± {np.std(errors, ddof=1):.3f}{wrong}",
        f"{100 * results.mean(table, competitor, 'violations'):.1f} %",
        f"{table.n_folds * results.mean(table, competitor, 'processor'):.0f}",
    ]


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[""], metavar="TEXT", help="sets with one of these in their name")
    parser.add_argument("--competitors", nargs="+", choices=COMPETITORS, default=list(COMPETITORS), metavar="NAME")
    parser.add_argument("--rerun", nargs="+", choices=COMPETITORS, default=[], metavar="NAME", help="run these anew")
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="folder with the sets")
    parser.add_argument("--save", type=Path, metavar="FILE.json", help="keep every result here and continue from it")
    return parser.parse_args()


def main():
    warnings.simplefilter("ignore")  # fits that reach their time or iteration limit are counted as they are
    settings = parse()
    results = Results(settings.save)
    print(f"{platform.machine()}, {os.cpu_count()} cores, one thread, Python {platform.python_version()}\n")
    heads = [f"{name} | violations | s" for name in settings.competitors]
    print("| table | n | d | monotone | " + " | ".join(heads) + " |")
    print("|---|--:|--:|--:|" + "--:|" * 3 * len(heads), flush=True)
    for table in tables(settings):
        row = [table.name, str(len(table.y)), str(table.X.shape[1]), str(len(table.signs))]
        for name in settings.competitors:
            if name in settings.rerun:
                results.forget(table, name)
            run(table, name, results)
            row += cells(table, name, results)
        print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 1 and not DEFAULT_DATA.exists():
        print(f"monotone left out: there are no sets in {DEFAULT_DATA}", file=sys.stderr)
    else:
        with threadpool_limits(1):
            main()
