"""Training on several outputs: objective, lower bound and gap against processor seconds.

    python benchmarks/several_outputs.py --table [--only TEXT ...] [--limit SECONDS]

scikit-learn's digits, pixels / 16, 1,797 x 64 and ten classes; and four classes of 850 points with 18 features, made by
`make_classification` with seed 0 and standardised. A column of ones is appended, the loss is softmax, beta is a share
of beta_max. One thread; a small training run comes before the clock, which begins with `train` and counts the seconds
of the processor. Gaps are "estimated": bounds by a search for the largest score. The last row of a problem is the
certificate, after the search that confirms it.
"""

import argparse
import os
import time
from dataclasses import dataclass

for library in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402

GAP = 1e-2
SHOWN = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)  # seconds


@dataclass(frozen=True)
class Case:
    """One problem, and the processor seconds in which the gap must be reached."""

    name: str
    share: float
    within: float

    @property
    def title(self) -> str:
        return f"{self.name}, {100 * self.share:g} % of beta_max"


CASES = [
    Case("digits", 0.03, 15),
    Case("digits", 0.003, 90),
    Case("four classes", 0.01, 6),
    Case("four classes", 0.003, 40),
]


def data(name):
    from sklearn.datasets import load_digits, make_classification

    if name == "digits":
        X, y = load_digits(return_X_y=True)
        return X / 16.0, y
    X, y = make_classification(850, 18, n_informative=10, n_redundant=4, n_classes=4, random_state=0)
    return (X - X.mean(axis=0)) / X.std(axis=0), y


def trace(case, limit):
    """Rows of (processor seconds, objective, lower bound, gap): the history, and the certificate."""
    import neuralgauge as ng

    X, y = data(case.name)
    problem = ng.TrainingProblem(X, y, beta=1.0, loss="softmax")
    problem = problem.with_beta(case.share * ng.beta_max(problem))
    ng.train(problem.part(np.arange(0, problem.n, 4)), 1.0, n_jobs=1)
    rows, begun = [], time.process_time()

    def note(record):
        rows.append((time.process_time() - begun, record.objective, record.lower_bound))

    found = ng.train(problem, GAP, time_limit=limit, n_jobs=1, prove=False, progress=note).certificate
    rows.append((time.process_time() - begun, found.upper, found.lower))
    return [(*row, 1.0 - row[2] / row[1]) for row in rows]


def table(cases, limit):
    for case in cases:
        rows = trace(case, limit or 2.0 * case.within)
        reached = rows[-1][0] if rows[-1][3] <= GAP else np.inf  # a gap of the history may not survive the last search
        print(f"\n{case.title}: gap {GAP:g} within {case.within:g} s: {'yes' if reached <= case.within else 'no'}\n")
        print("| seconds | objective | lower bound | gap |\n|---|---|---|---|")
        at = {max((k for k, row in enumerate(rows) if row[0] <= seconds), default=0) for seconds in SHOWN}
        for k in sorted(at | {len(rows) - 1}):
            seconds, objective, bound, gap = rows[k]
            print(f"| {seconds:.1f} | {objective:.3f} | {bound:.3f} | {gap:.1e} |", flush=True)


def run():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", action="store_true", help="print the tables")
    parser.add_argument("--only", nargs="+", default=[""], help="problems whose title contains one of these")
    parser.add_argument("--limit", type=float, help="seconds of each problem; by default twice what is allowed")
    options = parser.parse_args()
    if not options.table:
        parser.error("nothing to do: give --table")
    table([case for case in CASES if any(text in case.title for text in options.only)], options.limit)


if __name__ == "__main__":
    run()
