# `make` alone lists the targets. Nothing is needed but python3 (3.11 or newer), make and git.

PYTHON ?= python3
# cpu: the small build of torch. default: what pip's index gives, on Linux with CUDA (several GB).
TORCH_BUILD ?= cpu
TORCH ?= torch==2.13.0
# Where to get the CPU build when pip's own index has none.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
# Handed to the command of `demo`, `test`, `bench` and `models`: make test ARGS="tests/media -k gif"
ARGS ?=
# Test pictures for `bench`: make bench DATA=../shared/data/test ARGS="fidelity --limit 2"
DATA ?=

BIN := .venv/bin
INSTALLED := .venv/.installed
# Twice quiet: errors are shown, warnings about the machine's pip settings are not.
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq --constraint constraints.txt
# One process a core, one thread each: the tests are many and small.
PARALLEL := --numprocesses=auto --dist=worksteal
COVERAGE := --cov=iiccli --cov-report=term:skip-covered --cov-fail-under=90

.DEFAULT_GOAL := help
.PHONY: help install demo test lint format types bench models docs clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

install: $(INSTALLED) ## make .venv with iic and everything for developing it

$(INSTALLED): pyproject.toml constraints.txt
	@command -v $(PYTHON) > /dev/null || { \
		echo "There is no $(PYTHON). Install Python 3.11 or newer, or name it:" \
			"make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "iic needs Python 3.11 or newer, this is $$($(PYTHON) -V)." \
			"Name another: make PYTHON=python3.12" >&2; exit 1; }
	@echo "Installing into .venv: this takes a minute or two, and is done once."
	@$(PYTHON) -m venv .venv || { \
		echo "Python could not make .venv; on Debian and Ubuntu: apt install python3-venv" >&2; \
		exit 1; }
	@if [ "$(TORCH_BUILD)" = cpu ] && [ "$$(uname -s)" = Linux ]; then \
		$(PIP) --no-deps "$(TORCH)+cpu" 2> /dev/null \
		|| $(PIP) --no-deps --index-url "$(TORCH_INDEX)" "$(TORCH)" \
		|| { echo "No CPU build of torch was found. Name an index that has one with" \
			"TORCH_INDEX=URL, or take the large build: make TORCH_BUILD=default" >&2; exit 1; }; \
	else \
		$(PIP) "$(TORCH)"; \
	fi
	@$(PIP) hatchling editables
	@$(PIP) --no-build-isolation --editable ".[dev]"
	@touch $@

demo: $(INSTALLED) ## turn a real clip into one picture and back; everything lands in demo/
	@$(BIN)/python scripts/demo.py $(ARGS)

test: $(INSTALLED) ## run all tests, with coverage
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(if $(ARGS),$(ARGS),$(PARALLEL) $(COVERAGE))

lint: $(INSTALLED) ## check style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(INSTALLED) ## put everything into the right format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(INSTALLED) ## check types
	@$(BIN)/mypy

bench: $(INSTALLED) ## fail where a bar is missed; with DATA=FOLDER measure everything into bench/
	@$(if $(DATA),$(BIN)/iic bench $(ARGS) --data "$(DATA)" -o bench,$(BIN)/python -m benchmarks $(ARGS))

models: $(INSTALLED) ## train, evaluate and export what models/ holds; goes on where it was
	@$(BIN)/python scripts/models.py $(ARGS)

docs: $(INSTALLED) ## draw the README's picture anew
	@$(BIN)/python scripts/demo.py --picture docs/images/embed-video.jpg

clean: ## remove .venv, caches and what the demo made
	@rm -rf .venv .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache build demo dist
	@find iiccli tests benchmarks scripts -name __pycache__ -type d -prune -exec rm -rf {} +
