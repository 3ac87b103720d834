# Every command that people run. What a command needs beyond Rust, Python 3 and make it installs
# into .local/, once.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
STAGE ?= dev
# The variable of this name as one word to the shell, which runs nothing that is in it.
quoted = $(if $(value $(1)),'$(subst ','\'',$(value $(1)))')
# SAM and boto3 read AWS_DEFAULT_REGION alone, the AWS CLI reads AWS_REGION before it: one deploys where the
# other looks.
AT_REGION = $(if $(value AWS_REGION),AWS_DEFAULT_REGION=$(call quoted,AWS_REGION))
SAM = $(AT_REGION) SAM_CLI_TELEMETRY=0 PATH="$(CURDIR)/.local/venv-sam/bin:$$PATH" sam

# No target is a file.
.PHONY: $(shell awk -F: '/^[a-z-]+:/ {print $$1}' $(firstword $(MAKEFILE_LIST)))

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## Watch three webhooks become bookings, on a stack of its own that stops again
	@$(PYTHON) dev/local/demo.py

dev: ## Run the whole stack on this machine until Ctrl-C (PORT=8787, RETRY_SCHEDULE=1,1,2,2,3)
	@$(PYTHON) dev/local/dev.py

test: check test-code test-stack ## Run every check and every test

check: lint test-template test-operate test-deploy ## Check format, lints, the template, the sample events and the commands for operators

lint: ## Check format and lints
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

test-code: ## Test the code: domain, functions and stores on an embedded DynamoDB
	cargo test --workspace --exclude stack-tests

test-template: ## Check template.yaml (dashboard and alarms too), samconfig.toml, events/, docs/ and the local AWS
	$(PYTHON) dev/local/check_template.py
	$(PYTHON) dev/local/check_queries.py
	@.local/venv-sam/bin/python -m unittest discover -s dev/local
	@$(PYTHON) dev/local/test_strict.py

test-operate: ## Test the commands for operators (status to sync)
	@$(PYTHON) -m unittest discover -s dev/operate

test-deploy: ## Test the commands around a deploy (restore, uninstall, check-deploy)
	@$(PYTHON) dev/deploy/tests.py

test-stack: ## Test the whole stack over HTTP with the real binaries
	$(PYTHON) dev/local/run_with_stack.py -- dev/stack-tests/run.sh
	$(PYTHON) dev/local/run_with_stack.py -- $(PYTHON) dev/local/check_denials.py
	$(PYTHON) dev/local/run_with_stack.py -- $(PYTHON) dev/local/sam_local.py --without-containers
	$(PYTHON) dev/local/run_with_stack.py -- $(PYTHON) dev/local/fuzz_api.py --quick

test-iam: ## Test the stack under a second reading of IAM: the emulator's own, signatures and all (slow)
	LOCAL_AUTH=true $(PYTHON) dev/local/run_with_stack.py -- dev/stack-tests/run.sh
	LOCAL_AUTH=true $(PYTHON) dev/local/run_with_stack.py -- $(PYTHON) dev/local/check_denials.py

test-clients: ## Have other people's clients of Calendly use the sandbox (fetches them once; needs Node)
	@$(PYTHON) dev/clients/run.py

fuzz-api: ## Fuzz the whole stack by its OpenAPI document for 10 minutes (MAX_SECONDS, MAX_EXAMPLES, SEED=…)
	$(PYTHON) dev/local/run_with_stack.py -- $(PYTHON) dev/local/fuzz_api.py $(if $(value SEED),--seed $(call quoted,SEED))

docs-page: ## Use the docs page in a headless Chromium, on a stack of its own (needs Debian's chromium)
	$(PYTHON) dev/local/run_with_stack.py -- $(PYTHON) dev/local/docs_page.py

dashboard: ## Draw the dashboard with the metrics of the last local run, to docs/dashboard.svg
	@$(PYTHON) dev/local/draw_dashboard.py

bench-sync: ## Measure syncs of 100, 1,000 and 10,000 events, and of 10,000 with little time and few calls
	RATE_LIMIT=10000000 $(PYTHON) dev/local/run_with_stack.py -- $(PYTHON) dev/local/bench_sync.py

oracle: ## Hold what is stored against what is true, history by history (HISTORIES=1000, SEED=…, TRACE=1)
	@nice cargo run --quiet --profile oracle -p oracle

invoke: ## Run one function on one sample: make invoke FUNCTION=webhook EVENT=events/webhook/created.json
	@$(PYTHON) dev/local/invoke.py $(call quoted,FUNCTION) $(call quoted,EVENT)

sam-local: ## Run every sample through `sam local invoke` against `make dev` (needs Docker)
	@$(PYTHON) dev/local/sam_local.py

build: ## Build every function for Lambda, as `make deploy` uploads it; needs no AWS credentials
	@$(PYTHON) -c 'import sys; sys.path.insert(0, "dev/local"); import venv; venv.ensure("venv-sam", "requirements-sam.txt")'
	$(SAM) build --config-env $(call quoted,STAGE)

# Looks and asks first, so that nobody waits for a build that is then deployed nowhere, or elsewhere.
deploy: ## Deploy to AWS with your credentials: make deploy STAGE=dev (or staging, prod; YES=1 asks nothing)
	@$(MAKE) --no-print-directory preflight
	@$(MAKE) --no-print-directory build
	@$(MAKE) --no-print-directory upload

deploy-built: ## Deploy what `make build` made, as `make deploy` does: for pipelines
	@$(MAKE) --no-print-directory preflight
	@$(MAKE) --no-print-directory upload

preflight: ## Look at the account, the stack and the quotas before a deploy, and ask before prod
	@$(AT_REGION) $(if $(filter 1,$(YES)),YES=1) $(PYTHON) dev/local/preflight.py $(call quoted,STAGE) $(DEPLOY_OPTIONS)

upload:
	@$(PYTHON) dev/local/stamp_release.py $(call quoted,STAGE)
	$(SAM) deploy --config-env $(call quoted,STAGE) $(if $(filter 1,$(YES)),--no-confirm-changeset) $(DEPLOY_OPTIONS)
	@$(AT_REGION) $(PYTHON) dev/local/after_deploy.py $(call quoted,STAGE) $(DEPLOY_OPTIONS)

# The commands for operators. Which stack: API_URL and API_KEY; or that of STAGE, where it is given;
# or the one of `make dev`. make hands the variables of its command line on by itself; GIVEN are
# their names, so that a misspelt one is told.
OPERATE = GIVEN='$(subst ','\'',$(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name))))' \
	$(PYTHON) dev/operate

status: ## Show whether a stack is well and what to do (here and below: STAGE=prod, or the local one)
	@$(OPERATE) status

deliveries: ## List deliveries (STATUS=dead, EVENT=invitee.created, EMAIL=…, EVENT_ID=…, FROM=2027-01-31, TO=…, LIMIT=50)
	@$(OPERATE) deliveries

why: ## Tell the story of a booking: make why EMAIL=… (or ID=… of an event or a delivery)
	@$(OPERATE) why

replay: ## Have deliveries applied again: make replay ID=… (its first 8 digits will do; several: ID=…,…)
	@$(OPERATE) replay

redrive: ## Send dead letters back (DRY_RUN=1 only shows them; EVENT=invitee.created, ID=…, LIMIT=10)
	@$(OPERATE) redrive

discard: ## Put away a dead letter that nothing can mend: make discard ID=… REASON='…'
	@$(OPERATE) discard

sync: ## Compare with Calendly now (CONNECTION=…, FROM=…, TO=…; ID=… looks at one that runs)
	@$(OPERATE) sync

# The way back and the way out, and what to look at after a first deploy.
AROUND = GIVEN='$(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name)))' \
	$(PYTHON) dev/deploy

restore: ## Bring data back from a point in time (alone: what there is; TABLE=…, AT=…, DRY_RUN=1, REPLACE=1)
	@$(AROUND) restore

uninstall: ## Take a stack away and say what stays and costs (DRY_RUN=1; DELETE_DATA=1 takes that, too)
	@$(AROUND) uninstall

check-deploy: ## Check a deployed stack on AWS, open question by open question (SEND=1 sends what it needs to)
	@$(AROUND) check-deploy

clean: ## Remove everything that was built or installed here
	rm -rf target .local .aws-sam
