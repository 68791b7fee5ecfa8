# The two commands of a newcomer: `make advise` lints the examples (or DIR=...), `make test` checks what CI checks.

PYTHON ?= python3
VENV ?= .venv
DIR ?= examples
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
RUN := $(BIN)/python

.DEFAULT_GOAL := help
.PHONY: help advise test format lint types tests rule bench ecosystem docs clean

help:
	@echo "make advise [DIR=path]         lint examples/, or DIR; findings do not fail the command"
	@echo "make test                      everything that CI checks"
	@echo "make format                    format the code and repair what the linter can"
	@echo "make rule NAME=a-name PACK=memory   start a rule: check, page and cases"
	@echo "make bench                     measure time and memory on the pinned packages"
	@echo "make ecosystem                 compare the findings on the pinned packages with the snapshot"
	@echo "make docs                      build the site of the documentation: build/site"
	@echo "make clean                     remove the environment and what tools leave behind"

advise: $(VENV)/.installed
	$(BIN)/mlsys-advise --exit-zero $(DIR)

test: lint types tests

format: $(VENV)/.installed-dev
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: $(VENV)/.installed-dev
	$(BIN)/mypy

tests: $(VENV)/.installed-dev
	$(BIN)/pytest -n 2 --dist loadfile

rule: $(VENV)/.installed-dev
	$(RUN) -m mlsys_advise.scaffold $(NAME) $(PACK)

bench: $(VENV)/.installed-dev
	for name in cold warm latency memory growth scaling freshness; do $(RUN) -m benchmarks.$$name || exit 1; done

ecosystem: $(VENV)/.installed-dev
	$(RUN) -m benchmarks.ecosystem

docs: $(VENV)/.installed-dev
	$(RUN) -m website.build build/site

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist

# An editable install: the environment is made again when what the project needs has changed.
$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@
