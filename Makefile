# Every target makes .venv itself; nothing but Python >= 3.11 and make is needed.
PYTHON ?= python3
BIN := .venv/bin
# Of the peers' environment. On Linux this may be a build with CUDA, of gigabytes: name a wheel of a CPU build instead.
TORCH ?= torch==2.13.0

# A process of pytest a core, each taking over tests that another has left.
PARALLEL := -n auto --dist worksteal

.PHONY: demo demo-dask setup test test-all test-kernels test-lowest lint docs dist bench bench-large bench-peers setup-peers clean

demo: .venv/.demo  ## train, certify, save and predict on scikit-learn's diabetes data; a picture and a report
	$(BIN)/python examples/diabetes.py

demo-dask: .venv/.test  ## a million rows on the workers of a local Dask cluster; some minutes
	$(BIN)/python examples/dask_cluster.py

test: .venv/.test  ## the test suite
	$(BIN)/python -m pytest $(PARALLEL)

test-all: .venv/.test  ## the test suite with the slow tests
	$(BIN)/python -m pytest $(PARALLEL) -m "slow or not slow"

test-kernels: .venv/.test  ## the numerical tests under every BLAS kernel of the processor; ARGUMENTS="--other": one more
	$(BIN)/python tests/kernels.py $(PARALLEL) $(ARGUMENTS)

test-lowest: .venv-lowest/.installed  ## the test suite with the lowest versions that pyproject.toml allows
	.venv-lowest/bin/python -m pytest $(PARALLEL) $(ARGUMENTS)

setup: .venv/.dev  ## everything development needs

lint: .venv/.dev  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: .venv/.docs  ## the documentation as a site in docs/_build/html, its examples run; without the network
	MPLBACKEND=Agg $(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html

dist: .venv/.dev  ## sdist and wheel in dist/, built and checked
	rm -rf dist
	$(BIN)/python -m build --outdir dist
	$(BIN)/python -m twine check --strict dist/*
	$(BIN)/python -m pytest -n 0 -m "slow or not slow" tests/test_release.py

bench: .venv/.dev  ## benchmarks; with scnn and adelie after `make setup-peers`
	$(BIN)/python benchmarks/program.py
	$(BIN)/python benchmarks/limits.py
	$(BIN)/python benchmarks/training.py
	$(BIN)/python benchmarks/classification.py --quick
	$(BIN)/python benchmarks/pruning.py
	$(BIN)/python benchmarks/path.py
	$(BIN)/python benchmarks/losses.py
	$(BIN)/python benchmarks/strategies.py
	$(BIN)/python benchmarks/conv.py
	$(BIN)/python benchmarks/linear_conv.py
	$(BIN)/python benchmarks/circular_conv.py

bench-large: .venv/.dev .venv-peers/.installed  ## many rows, columns or outputs, sparse and mapped rows, a Dask cluster
	$(BIN)/python benchmarks/peers/run.py --families large --limit 30 --repeats 1 --output results/large.json $(ARGUMENTS)

bench-peers: .venv/.dev .venv-peers/.installed  ## the same problems for neuralgauge and its peers; ARGUMENTS="--quick"
	$(BIN)/python benchmarks/peers/run.py $(ARGUMENTS)

setup-peers: .venv-peers/.installed  ## the peers, some of which pin old NumPy, in an environment of their own

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv .venv

.venv/.installed: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e .
	touch $@

.venv/.demo: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e '.[plots,report]'
	touch .venv/.installed $@

.venv/.test: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e '.[test]'
	touch .venv/.installed $@

.venv/.dev: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e '.[dev]'
	touch .venv/.installed .venv/.test $@

.venv/.docs: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e '.[docs]'
	touch .venv/.installed $@

.venv-lowest/.installed: pyproject.toml
	$(PYTHON) -m venv --clear .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet uv
	.venv-lowest/bin/uv pip install --quiet --python .venv-lowest/bin/python --resolution lowest-direct -e '.[test]'
	touch $@

.venv-peers/.installed: benchmarks/peers/requirements.txt
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet $(TORCH) -r benchmarks/peers/requirements.txt
	touch $@

clean:
	rm -rf .venv .venv-lowest .venv-peers build dist results demo-output docs/_build docs/auto_examples docs/generated
