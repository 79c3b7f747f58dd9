# Everything a fresh clone needs: `make demo` and `make test`.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11)); ' \
	&& $$p -c 'import sys; print(sys.executable)' && break; done)
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2

.PHONY: demo demo-claude test lint bench format docs clean

demo: $(VENV)/installed
	@$(BIN)/python -m demo

demo-claude: $(VENV)/installed-dev
	@$(BIN)/python -m demo --claude

# Most tests wait, for daemons and real clients. The files are handed out whole: what one of them
# has set up is there once. `$(BIN)/python -m pytest` alone does the same, one test after the other.
test: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/towncrier build --draft --version next >/dev/null

bench: $(VENV)/installed-dev
	$(BIN)/python -m bench

docs: $(VENV)/installed-dev
	$(BIN)/python -m pointsman.config.publish docs

format: $(VENV)/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist ui/node_modules src/pointsman/web/static

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, then: make $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The package is installed anew when what it is built from changes; its Python files are used in
# place.
$(VENV)/installed: $(VENV)/bin/python pyproject.toml hatch_build.py $(wildcard src/pointsman/client/*.[ch] ui/*.* ui/src/*.* ui/src/pages/*.*)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]"
	@touch $@
