"""Classification: accuracy and seconds on the UCI sets, ours against scikit-learn's classifiers, everyone tuned alike.

    python benchmarks/classification.py [--only TEXT ...] [--competitors NAME ...] [--rerun NAME ...] [--data FOLDER]
                                        [--save FILE.json] [--quick] [--json]

Data: NAME.npz with X (n, d) and labels y in the folder uci of the data folder; the test file that some sets have
besides is not used. All sets of two classes count; of those with more, the four named below.

Outer folds: five stratified folds, shuffled with seed 0; for a set of more than 2,000 rows one stratified split with
2,000 rows for training and the rest for testing. Inner folds, by which everyone is tuned on the training rows: three
stratified folds, shuffled with seed 0. The parameters of highest mean accuracy are fitted again to all training rows,
the first of equals in the order of the grid, which begins with the simplest model. Columns are standardised by the
training rows. Everyone has one job and one thread of BLAS, OpenMP and Numba, in a process of its own for each outer
fold, one after another; imports and a small fit come before the clock. Seconds are processor time for tuning, the last
fit and the prediction, of all threads together, so that those our pricing starts are counted in full.

MLPClassifier is there twice: with L-BFGS, which scikit-learn's guide advises for small data, for at most 500
iterations, and with Adam (learning rate 0.01) for at most 500 epochs. Ours tries 12 penalties over three powers of ten,
and smaller ones while they score better; its last fit goes to a gap of 1e-2 or until patience or ten minutes end it.
--save keeps every result, and what it has is not run again; --rerun runs the named competitors anew.
"""

import argparse
import importlib.util
import json
import os
import platform
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from measure import THREAD_VARIABLES, run_apart
from measure import main as run_as_competitor

DEFAULT_DATA = Path(os.environ.get("NEURALGAUGE_DATA", "../shared/data"))
OUTER, INNER, SEED = 5, 3, 0
MOST_TRAINING_ROWS = 2000
TIME_LIMIT = 600.0  # seconds for one of our fits; large sets with little penalty take longer
QUICK_ROWS = 250
SEVERAL_CLASSES = ("wine", "iris", "glass", "vertebral-column-3clases")


# Competitors: from the inner folds to an estimator that tunes itself; `small` leaves one candidate, for warming up.


def neuralgauge(inner, n_classes, small, rule="best", offset=False):
    import neuralgauge as ng

    loss = "logistic" if n_classes == 2 else "softmax"
    n_betas = 3 if small else 12
    options = {"n_betas": n_betas, "cv": inner, "gap": 1e-2, "time_limit": TIME_LIMIT}
    return ng.ReLUClassifierCV(loss=loss, offset=offset, rule=rule, n_jobs=1, **options)


def neuralgauge_simpler(inner, n_classes, small):
    return neuralgauge(inner, n_classes, small, rule="one_standard_error")


def neuralgauge_offset(inner, n_classes, small):
    return neuralgauge(inner, n_classes, small, offset=True)


def neuralgauge_auto(inner, n_classes, small):
    return neuralgauge(inner, n_classes, small, offset="auto")


def mlp_lbfgs(inner, n_classes, small):
    return mlp(inner, small, solver="lbfgs")


def mlp_adam(inner, n_classes, small):
    return mlp(inner, small, solver="adam", learning_rate_init=0.01)


def mlp(inner, small, **options):
    from sklearn.neural_network import MLPClassifier

    grid = {"hidden_layer_sizes": [(10,), (50,), (100,)], "alpha": [10.0, 1.0, 1e-1, 1e-2, 1e-4]}
    return tuned(MLPClassifier(max_iter=500, random_state=SEED, **options), grid, inner, small)


def svc(inner, n_classes, small):
    from sklearn.svm import SVC

    return tuned(SVC(), {"C": [0.1, 1.0, 10.0, 100.0, 1000.0], "gamma": [1e-4, 1e-3, 1e-2, 1e-1, 1.0]}, inner, small)


def boosting(inner, n_classes, small):
    from sklearn.ensemble import HistGradientBoostingClassifier

    grid = {
        "learning_rate": [0.03, 0.1, 0.3],
        "max_iter": [50, 200],
        "max_leaf_nodes": [4, 16],
        "min_samples_leaf": [20, 5],
    }
    return tuned(HistGradientBoostingClassifier(early_stopping=False, random_state=SEED), grid, inner, small)


def tuned(estimator, grid, inner, small):
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    candidates = {f"model__{name}": values[:1] if small else values for name, values in grid.items()}
    scaled = Pipeline([("scaler", StandardScaler()), ("model", estimator)])
    return GridSearchCV(scaled, candidates, cv=inner, n_jobs=1)


COMPETITORS: dict[str, Callable] = {
    "neuralgauge": neuralgauge,
    "neuralgauge-1se": neuralgauge_simpler,
    "neuralgauge-offset": neuralgauge_offset,
    "neuralgauge-auto": neuralgauge_auto,
    "mlp-lbfgs": mlp_lbfgs,
    "mlp-adam": mlp_adam,
    "svc": svc,
    "boosting": boosting,
}
OURS = ("neuralgauge", "neuralgauge-1se", "neuralgauge-offset", "neuralgauge-auto")
DEFAULT_COMPETITORS = tuple(name for name in COMPETITORS if name not in OURS[1:])


# What a process of its own runs.


def classify(competitor):
    """One outer fold: tune and fit on its training rows, predict the others."""

    def prepare(data):
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.model_selection import StratifiedKFold
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        warnings.simplefilter("ignore", ConvergenceWarning)
        X, y, train, test = data["X"], data["y"], data["train"], data["test"]
        inner, n_classes = StratifiedKFold(INNER, shuffle=True, random_state=SEED), len(np.unique(y))

        def estimator(small):
            return make_pipeline(StandardScaler(), COMPETITORS[competitor](inner, n_classes, small))

        few = np.random.default_rng(SEED).standard_normal((60, X.shape[1]))
        estimator(small=True).fit(few, np.arange(len(few)) % n_classes)

        def solve():
            start = processor_seconds()
            predicted = estimator(small=False).fit(X[train], y[train]).predict(X[test])
            return {"processor": processor_seconds() - start, "accuracy": np.mean(predicted == y[test])}

        return solve

    return prepare


def processor_seconds():
    """Of this process and the children it has waited for."""
    return sum(os.times()[:4])


# Data and folds.


@dataclass
class Table:
    """One set and its outer folds."""

    name: str
    X: np.ndarray
    y: np.ndarray

    @property
    def n_classes(self) -> int:
        return len(np.unique(self.y))

    @property
    def n_folds(self) -> int:
        return 1 if len(self.y) > MOST_TRAINING_ROWS else OUTER

    def folds(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Training and test rows of each."""
        from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit

        if self.n_folds == 1:
            sizes = {"train_size": MOST_TRAINING_ROWS, "test_size": len(self.y) - MOST_TRAINING_ROWS}
            return StratifiedShuffleSplit(1, **sizes, random_state=SEED).split(self.X, self.y)
        return StratifiedKFold(OUTER, shuffle=True, random_state=SEED).split(self.X, self.y)


def tables(settings):
    """The sets asked for, small ones first."""
    found = []
    for file in (settings.data / "uci").glob("*.npz"):
        if any(text.lower() in file.stem.lower() for text in settings.only):
            with np.load(file) as data:
                table = Table(file.stem, np.asarray(data["X"], dtype=float), np.asarray(data["y"]).ravel())
            small = not settings.quick or len(table.y) <= QUICK_ROWS
            if small and (table.n_classes == 2 or table.name in SEVERAL_CLASSES):
                found.append(table)
    return sorted(found, key=lambda table: (len(table.y), table.name))


# Running.


class Results:
    """Accuracy and seconds by set, competitor and outer fold, written to the file at every change."""

    def __init__(self, file: Path | None):
        self.file = file
        self.known = json.loads(file.read_text()) if file and file.exists() else {}

    def of(self, table: Table, competitor: str) -> dict[str, dict[str, float]]:
        return self.known.setdefault(table.name, {}).setdefault(competitor, {})

    def forget(self, table: Table, competitor: str) -> None:
        self.known.get(table.name, {}).pop(competitor, None)

    def add(self, table: Table, competitor: str, fold: int, result: dict[str, float]) -> None:
        self.of(table, competitor)[str(fold)] = result
        if self.file:
            unfinished = self.file.with_name(self.file.name + ".unfinished")
            unfinished.write_text(json.dumps(self.known, indent=1))
            unfinished.replace(self.file)

    def mean(self, table: Table, competitor: str, what: str) -> float:
        """Over the outer folds; NaN before all are known."""
        folds = self.of(table, competitor)
        return float(np.mean([fold[what] for fold in folds.values()])) if len(folds) == table.n_folds else np.nan

    def array(self, found: list[Table], competitors: list[str], what: str) -> np.ndarray:
        """Means, (sets, competitors)."""
        return np.array([[self.mean(table, name, what) for name in competitors] for table in found])


def run(competitor, data):
    found = run_apart(__file__, competitor, data, dict.fromkeys(THREAD_VARIABLES, 1))
    return {key: float(found[key]) for key in ("accuracy", "processor", "seconds")}


def measure(table, competitor, results):
    for fold, (train, test) in enumerate(table.folds()):
        if str(fold) not in results.of(table, competitor):
            found = run(competitor, {"X": table.X, "y": table.y, "train": train, "test": test})
            results.add(table, competitor, fold, found)


def available(competitors):
    """Those that can run here, with a line on those that cannot."""
    if not set(OURS) & set(competitors):
        return competitors
    if importlib.util.find_spec("neuralgauge") is not None:
        import neuralgauge

        if hasattr(neuralgauge, "ReLUClassifierCV"):
            return competitors
    print("neuralgauge left out: it has no ReLUClassifierCV here", file=sys.stderr)
    return [name for name in competitors if name not in OURS]


# Printing.


def header(competitors):
    columns = "".join(f"{name:>17}" for name in competitors)
    return f"{'set':28} {'n':>6} {'d':>4} {'c':>2}{columns}"


def row(table, competitors, results):
    """Accuracy in percent and the seconds of all outer folds."""
    cells = [
        f"{100 * results.mean(table, name, 'accuracy'):8.2f} "
        f"{table.n_folds * results.mean(table, name, 'processor'):6.1f} s"
        for name in competitors
    ]
    return f"{table.name:28} {len(table.y):6} {table.X.shape[1]:4} {table.n_classes:2} " + " ".join(cells)


def summary(found, competitors, results):
    """Mean accuracy, mean rank with ties averaged and total seconds, in the order of the competitors."""
    from scipy.stats import rankdata

    accuracy = results.array(found, competitors, "accuracy")
    seconds = results.array(found, competitors, "processor") * [[table.n_folds] for table in found]
    # Equal counts of hits can differ in the last bit after averaging.
    ranks = rankdata(-np.round(accuracy, 10), axis=1, nan_policy="propagate")
    return {
        "mean accuracy": accuracy.mean(axis=0).tolist(),
        "mean rank": ranks.mean(axis=0).tolist(),
        "total seconds": seconds.sum(axis=0).tolist(),
    }


def closing(found, competitors, results):
    lines, formats = summary(found, competitors, results), ("16.2f", "16.2f", "14.1f")
    scales, units = (100, 1, 1), ("", "", " s")
    for (label, values), form, scale, unit in zip(lines.items(), formats, scales, units, strict=True):
        cells = [f"{format(scale * value, form)}{unit}" for value in values]
        yield f"{label:44}" + " ".join(cells)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[""], metavar="TEXT", help="sets with one of these in their name")
    parser.add_argument(
        "--competitors", nargs="+", choices=COMPETITORS, default=list(DEFAULT_COMPETITORS), metavar="NAME",
        help=f"of {', '.join(COMPETITORS)}; default all but {' and '.join(OURS[1:])}",
    )  # fmt: skip
    parser.add_argument("--rerun", nargs="+", choices=COMPETITORS, default=[], metavar="NAME", help="run these anew")
    parser.add_argument("--data", type=Path, default=DEFAULT_DATA, help="folder with the folder uci of the sets")
    parser.add_argument("--save", type=Path, metavar="FILE.json", help="keep every result here and continue from it")
    parser.add_argument("--quick", action="store_true", help=f"only sets of at most {QUICK_ROWS} rows")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    return parser.parse_args()


def main():
    settings = parse()
    results, competitors, measured = Results(settings.save), available(settings.competitors), {}
    conditions = f"{platform.machine()}, {os.cpu_count()} cores, one BLAS thread, Python {platform.python_version()}"
    found = tables(settings)
    if not found:
        print(f"classification left out: there is no such set in {settings.data / 'uci'}", file=sys.stderr)
    if not found or not competitors:
        return
    if not settings.json:
        print(f"{conditions}; accuracy in percent, processor seconds")
    parts = {"two classes": lambda table: table.n_classes == 2, "several classes": lambda table: table.n_classes > 2}
    for part, belongs in parts.items():
        members = [table for table in found if belongs(table)]
        if members and not settings.json:
            print(f"\n{part}\n{header(competitors)}", flush=True)
        for table in members:
            for name in competitors:
                if name in settings.rerun:
                    results.forget(table, name)
                measure(table, name, results)
            if not settings.json:
                print(row(table, competitors, results), flush=True)
        if members:
            measured[part] = dict(zip(competitors, by_competitor(members, competitors, results), strict=True))
            if not settings.json:
                print("\n".join(closing(members, competitors, results)), flush=True)
    if settings.json:
        print(json.dumps({"conditions": conditions, "parts": measured}))


def by_competitor(members, competitors, results):
    """For JSON: the summary and the sets of each competitor."""
    lines = summary(members, competitors, results)
    for k, name in enumerate(competitors):
        sets = {table.name: list(results.of(table, name).values()) for table in members}
        yield {**{label: values[k] for label, values in lines.items()}, "sets": sets}


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in COMPETITORS:
        run_as_competitor({name: classify(name) for name in COMPETITORS})
    else:
        main()
