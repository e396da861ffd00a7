"""Train and certify on a million rows that are made on the workers of a Dask cluster and stay there."""

import dask.array as da
from distributed import Client

import neuralgauge as ng

ROWS, COLUMNS, BLOCK = 1_000_000, 20, 125_000


def table() -> tuple[da.Array, da.Array]:
    """Random rows, and targets that four of their columns make, with noise."""
    X = da.random.default_rng(0).standard_normal((ROWS, COLUMNS), chunks=(BLOCK, COLUMNS))
    noise = da.random.default_rng(1).standard_normal(ROWS, chunks=BLOCK)
    return X, da.sin(2.0 * X[:, 0]) + da.fabs(X[:, 1]) + X[:, 2] * da.sign(X[:, 3]) + 0.3 * noise


def main() -> None:
    """One local cluster, one training, one certificate."""
    # Two workers of one thread on this machine; Client("tcp://scheduler:8786") for a cluster.
    with Client(n_workers=2, threads_per_worker=1, dashboard_address=":0") as client:
        print(client)
        X, y = table()
        problem = ng.TrainingProblem(X, y, beta=1.0)
        beta_max = ng.beta_max(problem)
        print(f"{problem.n:,} rows of {problem.d} columns in {len(client.nthreads())} workers, beta_max {beta_max:.4g}")
        print("\nseconds   objective  lower bound  neurons", flush=True)

        def show(record: ng.Record) -> None:
            print(f"{record.seconds:7.1f}  {record.objective:10.6g}  {record.lower_bound:11.6g}  {record.n_neurons:7}")

        solution = ng.train(problem.with_beta(0.03 * beta_max), gap=2e-2, time_limit=240.0, progress=show)
        print(f"\n{solution.certificate}\nneurons    {solution.network.n_neurons}\nstatus     {solution.status}")
        error, variance = float(((y - problem.outputs(solution.network)) ** 2).mean()), float(y.var())
        print(f"R^2        {1.0 - error / variance:.3f}, of at most {1.0 - 0.09 / variance:.3f} with this noise")


if __name__ == "__main__":
    main()
