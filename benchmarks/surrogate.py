"""An optimum over a network: ours against scikit-learn's MLP with 100 neurons of equal test error, by one solver.

    python benchmarks/surrogate.py [--only NAME ...] [--data FOLDER] [--limit SECONDS] [--save FILE.json]

Tables: energy and yacht, NAME.npz with X and y in the folder regression of the data folder, and boston; scikit-learn's
diabetes; Friedman's three functions, 400 rows with noise. 70 % of the rows for training, shuffled with seed 0; columns
and targets are standardised by them.

Errors are made equal: the larger of the least test errors that either reaches, and 2 %. The MLP has 100 neurons, L-BFGS
with at most 1,000 iterations, and the largest of 13 weight decays with that error; ours has the fewest neurons with it,
on a path of 20 penalties pruned to widths from 4 to 48. The test rows choose both, and say nothing of new rows.

Each network is minimised and maximised over the box of the training rows, by SciPy's HiGHS with one thread's processor
seconds: by the rows that hold for any objective ("plain"), and by those that the sense needs ("by sense");
`output_range` proves the optimum. --limit ends a call; its seconds are then the limit and its gap is counted.
"""

import argparse
import json
import os
import time
import warnings
from pathlib import Path

import numpy as np
from classification import DEFAULT_DATA, SEED
from scipy.optimize import milp
from sklearn.datasets import load_diabetes, make_friedman1, make_friedman2, make_friedman3
from sklearn.neural_network import MLPRegressor
from threadpoolctl import threadpool_limits

import neuralgauge as ng

TABLES = ("yacht", "energy", "boston", "diabetes", "friedman1", "friedman2", "friedman3")
DECAYS = 10.0 ** np.arange(-4.0, 2.5, 0.5)
NEURONS = 100
EQUAL, WIDTHS = 1.02, (4, 6, 8, 12, 16, 24, 32, 48)


def table(name, folder):
    made = {
        "friedman1": (make_friedman1, 1.0),
        "friedman2": (make_friedman2, 100.0),
        "friedman3": (make_friedman3, 0.1),
    }
    if name in made:
        make, noise = made[name]
        return make(400, noise=noise, random_state=SEED)
    if name == "diabetes":
        return load_diabetes(return_X_y=True)
    with np.load(Path(folder, f"{name}.npz" if name == "boston" else f"regression/{name}.npz")) as data:
        return data["X"].astype(float), data["y"].astype(float).reshape(len(data["X"]), -1)[:, 0]


def split(X, y):
    order = np.random.default_rng(SEED).permutation(len(X))
    train, test = np.split(order, [int(0.7 * len(X))])
    used = X[train].std(axis=0) > 0
    mean, scale = X[train].mean(axis=0)[used], X[train].std(axis=0)[used]
    X, y = (X[:, used] - mean) / scale, (y - y[train].mean()) / y[train].std()
    return X[train], y[train], X[test], y[test]


def error(network, X, y):
    return float(np.sqrt(np.mean((network.predict(X) - y) ** 2)))


def networks(data):
    """The MLP, and ours of equal test error."""
    X, y, X_test, y_test = data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlps = [
            MLPRegressor(
                hidden_layer_sizes=(NEURONS,), solver="lbfgs", alpha=decay, max_iter=1000, random_state=SEED
            ).fit(X, y)
            for decay in DECAYS
        ]
        problem = ng.TrainingProblem(X, y, beta=1.0, offset=True)
        path = ng.relu_path(problem, n_betas=20, gap=1e-2, time_limit=120.0, prove=False, n_jobs=1)
        own = [solution.network for solution in path.solutions]
        wanted = EQUAL * max(min(error(model, X_test, y_test) for model in some) for some in (mlps, own))
        mlp = [model for model in mlps if error(model, X_test, y_test) <= wanted][-1]
        return {"MLP": mlp, "ours": fewest(problem, path, wanted, X_test, y_test)}


def fewest(problem, path, wanted, X, y):
    """The network of fewest neurons with the error, from the four of the path that are best or good first."""
    own = [(error(solution.network, X, y), k) for k, solution in enumerate(path.solutions)]
    good = [k for found, k in own if found <= wanted]
    chosen = dict.fromkeys(good[:2] + [k for _, k in sorted(own)[:2]])
    for width in WIDTHS:
        for k in chosen:
            network = path.solutions[k].network
            if network.n_neurons > width:
                network = ng.prune(network, problem.with_beta(path.betas[k]), width).network
            if error(network, X, y) <= wanted:
                return network
    return path.solutions[good[0]].network


def timed(call):
    start = time.process_time()
    result = call()
    return result, time.process_time() - start


def plain(model, sense, limit):
    cost = model.cost() if sense == "minimize" else -model.cost()
    options = {"mip_rel_gap": 1e-6, "time_limit": limit}
    result = milp(
        cost, constraints=model.constraints, bounds=model.bounds, integrality=model.integrality, options=options
    )
    return {"nodes": int(result.mip_node_count or 0), "solved": result.status == 0}


def by_sense(model, sense, limit):
    result = getattr(model, sense)(gap=1e-6, time_limit=limit)
    return {"nodes": result.nodes, "solved": result.status == "solved", "value": result.value}


def proven(network, box, limit):
    found, seconds = timed(lambda: ng.output_range(network, *box, gap=1e-6, time_limit=2.0 * limit))
    both = (found.minimum, found.maximum)
    solved = all(one.gap <= 1e-5 * (found.maximum.value - found.minimum.value) for one in both)
    return {"method": "proven", "seconds": seconds, "nodes": sum(one.nodes for one in both), "solved": solved}


def measured(network, box, limit):
    """A row a method, both senses added up."""
    exact = ng.surrogate(network, *box)
    binaries = {"plain": [exact.n_binaries] * 2}
    binaries["by sense"] = [ng.surrogate(network, *box, sense=sense).n_binaries for sense in ("minimize", "maximize")]
    _ = exact.A  # built before the clock
    for method, call in (("plain", plain), ("by sense", by_sense)):
        runs = [timed(lambda sense=sense, call=call: call(exact, sense, limit)) for sense in ("minimize", "maximize")]
        yield {
            "method": method,
            "binaries": sum(binaries[method]),
            "nodes": sum(run["nodes"] for run, _ in runs),
            "seconds": sum(seconds for _, seconds in runs),
            "solved": all(run["solved"] for run, _ in runs),
        }
    yield proven(network, box, limit)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=TABLES, default=TABLES)
    parser.add_argument("--data", default=os.environ.get("NEURALGAUGE_DATA", DEFAULT_DATA))
    parser.add_argument("--limit", type=float, default=30.0)
    parser.add_argument("--save")
    options = parser.parse_args()
    with threadpool_limits(1):
        run(options)


def run(options):
    results = []
    for name in options.only:
        data = split(*table(name, options.data))
        for who, network in networks(data).items():
            box = data[0].min(axis=0), data[0].max(axis=0)
            dense = network if who == "ours" else ng.surrogate(network, *box).network
            head = {"table": name, "network": who, "neurons": dense.n_neurons, "error": error(network, *data[2:])}
            for row in measured(dense, box, options.limit):
                results.append({**head, **row})
                print(json.dumps(results[-1]), flush=True)
            if options.save:
                Path(options.save).write_text(json.dumps(results, indent=1))
    medians(results)


def medians(results):
    """Over the tables, of each network and method."""
    for who in ("ours", "MLP"):
        for method in ("plain", "by sense", "proven"):
            rows = [row for row in results if (row["network"], row["method"]) == (who, method)]
            middle = {key: float(np.median([row.get(key, np.nan) for row in rows])) for key in ("nodes", "seconds")}
            print(who, method, middle, f"solved {sum(row['solved'] for row in rows)} of {len(rows)}")


if __name__ == "__main__":
    main()
