# Every target makes .venv itself; nothing but Python >= 3.11 and make is needed.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo setup test test-all lint bench bench-peers clean

demo: .venv/.installed  ## train, certify, save and predict on scikit-learn's diabetes data
	$(BIN)/python examples/diabetes.py

test: .venv/.test  ## the test suite
	$(BIN)/python -m pytest

test-all: .venv/.test  ## the test suite with the slow tests
	$(BIN)/python -m pytest -m "slow or not slow"

setup: .venv/.dev  ## everything development needs

lint: .venv/.dev  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/.dev  ## benchmarks; those against peers need an environment of their own, see benchmarks/README.md
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

bench-peers: .venv-peers/.installed  ## adelie and scnn, which pin old NumPy, for `make bench` to compare with

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv .venv

.venv/.installed: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e .
	touch $@

.venv/.test: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e '.[test]'
	touch .venv/.installed $@

.venv/.dev: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e '.[dev]'
	touch .venv/.installed .venv/.test $@

.venv-peers/.installed: Makefile
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet numpy==1.26.4 adelie==1.1.52 pyscnn==0.0.10
	touch $@

clean:
	rm -rf .venv .venv-peers build dist results demo-output
