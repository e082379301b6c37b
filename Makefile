# Needs Python 3.11, 3.12 or 3.13, make and pip. Nothing else.
#   make demo    set up and run the main pipeline on a laptop sandbox; prints where the report is
#   make test    set up and run the whole test suite
#   make bench   measure Firnline and its floor on the peers' harness (PEERS=folder with run_all.py)
#   make bench-serve   measure `firnline serve` beside FastAPI around the native model
#   make bench-torch   measure the external trainer's loop beside bare PyTorch and a DataLoader over rows
#   make test-hydra-next   the tests of configuration and command line on the next Hydra, in an environment of their own
#   make check   set up and run what a reviewer would: lint, types, import contracts, size caps, documented examples
#   make conformance SNOWPARK=/path/to/snowpark-python
#                run Snowpark's own integration suites against the sandbox and compare with what they reached

PYTHON ?= $(shell for candidate in python3.11 python3.12 python3.13 python3; do \
	"$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& echo "$$candidate" && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
WORKERS ?= 2
PYTEST ?= -q
PEERS ?= ../shared/bench
BENCH ?= --reps 5
STAMP := $(VENV)/installed
HYDRA_NEXT := .venv-hydra-next

.PHONY: help install demo test test-hydra-next check bench bench-serve bench-torch conformance format clean
help:
	@sed -n 's/^#   //p' Makefile

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11, 3.12 or 3.13 found; say which one: make install PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Setting up $(VENV) with $(PYTHON) (some minutes the first time)"
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@# Twice quiet: pip's warnings about the machine are hidden, its errors are not.
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: install
	@$(BIN)/firnline run

test: install
	@$(BIN)/python -m pytest $(PYTEST) -n $(WORKERS) --dist loadfile

# The light core alone: no SDK is needed to compose, check and plan.
test-hydra-next: $(HYDRA_NEXT)/installed
	@$(HYDRA_NEXT)/bin/python -m pytest $(PYTEST) -p no:cacheprovider tests/core/test_config.py tests/core/test_overrides.py tests/core/test_plan.py tests/cli/test_commands.py tests/sweep

$(HYDRA_NEXT)/installed: pyproject.toml constraints.txt constraints-hydra-next.txt
	@test -x $(HYDRA_NEXT)/bin/python || "$(PYTHON)" -m venv $(HYDRA_NEXT)
	@grep -vE '^(hydra-core|omegaconf|antlr4-python3-runtime)==' constraints.txt > $(HYDRA_NEXT)/constraints.txt
	@$(HYDRA_NEXT)/bin/python -m pip install -qq --disable-pip-version-check -c $(HYDRA_NEXT)/constraints.txt -c constraints-hydra-next.txt -e . hydra-joblib-launcher hypothesis pytest pytest-timeout
	@touch $@

check: install
	@echo "ruff check" && $(BIN)/ruff check --quiet .
	@echo "ruff format" && $(BIN)/ruff format --check --quiet .
	@echo "mypy" && $(BIN)/mypy --no-error-summary
	@echo "import contracts" && $(BIN)/lint-imports --no-logo --cache-dir .import_linter_cache > .import_linter_report 2>&1 || { cat .import_linter_report; exit 1; }
	@echo "size caps" && $(BIN)/python -m checks.size_caps
	@echo "documented examples" && $(BIN)/python -m pytest $(PYTEST) -n $(WORKERS) --dist load tests/docs

bench:
	@tests/benchmarks/run_peers.sh $(PEERS) --peers floor/pickle,firnline $(BENCH)

bench-serve: install
	@$(BIN)/python -m tests.benchmarks.serve

bench-torch: install
	@$(BIN)/python -m tests.benchmarks.trainer

conformance: install
	@test -n "$(SNOWPARK)" || { echo "error: say where a checkout of snowflakedb/snowpark-python is: make conformance SNOWPARK=/path" >&2; exit 1; }
	@$(BIN)/python -m checks.snowpark_suites $(SNOWPARK) --workers $(WORKERS)

format: install
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format --quiet .

clean:
	rm -rf $(VENV) $(HYDRA_NEXT) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .import_linter_report
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
