# One command per task; each sets up .venv by itself on a machine that has only make and Python 3.11 or newer.
# A Python of your own choice: make PYTHON=/path/to/python3. Tests in parallel: make test WORKERS=4.

VENV := .venv
OLDEST := .venv-oldest
WORKERS ?= 2
ARGS ?=
RUN := $(VENV)/bin/python

# Tests compile thousands of programs that run once: XLA without its costly passes and fusion emitters takes less than
# half the time for that, and operations without a stack trace are lowered faster. Without those emitters, AVX-512 code
# rounds an entry and its mirror image differently, which users' programs do not: hence AVX2. All other targets (verify,
# notebooks, test-full, test-float32, test-oldest) compile as users do.
QUICK_COMPILATION := --xla_cpu_parallel_codegen_split_count=1 --xla_backend_optimization_level=0 \
	--xla_llvm_disable_expensive_passes=true --xla_cpu_use_fusion_emitters=false --xla_cpu_max_isa=AVX2

# Python keeps compiled modules in .venv, also where it is told to keep none, as in many containers: each of the many
# processes of `verify` and of the tests would compile JAX and SciPy anew, most of the time that it takes to start.
export PYTHONPYCACHEPREFIX := $(CURDIR)/$(VENV)/bytecode
export PYTHONDONTWRITEBYTECODE :=

# A virtual environment does not survive being moved or copied: the stamp names the place it was made for.
PLACE := $(shell pwd -P | cksum | cut -d ' ' -f 1)
STAMP := $(VENV)/.ready-$(PLACE)
OLDEST_STAMP := $(OLDEST)/.ready-$(PLACE)

.PHONY: help setup verify mutation test test-full test-float32 test-oldest lint format types bench docs notebooks pins clean
.DEFAULT_GOAL := help

help: ## Show the targets.
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1|/p' Makefile | awk -F '|' '{ printf "make %-14s %s\n", $$1, $$2 }'

setup: $(STAMP) ## Set up .venv (every other target does so first).

verify: $(STAMP) ## Check the claims of the paper on the embedded digits data (the quick profile).
	@$(RUN) -m verify --profile quick $(ARGS)

mutation: $(STAMP) ## Put deliberate faults into the library: do claims and tests notice?
	@$(RUN) -m verify.mutation $(ARGS)

test: $(STAMP) ## Run the tests, but for those marked full.
	@XLA_FLAGS="$(QUICK_COMPILATION) $$XLA_FLAGS" JAX_TRACEBACK_IN_LOCATIONS_LIMIT=0 \
		$(RUN) -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

test-full: $(STAMP) ## Run all tests, those marked full too (long).
	@$(RUN) -m pytest -n $(WORKERS) --dist worksteal -m "" --timeout 3600 $(ARGS)

test-float32: $(STAMP) ## Run the tests marked float32 without 64-bit floats.
	@NNGP_DAG_TEST_X64=0 $(RUN) -m pytest -m float32 $(ARGS)

test-oldest: $(OLDEST_STAMP) ## Run the tests marked oldest on the oldest supported JAX.
	@$(OLDEST)/bin/python -m pytest -m oldest $(ARGS)

lint: $(STAMP) ## Check style (ruff).
	@$(RUN) -m ruff check . && $(RUN) -m ruff format --check .

format: $(STAMP) ## Put the style right where ruff can.
	@$(RUN) -m ruff check --fix . ; $(RUN) -m ruff format .

types: $(STAMP) ## Check types (mypy).
	@$(RUN) -m mypy

bench: $(STAMP) ## Print the benchmarks' values.
	@$(RUN) -m benchmarks $(ARGS)

docs: $(STAMP) ## Build the documentation.
	@$(RUN) -m docs $(ARGS)

notebooks: $(STAMP) ## Run the notebooks and keep their outputs; with ARGS=--check only run them.
	@$(RUN) -m notebooks $(ARGS)

pins: $(STAMP) ## Refresh the lists of exact versions (constraints*.txt) from the package index.
	@.ci/pins $(RUN)

clean: ## Remove environments, caches and reports.
	rm -rf $(VENV) $(OLDEST) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis verify-report

$(STAMP): pyproject.toml constraints.txt .ci/setup
	@.ci/setup $@ constraints.txt dev "$(PYTHON)"

$(OLDEST_STAMP): pyproject.toml constraints-oldest.txt .ci/setup
	@.ci/setup $@ constraints-oldest.txt test "$(PYTHON)"
