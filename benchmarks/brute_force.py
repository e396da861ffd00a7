"""Degenerate problems by the thousand: every statement of the package against independent brute force.

    python benchmarks/brute_force.py [--first 0] [--count 5000] [--limit 2] [--json FILE]

The problems, their brute force and what counts as false are those of `tests/degenerate`, of which `make test-all` runs
two hundred. Prints every false statement, exception and odd end (warnings, runs short of their gap) as it is found, and
at the end how many there were of each kind and the processor seconds of every function. A problem takes some 0.3 s.
"""

import argparse
import json
import re
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from degenerate.claims import check


def kind_of(statement):
    """The statement without its numbers, so that those of one kind can be counted."""
    return re.sub(r"-?\d+\.?\d*([eE][-+]?\d+)?", "#", statement)[:110]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--count", type=int, default=5000, help="number of problems")
    parser.add_argument("--limit", type=float, default=2.0, help="seconds that one call may take")
    parser.add_argument("--json", type=Path, help="file for one line of JSON a problem")
    settings = parser.parse_args()
    found = {"false": Counter(), "raised": Counter(), "odd": Counter()}
    seconds, problems, start = Counter(), Counter(), time.process_time()
    lines = settings.json.open("a", encoding="utf-8") if settings.json else None
    for seed in range(settings.first, settings.first + settings.count):
        report = check(seed, settings.limit)
        for title, counts in found.items():
            statements = getattr(report, title)
            counts.update(set(map(kind_of, statements)))
            problems[title] += bool(statements)
        seconds.update(report.seconds)
        shown = {
            "seed": seed,
            "loss": report.case.loss,
            "kinds": report.case.kinds,
            "shape": [*report.case.X.shape, *report.case.y.shape[1:]],
            "rank": report.rank,
            **{title: getattr(report, title) for title in found},
            "seconds": {name: round(value, 4) for name, value in report.seconds.items()},
        }
        if lines:
            print(json.dumps(shown), file=lines, flush=True)
        if any(shown[title] for title in found):
            print(json.dumps({name: value for name, value in shown.items() if name != "seconds"}), flush=True)
    for title, counts in found.items():
        print(f"{problems[title]} of {settings.count} problems: {title}")
        for statement, count in counts.most_common():
            print(f"{count:6} {statement}")
    for name, value in seconds.most_common():
        print(f"{value:10.1f} s {name}")
    print(f"{time.process_time() - start:10.1f} s in all")


if __name__ == "__main__":
    main()
