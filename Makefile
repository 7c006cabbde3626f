# reactorrl. `make` alone lists what there is.

ENV := .venv/bin/python
ANY_PYTHON ?= $(shell command -v python3 || command -v python)
SWITCHES := $(RRL_DEBUG)-$(RRL_SANITIZE)-$(RRL_COVERAGE)-$(RRL_STRICT)
BUILT := build/built$(SWITCHES)
SOURCES := setup.py $(shell find csrc reactorrl -name '*.[ch]' -o -name '*.px[ydi]')
C_FILES := $(shell find csrc reactorrl tests bench -name '*.[ch]' 2>/dev/null)

.PHONY: help env demo test docs bench bench-peers wheels lint format clean packages

help:
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile

env: $(BUILT) ## provide .venv (interpreter, packages) and build the extension in place

demo: env ## train parallel DQN on CartPole; DEMO="--help" shows its options
	$(ENV) -m reactorrl.demo $(DEMO)

test: env ## run all tests; TEST="-k name" passes options to pytest
	$(ENV) -m pytest $(TEST)

docs: env ## build the site from docs/ into build/docs
	$(ENV) -m sphinx -q -W --keep-going docs build/docs

bench: env ## run all benchmarks; BENCH="--smoke" passes options
	$(ENV) -m reactorrl bench all $(BENCH)

bench-peers: env ## install what the benchmarks compare with (xronos, Ray), apart from .venv
	$(ENV) -m reactorrl bench peers

wheels: packages ## build dist/*.whl from an sdist, test each; WHEELS="python3.12 ..." names interpreters
	$(ENV) tests/wheels.py $(WHEELS)

lint: packages ## check style of Python, Cython and C
	$(ENV) -m ruff check
	$(ENV) -m ruff format --check
	PATH="$(CURDIR)/.venv/bin:$$PATH" cython-lint reactorrl
	$(if $(C_FILES),.venv/bin/clang-format --dry-run -Werror $(C_FILES))

format: packages ## reformat Python and C
	$(ENV) -m ruff format
	$(ENV) -m ruff check --select I --fix
	$(if $(C_FILES),.venv/bin/clang-format -i $(C_FILES))

clean: ## remove what was built here; the cache and its downloads stay
	rm -rf .venv build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	find reactorrl -name '*.so' -delete
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

packages:
	@$(if $(ANY_PYTHON),$(ANY_PYTHON) tools/provide_env.py $(ENV_FLAGS),\
	  { echo "env: no Python at all; install one (Debian: python3)"; exit 1; })

# Installed in place, so that this tree is what .venv imports; later builds only compile.
build/installed: pyproject.toml .venv/.provided
	PYTHONWARNINGS=ignore $(ENV) -m pip install -q --no-deps --no-build-isolation -e .
	@mkdir -p build && touch $@

$(BUILT): build/installed $(SOURCES)
	@rm -f build/built*
	$(ENV) setup.py -q build_ext --inplace
	@touch $@

.venv/.provided: packages ;
