"""Bounds of `prove_bound` on degenerate problems by the thousand, held against objectives in exact arithmetic.

    python benchmarks/soundness.py [--problems 10000] [--first 0] [--processes 1] [--several]

The problems and what counts as false are those of `tests/degenerate/proofs.py`, of which `make test-all` runs some
three hundred: one output (with `--several` more, and softmax), rank <= 3, all losses, weights, offsets, repeated, zero,
collinear and nearly equal rows, scales from 1e-8 to 1e8, beta from 1e-6 to 2 times beta_max. Half of the proofs start
at the network. Prints every false bound as it is found, and at the end counts and the worst margin. Deterministic.
"""

import argparse
import sys
import time
from collections import Counter
from functools import partial
from itertools import count, islice, pairwise
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from degenerate.proofs import is_covered, proof_of
from joblib import Parallel, delayed

MARGINS = (0.0, 1e-12, 1e-9, 1e-6, 1e-3, 1e-2, 0.1, 1.0)


def main():
    """Print what is false, and counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--several", action="store_true", help="problems of several outputs")
    given = parser.parse_args()
    seeds = list(islice(filter(partial(is_covered, several=given.several), count(given.first)), given.problems))
    begun, found, false = time.perf_counter(), [], []
    for proof in Parallel(given.processes, return_as="generator")(delayed(proof_of)(seed) for seed in seeds):
        if proof is None:
            continue
        found.append(proof)
        false += proof.false
        for sentence in proof.false:
            print(f"{sentence} ({proof.loss}; {', '.join(proof.kinds)}; share {proof.share:.1e})", flush=True)
        if len(found) % 1000 == 0:
            print(f"{len(found)} problems, {len(false)} false, {time.perf_counter() - begun:.0f} s", flush=True)
    margins = np.array([proof.margin for proof in found])
    worst = found[int(np.argmin(margins))]
    print(f"{len(seeds)} problems, seeds {seeds[0]} to {seeds[-1]}; {len(seeds) - len(found)} are refused")
    print(f"{len(false)} statements are false")
    print(f"least margin (optimum - bound) / optimum: {margins.min():.3g}, seed {worst.seed}")
    for low, high in pairwise(MARGINS):
        inside = np.count_nonzero((margins >= low) & ((margins < high) | (high == MARGINS[-1])))
        print(f"  {inside:6d} with a margin from {low:g} to {high:g}")
    print(
        f"{sum(proof.known for proof in found)} optima are proven to 1e-6 by exact pricing; the others are upper bounds"
    )
    print(f"losses: {dict(Counter(proof.loss for proof in found))}")
    print(f"{time.perf_counter() - begun:.0f} s")
    return bool(false)


if __name__ == "__main__":
    sys.exit(main())
