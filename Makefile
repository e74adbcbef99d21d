# What a newcomer types. Everything else is `gjestenett --help`.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
SETTINGS := $(or $(GJESTENETT_CONFIG),gjestenett.toml)

.PHONY: help run test demo check bench bench-dns bench-portal soak fuzz lock format clean setup setup-dev

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup ## Set up everything and serve the portal, console and DNS on loopback
	@[ -e $(SETTINGS) ] || $(BIN)/gjestenett config starter > $(SETTINGS)
	@$(BIN)/gjestenett --config $(SETTINGS) up

# Files in the order in which they stand, the browser first: xdist would end with those of few tests, which take longest.
# Without bytecode, each worker and each service that a test starts would compile anew whatever it imports.
test: setup-dev ## Set up and run every test that this machine can run
	@env -u PYTHONDONTWRITEBYTECODE $(PYTEST) -n 2 --dist loadfile --no-loadscope-reorder $(TESTS)

demo: setup-dev ## Play the whole story in network namespaces
	@$(BIN)/python -m tests.lab.demo

check: setup-dev ## Lint, types, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: setup-dev ## Print the measurements of docs/performance.md
	@$(BIN)/python -m tests.bench

bench-dns: setup-dev ## Measure DNS beside what people use; ARGS="--only ours,unbound --seconds 2"
	@deploy/dev/setup.sh bench-dns
	@$(BIN)/python -m tests.bench dns $(ARGS)

bench-portal: setup-dev ## Measure redirects and acceptances of the portal beside peers
	@$(BIN)/python -m tests.bench portal $(ARGS)

soak: setup-dev ## Ten minutes of DNS load with policy reloads; ARGS="--seconds 60 --rate 2000"
	@$(BIN)/python -m tests.soak $(ARGS)

fuzz: setup-dev ## Look for packets that break DNS, guided by coverage; ARGS="--seconds 60 reply"
	@$(BIN)/python -c 'import atheris' 2>/dev/null || $(BIN)/python -m pip -q install --require-hashes -r deploy/lock/fuzz.txt
	@$(BIN)/python -m tests.fuzz $(ARGS)

format: setup-dev ## Format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: setup-dev ## Renew the hash-pinned locks from pyproject.toml
	@deploy/dev/lock.sh

setup:
	@deploy/dev/setup.sh run

setup-dev:
	@deploy/dev/setup.sh test

clean: ## Remove what setup made, and caches; state/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
