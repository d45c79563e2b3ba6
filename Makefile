# Needs Python 3.11 or later with venv and pip, nothing else. Another interpreter: make test PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO := out/digits
SPIKES := samples/digits/test_spikes.npz

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint typecheck bench bench-maxplus clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## make .venv with everything pinned in .ci/constraints.txt

$(READY): pyproject.toml .ci/constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check -c .ci/constraints.txt -e ".[dev]"
	@touch $@

demo: $(READY) ## compile samples/digits, check the result, print a summary
	$(BIN)/snnc compile samples/digits/digits.snn --data $(SPIKES) -o $(DEMO) > /dev/null
	$(BIN)/snnc verify $(DEMO) --data $(SPIKES) > /dev/null
	$(BIN)/snnc report $(DEMO)

test: $(READY) ## run all tests
	$(BIN)/python -m pytest -n auto $(ARGS)

lint: $(READY) ## check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

typecheck: $(READY) ## check types
	$(BIN)/pyright --pythonpath $(BIN)/python

bench: $(READY) ## run every benchmark
	@for file in benchmarks/[a-z]*.py; do $(BIN)/python -m benchmarks.$$(basename $$file .py) || exit 1; done

bench-maxplus: $(READY) ## maximum cycle ratio beside Boost (g++, libboost-graph-dev) and networkx
	$(BIN)/python -m benchmarks.maxplus --sizes 1000 10000 100000 1000000 --runs 5 --limit 300 $(ARGS)

clean: ## remove everything that is made by the other targets
	rm -rf $(VENV) out build dist .pytest_cache .ruff_cache .hypothesis snnir.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
