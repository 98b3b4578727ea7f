# Every target makes the environment it needs, the first time only.
VENV      := .venv
LINT_VENV := .venv-lint
BIN       := $(VENV)/bin
STAMP     := $(VENV)/.ready
LINT_STAMP := $(LINT_VENV)/.ready
BIGQUERY_VENV  := .venv-bigquery
BIGQUERY_STAMP := $(BIGQUERY_VENV)/.ready
BENCH_VENV := .venv-bench
BENCH_STAMP := $(BENCH_VENV)/.ready
# One more than two cores: tests wait for Postgres and for processes half of the time.
WORKERS   ?= 3

.DEFAULT_GOAL := help
.PHONY: help demo dev test test-slow bench lint lint-python lint-sql format lock clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

demo: $(STAMP)  ## warehouse, stand-in sources, the nightly job: a warehouse to query
	@$(BIN)/aiop demo run

dev: $(STAMP)  ## Dagster's UI on the demo's warehouse (ends with Ctrl-C)
	@$(BIN)/aiop dev

test: $(STAMP)  ## all tests but the slow proofs
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup -m "not slow"

test-slow: $(STAMP) $(BIGQUERY_STAMP)  ## whole jobs and weeks of nights
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup -m slow

bench: $(STAMP) $(BENCH_STAMP)  ## figures beside a naive form, as ratios
	$(BIN)/python -m tests.benchmarks

lint: lint-python lint-sql  ## ruff, mypy, sqlfluff

lint-python: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lint-sql: $(LINT_STAMP)
	$(LINT_VENV)/bin/sqlfluff lint --disable-progress-bar models tests/dbt

format: $(STAMP) $(LINT_STAMP)  ## let the formatters write
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(LINT_VENV)/bin/sqlfluff fix --disable-progress-bar models tests/dbt

lock: $(STAMP)  ## compile the locks from their .in files (hashes, no index)
	$(BIN)/uv pip compile requirements.in --override requirements.override --universal -p 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements.lock
	$(BIN)/uv pip compile requirements-lint.in --universal -p 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements-lint.lock
	$(BIN)/uv pip compile requirements-bigquery.in --universal -p 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements-bigquery.lock
	$(BIN)/uv pip compile requirements-bench.in --universal -p 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements-bench.lock

clean:  ## remove environments and caches; $AIOP_HOME stays
	rm -rf $(VENV) $(LINT_VENV) $(BIGQUERY_VENV) $(BENCH_VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info

$(STAMP): requirements.lock requirements-bootstrap.lock pyproject.toml
	@scripts/make-venv $(VENV) requirements.lock
	@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python -e .
	@touch $@

$(LINT_STAMP): requirements-lint.lock requirements-bootstrap.lock
	@scripts/make-venv $(LINT_VENV) requirements-lint.lock
	@touch $@

$(BIGQUERY_STAMP): requirements-bigquery.lock requirements-bootstrap.lock
	@scripts/make-venv $(BIGQUERY_VENV) requirements-bigquery.lock
	@touch $@

$(BENCH_STAMP): requirements-bench.lock requirements-bootstrap.lock
	@scripts/make-venv $(BENCH_VENV) requirements-bench.lock
	@touch $@
