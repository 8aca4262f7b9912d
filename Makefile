# make demo · make test · make bench · make lint: each works on a machine with nothing but Debian
# or Ubuntu, Python 3.11 or newer, and root or sudo; what is missing is installed, and named as it is.

candidates := python3 python3.14 python3.13 python3.12 python3.11
new_enough := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in $(candidates); do \
	"$$p" -c '$(new_enough)' 2>/dev/null && { echo "$$p"; break; }; done)

RUN := .venv/run/bin
DEV := .venv/dev/bin
BENCH := .venv/bench/bin
# -P: what lies in the working directory is not importable by accident.
COMMAND := -P -m aarch64_wheels
UNIT := $(DEV)/python -m pytest tests/unit
WORKFLOWS := .github/workflows action.yml

# The package is used from its source tree. Absolute, for programs started elsewhere.
export PYTHONPATH := $(CURDIR)/src

.DEFAULT_GOAL := help
.PHONY: help demo test test-unit test-projects bench native lint docs lock run-env dev-env bench-env

help: ## Show the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile

demo: run-env ## Build kiwisolver's aarch64 wheels in the embedded image, from nothing
	$(RUN)/python $(COMMAND) doctor --fix
	$(RUN)/python $(COMMAND) build kiwisolver==1.4.7 --image debian --output-dir wheelhouse

test: dev-env ## Run the unit and the integration tests, from nothing
	$(DEV)/python $(COMMAND) doctor --fix
	@status=0; \
	$(UNIT) || status=1; \
	$(DEV)/python -m pytest tests/integration || status=1; \
	exit $$status

test-unit: dev-env ## Run the unit tests: no engine, no network
	$(UNIT)

test-projects: dev-env ## Build and test real projects from PyPI, unchanged: an hour (PROJECTS="a b", OUTPUT=dir)
	$(DEV)/python $(COMMAND) doctor --fix
	PYTHONPATH="$(CURDIR)/src:$(CURDIR)" $(DEV)/python -P -m tests.real \
		"$(or $(OUTPUT),test-projects)" $(PROJECTS)

bench: bench-env ## Measure side by side (SOURCES="a b", ROUNDS=n, QUICK=1, HEAVY=1, OUTPUT=dir)
	$(BENCH)/python $(COMMAND) doctor --fix
	PYTHONPATH="$(CURDIR)/src:$(CURDIR)" $(BENCH)/python -P -m bench $(SOURCES) \
		$(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(QUICK),--quick) $(if $(HEAVY),--heavy) \
		$(if $(OUTPUT),--output "$(OUTPUT)")

native: run-env ## Export the native tools to build/native, for the Dockerfile
	$(RUN)/python $(COMMAND) image bundle build/native

lint: dev-env ## Run ruff, mypy and zizmor
	$(DEV)/python -m ruff check
	$(DEV)/python -m ruff format --check
	$(DEV)/python -m mypy
	$(DEV)/python -m mypy scripts/bootstrap.py
	$(DEV)/python -m mypy scripts/write_docs.py
	$(DEV)/zizmor --offline --quiet $(WORKFLOWS)
	$(DEV)/zizmor --offline --quiet --config docs/zizmor.yml docs/workflows/*.yml

docs: run-env ## Write what of docs/ is made from the schema of settings (a unit test compares)
	$(RUN)/python -P scripts/write_docs.py

lock: dev-env ## Write the requirements' locks anew (UPGRADE=--upgrade for newer versions)
	scripts/lock.sh "$(CURDIR)/$(DEV)/uv" $(UPGRADE)

run-env dev-env bench-env: %-env:
	@test -n "$(PYTHON)" || { echo "no Python 3.11 or newer on PATH" \
		"(looked for $(candidates)); next: make PYTHON=/path/to/python3" >&2; exit 3; }
	@"$(PYTHON)" -I scripts/bootstrap.py --requirements requirements/$*.txt --venv .venv/$* >/dev/null
