# Every target does its own set-up: a fresh machine needs make, Python 3.13 and any python3 for the bootstrap of uv.
.DEFAULT_GOAL := help
.PHONY: help install up down status client demo day soak deploy test fuzz simulate check scan openapi format bench-search bench-sweep bench-arrival bench-cost bench-cpu bench-cold bench-load
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

# uv from PATH, or one of our own under .local.
UV := $(or $(shell command -v uv),.local/uv/bin/uv)
PYTHON := .venv/bin/python
DEPENDENCIES := layers/dependencies
EXPORT = $(UV) export --quiet --locked --no-emit-project --no-hashes --no-header --no-annotate
EXPORT_DEPENDENCIES = $(EXPORT) --no-default-groups
# What the layer of Stripe shares with the other layer is there already.
EXPORT_STRIPE = $(EXPORT) --only-group stripe --no-emit-package typing-extensions --no-emit-package urllib3

help: ## Show what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

install: .venv/installed ## Install the project's environment, as locked
.venv/installed: uv.lock pyproject.toml .python-version | $(UV)
	@$(UV) python find --no-python-downloads >/dev/null || { \
		echo "Python 3.13 was not found. Install it (for example with pyenv, apt or Homebrew) and try again."; exit 1; }
	$(UV) sync --locked --no-python-downloads
	@touch $@

.local/uv/bin/uv:
	@echo "uv was not found on PATH: installing it under .local/uv"
	python3 -m venv .local/uv
	.local/uv/bin/pip install --quiet --disable-pip-version-check uv

up: install ## Run the system for app developers until Ctrl-C; DETACH=1 returns when it is ready
	@$(PYTHON) -m local up $(if $(DETACH),--detach)

down: install ## End the system that `make up` started
	@$(PYTHON) -m local down

status: install ## Say whether the system runs, and where
	@$(PYTHON) -m local status

client: install ## Generate a typed Python client from docs/openapi.json into .local/client
	@$(PYTHON) -m local.client

demo: install ## Watch two drivers go through the whole journey
	@$(PYTHON) -m local.demo

day: install ## Play a day of JOURNEYS=500 with cards and wallets, and compare the ledger with Stripe
	@$(PYTHON) -m local.day --journeys $(or $(JOURNEYS),500) --seed $(or $(SEED),1)

soak: install ## Let chance break BLOCKERS=200 blockers for MINUTES=5 while drivers and operators use them, and judge
	@$(PYTHON) -m local.soak --blockers $(or $(BLOCKERS),200) --minutes $(or $(MINUTES),5) --seed $(or $(SEED),1)

deploy: install ## Build and deploy to AWS: the development stack, or CONFIG=prod
	@$(PYTHON) -m operators.deploy $(or $(CONFIG),default) $(ARGUMENTS)

test: install ## Run every test
	@$(PYTHON) -m pytest tests --numprocesses 2

fuzz: install ## Ask every operation CASES=300 times what fits the OpenAPI document and what does not, and look at the books
	@FUZZ_CASES=$(or $(CASES),300) $(PYTHON) -m pytest tests/e2e/test_fuzz.py tests/e2e/test_afterwards.py \
		-k "not every_function_ran and not operators_were_told"

simulate: install ## Run the services under faults: SEEDS=2000 fresh seeds, or SEED=n once more with its whole story
	@PYTHONPATH=layers/parking:functions:device:. $(PYTHON) -m tests.simulation \
		$(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),2000))

bench-search: install ## Measure that a search costs what its area holds, not what the system holds
	@PYTHONPATH=layers/parking:functions:device:. $(PYTHON) -m benchmarks.search

bench-sweep: install ## Measure that a schedule's run costs what is due, not what is open
	@PYTHONPATH=layers/parking:functions:device:. $(PYTHON) -m benchmarks.sweep

bench-arrival: install ## Measure how long it takes from an arrival's request to the motor, beside a bare shadow update
	@PYTHONPATH=layers/parking:functions:device:. $(PYTHON) -m benchmarks.arrival

bench-cost: install ## Measure what a journey costs, in units, calls and dollars; LINES=1 names every item
	@PYTHONPATH=layers/parking:functions:device:. $(PYTHON) -m benchmarks.cost $(if $(LINES),--lines)

bench-cpu: install ## Measure a request's CPU time beside the same request written by hand with boto3
	@PYTHONPATH=layers/parking:functions:device:. $(PYTHON) -m benchmarks.cost.cpu

bench-cold: install ## Measure every function's cold start beside two yardsticks, nine times
	@$(PYTHON) -m benchmarks.cold

bench-load: install ## Measure DRIVERS=50 drivers at once for SECONDS=60 on the running system, and look at the books afterwards
	@PYTHONPATH=layers/parking:functions:device:. $(PYTHON) -m benchmarks.load \
		--drivers $(or $(DRIVERS),50) --seconds $(or $(SECONDS),60) --seed $(or $(SEED),1)

check: install ## Format, lint, types, architecture, template, and what is generated from the lock file
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	$(PYTHON) -m pytest --quiet tests/unit/test_architecture.py
	.venv/bin/cfn-lint template.yaml
	SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-central-1 .venv/bin/sam validate --lint
	@diff <($(EXPORT_DEPENDENCIES)) $(DEPENDENCIES)/requirements.txt && \
		diff <($(EXPORT_STRIPE)) $(DEPENDENCIES)/requirements-stripe.txt || \
		{ echo "$(DEPENDENCIES)/requirements*.txt differ from uv.lock: run make format"; exit 1; }

# An environment of its own, because checkov pins much of what the project uses itself.
scan: install ## Look for weaknesses: checkov in the expanded template (waivers: .checkov.yaml), bandit in what we ship
	UV_PROJECT_ENVIRONMENT=$(CURDIR)/.local/scanners $(UV) sync --quiet --locked --project local/scanners
	$(PYTHON) -m tests.infrastructure.expanded .local/template.json
	.local/scanners/bin/checkov --config-file .checkov.yaml --file .local/template.json
	.local/scanners/bin/bandit --quiet --recursive functions layers/parking/parking device operators

openapi: install ## Write docs/openapi.json from the handlers
	@$(PYTHON) -m local.openapi

format: install ## Format the code, and export the layers' requirements from the lock file
	.venv/bin/ruff check --fix --quiet .
	.venv/bin/ruff format .
	$(EXPORT_DEPENDENCIES) --output-file $(DEPENDENCIES)/requirements.txt
	$(EXPORT_STRIPE) --output-file $(DEPENDENCIES)/requirements-stripe.txt
