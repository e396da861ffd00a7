"""Threads: how many, one pool a run, none where joblib has its own, and the same result with any number."""

import multiprocessing
import os
import subprocess
import sys
import threading

import joblib
import numpy as np
import pytest
from threadpoolctl import threadpool_info

import neuralgauge as ng
from neuralgauge import _threads
from neuralgauge._threads import in_threads, n_threads, threads


def problem_of(kind):
    rng = np.random.default_rng(0)
    if kind == "images":
        images, y = rng.standard_normal((12, 5, 5, 1)), rng.standard_normal(12)
        return ng.ReLUConvProblem(images, y, beta=0.5, filter_size=3)
    X = rng.standard_normal((60, 6))
    y = np.abs(X @ rng.standard_normal((6, 2 if kind == "two outputs" else 1)))
    return ng.TrainingProblem(X, y, beta=3.0)


def alive():
    return [thread for thread in threading.enumerate() if thread.name.startswith(_threads.NAME)]


def blas_threads():
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


class TestNumber:
    def test_as_in_joblib(self):
        cores = joblib.cpu_count()
        assert (n_threads(3), n_threads(np.int64(2))) == (3, 2)
        assert (n_threads(-1), n_threads(-cores - 5)) == (cores, 1)
        assert n_threads(None) == min(8, cores)
        with joblib.parallel_config(n_jobs=5):
            assert (n_threads(None), n_threads(2)) == (5, 2)

    @pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs an operating system that pins processes")
    def test_only_cores_that_the_process_may_use(self):
        code = (
            "import os; os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:1])\n"
            "from neuralgauge._threads import n_threads; print(n_threads(None), n_threads(-1))"
        )
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
        assert found.stdout.split() == ["1", "1"]

    @pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
    def test_one_inside_a_worker_of_joblib(self, backend):
        found = joblib.Parallel(n_jobs=2, backend=backend)(joblib.delayed(n_threads)(n) for n in (None, None, 3))
        assert found == [1, 1, 3]

    @pytest.mark.parametrize("n_jobs", [0, 1.5, "all"])
    def test_of_no_meaning(self, n_jobs):
        problem = problem_of("one output")
        for run in (
            ng.train,
            ng.relu_path,
            lambda problem, n_jobs: ng.neural_gauge(problem.X, problem.y, n_jobs=n_jobs),
        ):
            with pytest.raises(ng.InvalidInputError, match="`n_jobs` must be a whole number of threads"):
                run(problem, n_jobs=n_jobs)


class TestPool:
    @pytest.fixture
    def opened(self, monkeypatch):
        """Sizes of the pools that are opened."""
        sizes = []

        class Counted(_threads.ThreadPoolExecutor):
            def __init__(self, size, *options):
                sizes.append(size)
                super().__init__(size, *options)

        monkeypatch.setattr(_threads, "ThreadPoolExecutor", Counted)
        return sizes

    def test_one_a_run(self, opened):
        problem = problem_of("one output")
        ng.train(problem, n_jobs=3, gap=0.1, prove=False)
        assert opened == [3]
        ng.relu_path(problem, n_betas=3, n_jobs=2, gap=0.2, prove=False)
        assert opened == [3, 2]
        ng.certify(problem.empty_network(), problem, n_jobs=2, gap=0.1, prove=False)
        assert opened == [3, 2, 2]
        ng.train(problem, n_jobs=1, gap=0.1, prove=False)
        assert opened == [3, 2, 2]
        assert not alive()

    def test_none_beside_the_threads_of_joblib(self, opened):
        problem = problem_of("one output")
        with joblib.Parallel(n_jobs=2, backend="threading") as parallel:
            parallel(joblib.delayed(ng.beta_max)(problem) for _ in range(4))
        assert opened == []

    def test_closed_after_an_error(self):
        with pytest.raises(ZeroDivisionError), threads(2):
            in_threads(lambda k: 1 / k, [1, 0])
        assert not alive()

    def test_work_in_a_thread_opens_no_other(self, opened):
        with threads(2):
            found = in_threads(lambda k: in_threads(lambda i: (k, i), range(2)), range(3))
        assert found == [[(k, i) for i in range(2)] for k in range(3)]
        assert opened == [2]

    @pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork")
    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
    def test_goes_on_in_a_forked_process(self):
        """A fork takes no threads with it; to wait for them would never end."""
        with threads(2):
            in_threads(abs, range(4))
            child = multiprocessing.get_context("fork").Process(target=in_threads, args=(abs, range(4)))
            child.start()
            child.join(30.0)
            child.kill()
        assert child.exitcode == 0


def test_blas_keeps_to_one_thread_until_the_last_run_ends():
    """Runs in threads overlap in any order; restoring what each found would leave the process at one thread."""
    with joblib.parallel_config(n_jobs=1):
        before, seen = blas_threads(), []
        first, second, entered, ended = threads(), threads(), threading.Event(), threading.Event()

        def other():
            with second:
                entered.set()
                ended.wait(30.0)
                seen.append(blas_threads())

        thread = threading.Thread(target=other)
        with first:
            thread.start()
            entered.wait(30.0)
        ended.set()
        thread.join()
    assert seen == [{1}]
    assert blas_threads() == before


@pytest.mark.parametrize("kind", ["one output", "two outputs", "images"])
def test_the_result_does_not_depend_on_the_number(kind):
    problem = problem_of(kind)
    alone, together = (ng.train(problem, gap=0.02, n_jobs=n_jobs, prove=False) for n_jobs in (1, 3))
    assert alone.certificate == together.certificate
    for one, other in [(alone.network.U, together.network.U), (alone.network.A, together.network.A)]:
        assert np.array_equal(one, other)
    assert np.array_equal(alone.dual, together.dual)


def test_nor_do_passes_over_many_rows(rng):
    problem = ng.TrainingProblem(rng.standard_normal((9000, 3)), rng.standard_normal(9000), beta=1.0)
    network = ng.TwoLayerNetwork(rng.standard_normal((4, 120)), rng.standard_normal(120))
    with threads(1):
        alone = problem.outputs(network)
    with threads(3):
        assert np.array_equal(problem.outputs(network), alone)
