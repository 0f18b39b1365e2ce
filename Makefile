# `make demo` and `make test` need nothing but python3 (3.11 or newer) with venv, and a package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := revenued migrations tests benchmarks docs/generate.py

.PHONY: demo test check lint types house format bench lock docs clean

demo: $(VENV)/.run-installed
	$(BIN)/python -m revenued.sim.demo $(if $(KEEP),--keep) $(DEMO)

test: check
	$(BIN)/pytest $(PYTEST)

check: lint types house

lint: $(VENV)/.test-installed
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)

types: $(VENV)/.test-installed
	$(BIN)/mypy

house: $(VENV)/.test-installed
	$(BIN)/lint-imports

format: $(VENV)/.test-installed
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

bench: $(VENV)/.test-installed
	$(BIN)/python -m benchmarks.fee_cycle
	$(BIN)/python -m benchmarks.ingest
	$(BIN)/python -m benchmarks.standing

docs: $(VENV)/.test-installed
	$(BIN)/python docs/generate.py

# The lock files name every package with its hashes, for all platforms and Python versions that we support.
lock:
	uv pip compile pyproject.toml --extra build --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -q -o requirements.lock
	uv pip compile pyproject.toml --extra build --extra test --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -q -o requirements-test.lock

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "revenued needs Python 3.11 or newer, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run-installed: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.test-installed: requirements-test.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

clean:
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
