# Everything a newcomer needs: `make` shows it. Nothing but Python 3.11 or newer (and make) has to be there beforehand.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --no-builtin-rules

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip -qq --disable-pip-version-check --no-input
JOBS ?= 2
MESSAGES := $(wildcard src/patron/locale/*/LC_MESSAGES/*.po)
LOCK := --universal --python-version 3.11 --generate-hashes --no-annotate --quiet --custom-compile-command "make lock"
# The parts of the virtual environment come first: node and npm are among them where the machine has none.
WITH_VENV := PATH="$$PWD/$(VENV)/bin:$$PATH"

# The type checker loads the settings: a home of its own keeps it from touching the real one.
APART := PATRON_HOME=$(VENV)/home PATRON_DATABASE_URL=postgresql://none/none

export PYTHONUTF8 := 1

##@ Use it

.PHONY: demo
demo: $(VENV)/.demo node_modules/.demo $(VENV)/.messages ## Run the product with a year of a grocery chain's data, and say where to sign in
	@exec $(PY) -m patron.config.cli demo

.PHONY: up
up: $(VENV)/.base node_modules/.demo $(VENV)/.messages ## Run the product for your own organisation (PATRON_PORT=8000)
	@exec $(PY) -m patron.config.cli up

##@ Work on it

.PHONY: test
test: install ## Check style, types and layers, then run every test, browser journeys among them
	@$(MAKE) lint
	@$(WITH_VENV) exec $(PY) -m pytest -q -n $(JOBS)

.PHONY: lint
lint: $(VENV)/.test ## Check style (ruff), types (mypy) and who imports whom (import-linter)
	@$(PY) -m ruff check --quiet
	@$(PY) -m ruff format --check --quiet || { echo "Some files are not formatted. Run: make format"; exit 1; }
	@$(APART) $(PY) -m mypy --no-error-summary
	@$(VENV)/bin/lint-imports --no-cache >$(VENV)/.imports.log || { cat $(VENV)/.imports.log; exit 1; }

.PHONY: format
format: $(VENV)/.test ## Format the code
	@$(PY) -m ruff check --fix --quiet
	@$(PY) -m ruff format --quiet

.PHONY: bench
bench: install $(VENV)/.peers ## Measure speed and memory, beside the peers of the models (benchmarks/)
	@$(WITH_VENV) PATRON_PEERS=$$PWD/$(VENV)/peers/bin/python exec $(PY) -m benchmarks

.PHONY: messages
messages: $(VENV)/.test ## Collect the texts to translate (needs the gettext tools) and compile the translations
	@command -v xgettext >/dev/null || { echo "Collecting texts needs the gettext tools (apt install gettext)."; exit 1; }
	@cd src/patron && ../../$(PY) -m patron.config.cli manage makemessages --locale zh_Hant --locale zh_Hans --no-obsolete --no-wrap
	@$(PY) -m patron.config.cli messages

##@ Look after it

.PHONY: install
install: $(VENV)/.test node_modules/.test $(VENV)/.messages ## Install everything that development and tests need

.PHONY: openapi
openapi: $(VENV)/.test ## Write the API's description anew (docs/openapi.json)
	@$(PY) -m patron.config.cli manage openapi docs/openapi.json

.PHONY: lock
lock: $(VENV)/.venv ## Pin the Python packages with hashes (make lock UPGRADE=--upgrade takes newer ones)
	@$(PIP) install uv
	@$(PY) -m uv pip compile $(LOCK) $(UPGRADE) --extra demo --extra test pyproject.toml -o requirements/test.txt
	@$(PY) -m uv pip compile $(LOCK) $(UPGRADE) --constraint requirements/test.txt --extra demo pyproject.toml -o requirements/demo.txt
	@$(PY) -m uv pip compile $(LOCK) $(UPGRADE) --constraint requirements/test.txt pyproject.toml -o requirements/base.txt
	@printf 'lifetimes\nmlxtend\n' | $(PY) -m uv pip compile $(LOCK) $(UPGRADE) - -o requirements/peers.txt

.PHONY: clean
clean: ## Remove what was installed and built; data in var/ stays
	@rm -rf $(VENV) node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
	@find src -name '*.mo' -delete

.PHONY: help
help: ## Show this
	@awk 'BEGIN { FS = ":.*## "; print "Patron (貴客): make TARGET" } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  \033[36m%-10s\033[0m %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# --- installed once, and again when a lock file changes ---------------------------------------------------------------------------

$(VENV)/.venv:
	@PYTHON="$${PYTHON:-}" bash scripts/make-venv $(VENV)
	@touch $@

$(VENV)/.base $(VENV)/.demo $(VENV)/.test: $(VENV)/.%: requirements/%.txt pyproject.toml | $(VENV)/.venv
	@echo "Installing Python packages ($*) …"
	@$(PIP) install --no-compile --no-deps --require-hashes --requirement requirements/$*.txt
	@$(PIP) install --no-compile --no-deps --editable .
	@touch $@

# What the models are measured against: never a part of the product.
$(VENV)/.peers: requirements/peers.txt | $(VENV)/.venv
	@$(PY) -m venv $(VENV)/peers
	@$(VENV)/peers/bin/python -m pip -qq --disable-pip-version-check --no-input install --no-deps --require-hashes --requirement requirements/peers.txt
	@touch $@

node_modules/.demo: package-lock.json | $(VENV)/.venv
	@$(WITH_VENV) bash scripts/npm-install --omit=dev
	@touch $@

node_modules/.test: package-lock.json | $(VENV)/.venv
	@$(WITH_VENV) bash scripts/npm-install
	@touch $@ node_modules/.demo

# Translations are compiled with Babel: fresh machines have no gettext tools.
$(VENV)/.messages: $(MESSAGES) | $(VENV)/.venv
	@$(PY) -m patron.config.cli messages
	@touch $@
