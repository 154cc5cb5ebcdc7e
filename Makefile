# `make demo`, `make test` and `make check` each set up .venv first, from nothing but a Python ≥ 3.11.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PYTEST_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test check format venv clean

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: venv  ## a small data set, from manifest to report, in out/demo
	$(BIN)/dsfu-pipeline run examples/demo.yaml --store out/demo/store
	$(BIN)/dsfu-pipeline inspect out/demo/store --sheet out/demo/samples.png
	$(BIN)/dsfu-pipeline report out/demo/store --out out/demo/report.html
	@if [ -t 1 ] && [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ]; then $(BIN)/python -m webbrowser out/demo/report.html; fi

test: venv  ## all tests
	$(BIN)/python -m pytest $(PYTEST_ARGS)

check: venv  ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .typing/dsfu tests
	$(BIN)/lint-imports

format: venv  ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

venv: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml constraints.txt
	@if [ -z "$(PYTHON)" ]; then echo "dsfu needs Python 3.11 or newer; none was found on PATH" >&2; exit 2; fi
	@if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "$(PYTHON) lacks venv; on Debian or Ubuntu: apt-get install python3-venv" >&2; exit 2; fi
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:  ## remove what was made, .venv too
	rm -rf $(VENV) out build dist *.egg-info
