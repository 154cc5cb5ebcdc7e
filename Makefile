# `make demo`, `make test` and `make check` each set up .venv first, from nothing but a Python ≥ 3.11.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PYTEST_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo demo-data demo-training demo-crystal demo-phases demo-particle demo-powder test check format dist docs venv clean

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

DEMO := out/demo

demo: venv demo-data demo-training demo-crystal demo-phases demo-particle demo-powder  ## the whole way on small data: simulate, train, evaluate, apply; in out/demo
	@echo; echo "Look at $(DEMO)/report.html (the data set), $(DEMO)/run/evaluation/evaluation.html (the training)"
	@echo "$(DEMO)/crystal/report.html (a crystal that was taken apart), $(DEMO)/phases/solved/crystal.html,"
	@echo "$(DEMO)/particle/answer/report.html and $(DEMO)/powder/answer/report.html."

demo-data: venv
	$(BIN)/dsfu-pipeline run examples/demo.yaml --store $(DEMO)/store
	$(BIN)/dsfu-pipeline inspect $(DEMO)/store --sheet $(DEMO)/samples.png --force
	$(BIN)/dsfu-pipeline report $(DEMO)/store -o $(DEMO)/report.html --force

# A minute of training shows that everything works, not what networks can do.
demo-training: demo-data
	$(BIN)/dsfu-model train $(DEMO)/store -o $(DEMO)/run --config examples/demo-training.yaml
	$(BIN)/dsfu-model evaluate $(DEMO)/run $(DEMO)/store --split validation --limit 32 --force

# Made by a simulation that shares nothing with dsfu: Bragg peaks with tails, air, gaps, counting noise.
demo-crystal: venv
	mkdir -p $(DEMO)/crystal
	$(BIN)/python tests/benchmarks/crystal_maker.py orthorhombic $(DEMO)/crystal/crystal.h5 $(DEMO)/crystal/truth.json \
		--half 40 --ideal
	$(BIN)/dsfu-model inspect $(DEMO)/crystal/crystal.h5
	$(BIN)/dsfu-model analyse $(DEMO)/crystal/crystal.h5 -o $(DEMO)/crystal --laue 2/m:c --force
	$(BIN)/python examples/compare_order.py $(DEMO)/crystal/truth.json $(DEMO)/crystal/sro.json

# A molecular crystal from its intensities alone, in some seconds; the space group is not told.
demo-phases: venv
	$(BIN)/python examples/pack_molecule.py $(DEMO)/phases
	$(BIN)/dsfu-model solve-phases $(DEMO)/phases/crystal.hkl -o $(DEMO)/phases/solved --force

# A particle from its pair distribution function.
demo-particle: venv
	mkdir -p $(DEMO)/particle
	$(BIN)/python examples/particle.py $(DEMO)/particle/particle.gr
	$(BIN)/dsfu-model solve-particle $(DEMO)/particle/particle.gr -o $(DEMO)/particle/answer --force

# A crystal structure and its density from a powder pattern and a formula.
demo-powder: venv
	mkdir -p $(DEMO)/powder
	$(BIN)/python examples/powder.py $(DEMO)/powder/powder.xy
	$(BIN)/dsfu-model solve-density $(DEMO)/powder/powder.xy -o $(DEMO)/powder/answer --formula CaF2 --wavelength 1.5406 \
		--force

# All on every core, the longest first; then what counts on the clock, or kills by it, two at a time: it mostly waits.
# Only their folders are collected for that, in half of the time.
ALONE := tests/cluster tests/integration tests/pipeline/running
test: venv  ## all tests
	$(BIN)/python -m pytest -n auto --dist loadgroup --no-loadscope-reorder -m "not gpu and not alone" $(PYTEST_ARGS)
	$(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder -m "alone and not gpu" $(ALONE) $(PYTEST_ARGS)

check: venv typing  ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .typing/dsfu tests
	cd .typing && ../$(BIN)/lint-imports --config ../pyproject.toml

# mypy sees the folders where they are installed: base as dsfu, the others below it.
.PHONY: typing
typing:
	@rm -rf .typing && mkdir -p .typing/dsfu
	@ln -s $(patsubst %,../../%,$(wildcard base/*) simulate pipeline model cluster) .typing/dsfu/

dist: venv  ## a wheel and a source distribution in dist/
	$(BIN)/python -m build --outdir dist .

docs: venv  ## the documentation as a site, in out/docs
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	$(BIN)/python -m sphinx -W -q -b html docs out/docs

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
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:  ## remove what was made, .venv too
	rm -rf $(VENV) out build dist *.egg-info
