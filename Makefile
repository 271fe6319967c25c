# The tasks of this project; `make help` lists them. They need Python 3.11 or newer, make and git; everything else is
# installed into .venv and node_modules from the lock files when a task first needs it.

# The Python that creates .venv. A working .venv is kept, whatever `python3` is.
VENV := .venv/bin/python
PYTHON ?= $(shell $(VENV) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(VENV) || echo python3)

# Passed to pytest after the project's own options: make test PYTEST_ARGS='-k sandbox -x'
PYTEST_ARGS ?=
# How many processes run tests at once: more than there are processors, since tests wait for sockets and processes half
# of the time; 0 for one process, for a debugger.
TEST_PROCESSES ?= 4
# How many files `make test-many` sends.
FILES ?= 10000
# make lock UPGRADE=1 takes the newest versions; without it, only changed requirements are updated.
UPGRADE ?=

# What `make spec-diff` compares: openapi.yaml as it was at a git ref with the present one, or OLD= with NEW=.
BASE ?= origin/main
OLD ?=
NEW ?= openapi.yaml
# Given to the comparison: make spec-diff SPEC_DIFF_ARGS='--format markdown'
SPEC_DIFF_ARGS ?=
# Where `make spec-diff-report` and `make live-check` write, and what `make changelog-entry` is given besides.
OUT ?= build/spec-diff
CHANGELOG_ARGS ?=
# The git tag that `make release-check` holds against the version.
TAG ?=
# Where the service is that `make live-check` asks, if not where clients ask; YES=1 sends without asking first.
BASE_URL ?=
YES ?=

# Nothing is written outside the checkout, caches of packages included, unless these say where.
export UV_CACHE_DIR ?= $(CURDIR)/.cache/uv
export PIP_CACHE_DIR ?= $(CURDIR)/.cache/pip
export npm_config_cache ?= $(CURDIR)/.cache/npm
# pip asks rustc for its version, whereupon rustup would write its settings into the home folder.
export RUSTUP_HOME ?= $(CURDIR)/.cache/rustup

# Byte code of its own for the many programs that tests start, whatever the caller's environment says.
export PYTHONPYCACHEPREFIX ?= $(CURDIR)/.cache/pycache
export PYTHONDONTWRITEBYTECODE :=

PYTHON_CODE := overrides tools tests benchmarks
# Node finds its way through PATH; only commands of Node get this one, so that $(PYTHON) stays the machine's.
WITH_NODE := PATH="$(CURDIR)/.venv/bin:$$PATH" REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true \
	npm_config_update_notifier=false

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## List the tasks
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile

##
## Setting up
##

.PHONY: setup
setup: ## Install requirements-dev.txt into .venv (other tasks do so when needed)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "error: Python 3.11 or newer is needed and '$(PYTHON)' is not that; name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) tools/environment/setup.py

.PHONY: setup-node
setup-node: setup ## Install package-lock.json into node_modules
	@$(PYTHON) tools/environment/setup.py --node

.PHONY: lock
lock: setup ## Update requirements-dev.txt and package-lock.json (UPGRADE=1 for newer versions)
	.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header --generate-hashes \
		--all-extras $(if $(UPGRADE),--upgrade) pyproject.toml requirements-dev.in -o requirements-dev.txt
	.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header --generate-hashes \
		--extra sandbox $(if $(UPGRADE),--upgrade) --constraint requirements-dev.txt pyproject.toml requirements-bench.in \
		-o requirements-bench.txt
	.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header --generate-hashes \
		$(if $(UPGRADE),--upgrade) --constraint requirements-dev.txt pyproject.toml requirements-docs.in -o requirements-docs.txt
	$(WITH_NODE) npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved --no-audit --no-fund

##
## Main tasks
##

.PHONY: demo
demo: setup ## Upload a file to a local service, through presigned S3 URLs
	@$(VENV) -m tools.demo

.PHONY: test
test: setup-node ## Run the tests, with branch coverage
	$(VENV) -m pytest --cov --cov-report=term -n $(TEST_PROCESSES) $(PYTEST_ARGS)

.PHONY: test-rules
test-rules: setup-node ## Test the contract comparison with its whole table of schema pairs
	$(VENV) -m pytest --no-cov -n 0 -m 'rules or not rules' tests/spec_diff/rules $(PYTEST_ARGS)

.PHONY: test-outage
test-outage: setup ## Cut the network for a minute in the middle of an upload, in real time
	$(VENV) -m pytest --no-cov -n 2 -m outage tests/test_outage.py $(PYTEST_ARGS)

.PHONY: test-many
test-many: setup ## Upload 10,000 files: killed and resumed, and over a cluster that loses a worker (FILES=10000)
	UPLOADS_TEST_FILES=$(FILES) $(VENV) -m pytest --no-cov -n 0 -s -k "killed_one_was or cluster" tests/bulk $(PYTEST_ARGS)

# No part of `make check`: it needs Chromium, and is skipped where there is none.
.PHONY: test-page
test-page: setup-node ## Test the sandbox's page in a headless Chromium, with axe-core
	$(VENV) -m pytest --no-cov -n 0 -m page tests/page $(PYTEST_ARGS)

.PHONY: pictures
pictures: setup ## Retake the screenshots of the sandbox's page in docs/; needs Chromium
	$(VENV) -m tests.page.pictures

.PHONY: test-runtime
test-runtime: setup-node ## Run the tests of the handwritten layer alone, without coverage: for daily work
	$(VENV) -m pytest --ignore=tests/tools --ignore=tests/spec_diff -n $(TEST_PROCESSES) $(PYTEST_ARGS)

.PHONY: test-portable
test-portable: setup-node ## Run the tests of the handwritten layer without the system functions that Windows lacks
	PYTHONPATH=tests/portable PORTABLE_TESTS=1 $(VENV) -m pytest --ignore=tests/tools --ignore=tests/spec_diff -m 'not posix and not outage and not examples and not page' \
		-n $(TEST_PROCESSES) $(PYTEST_ARGS)

LOWEST := build/lowest
# Pinned as for all other tests; what pyproject.toml names is what it says, at the least.
TEST_TOOLS = $(shell sed -n 's/^\(pytest[a-z-]*==[^ ]*\|hypothesis==[^ ]*\|filelock==[^ ]*\|socksio==[^ ]*\).*/\1/p' requirements-dev.txt)

.PHONY: test-lowest
test-lowest: setup ## Run the tests of the runtime and the command line with the lowest versions that pyproject.toml allows
	.venv/bin/uv venv --quiet --clear --python $(VENV) $(LOWEST)
	.venv/bin/uv pip compile --quiet --resolution lowest-direct --all-extras --python-version 3.11 --no-emit-index-url --no-header \
		pyproject.toml -o $(LOWEST)/requirements.txt
	.venv/bin/uv pip install --quiet --python $(LOWEST)/bin/python -r $(LOWEST)/requirements.txt $(TEST_TOOLS)
	.venv/bin/uv pip install --quiet --python $(LOWEST)/bin/python --no-deps -e .
	# Old versions of some use what new versions of others will drop, which is theirs to settle. Before anyio 4.16 a
	# connection that was being made when its call was cancelled is closed by the garbage collector, with a warning.
	$(LOWEST)/bin/python -m pytest -p no:cacheprovider -W default::DeprecationWarning \
		-W default::pytest.PytestUnraisableExceptionWarning --ignore=tests/client/test_prism.py --ignore=tests/upload/test_media_types.py -n $(TEST_PROCESSES) $(PYTEST_ARGS) \
		tests/api tests/cli tests/client tests/settings tests/transfer tests/upload

.PHONY: check
check: check-static ## Run everything that a change must pass
	@$(MAKE) --no-print-directory test

##
## The generated client
##

.PHONY: generate
generate: setup ## Rebuild generated_client/ from openapi.yaml
	$(VENV) -m tools.client.generate

.PHONY: check-generated
check-generated: setup ## Fail when generated_client/ does not match openapi.yaml
	$(VENV) -m tools.client.generate --check

##
## The contract, from one version to the next
##

.PHONY: spec-diff
spec-diff: setup-node ## Report changes of the contract and whom they break (BASE=ref, or OLD= NEW=)
	@old='$(OLD)'; \
	if [ -z "$$old" ]; then \
		folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && old="$$folder/openapi.yaml" && \
		git show --end-of-options '$(BASE):openapi.yaml' > "$$old" || exit 2; \
	fi; \
	$(VENV) -m tools.spec_diff "$$old" '$(NEW)' $(SPEC_DIFF_ARGS)

.PHONY: regenerate
regenerate: contract generate ## Rebuild the client, compare, test, and report what to review (PYTEST_ARGS=, and BASE=ref)
	@$(VENV) -m tools.release review $(if $(filter file,$(origin BASE)),,--base '$(BASE)')

.PHONY: check-version
check-version: setup-node ## Fail when info.version or CHANGELOG.md does not cover the changes since the last release
	@$(VENV) -m tools.release check

.PHONY: changelog-entry
changelog-entry: setup-node ## Draft the contract's entry in CHANGELOG.md (CHANGELOG_ARGS=--print shows it alone)
	@$(VENV) -m tools.release draft $(CHANGELOG_ARGS)

.PHONY: release-contract
release-contract: setup-node ## Record openapi.yaml as a released contract, in contracts/
	@$(VENV) -m tools.release record

.PHONY: spec-diff-report
spec-diff-report: setup-node ## Write a report of a branch's contract changes, for a pull request (BASE=ref, OUT=folder)
	@$(VENV) -m tools.pull_request.report --base '$(BASE)' --out '$(OUT)'

##
## The parts of `make check`
##

.PHONY: check-static
check-static: lint types layers contract check-generated check-version workflows docs ## Run everything in `make check` except the tests

.PHONY: format
format: setup ## Format the handwritten code and apply safe fixes
	.venv/bin/ruff check --fix-only $(PYTHON_CODE)
	.venv/bin/ruff format $(PYTHON_CODE)

.PHONY: lint
lint: setup ## Check format and style of the handwritten code
	.venv/bin/ruff format --check $(PYTHON_CODE)
	.venv/bin/ruff check $(PYTHON_CODE)

.PHONY: types
types: setup-node ## Check types with mypy and pyright, a file of user code included
	.venv/bin/mypy
	$(WITH_NODE) node_modules/.bin/pyright --warnings

.PHONY: layers
layers: setup ## Check that imports go downward only
	.venv/bin/lint-imports --no-cache

.PHONY: contract
contract: setup-node ## Check openapi.yaml: valid, well written, and decodable
	$(WITH_NODE) node_modules/.bin/redocly lint openapi.yaml
	.venv/bin/openapi-spec-validator openapi.yaml
	$(VENV) -m tools.contract.check openapi.yaml

.PHONY: workflows
workflows: setup ## Check the workflows, offline
	.venv/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	.venv/bin/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	.venv/bin/zizmor --offline --no-progress --quiet --persona=pedantic .github .pre-commit-config.yaml

##
## The documentation
##

.PHONY: docs
docs: setup-node ## Build the site into build/docs; check links, spelling and every example
	$(VENV) -m tools.docs
	.docs/venv/bin/codespell --skip '*.html,*.svg,*.json,*.png' *.md docs overrides openapi.yaml
	$(VENV) -m pytest --no-cov -q -n $(TEST_PROCESSES) -m examples tests/test_examples.py $(PYTEST_ARGS)

.PHONY: docs-serve
docs-serve: setup-node ## Build the site and show it on http://127.0.0.1:8000 (PORT=)
	$(VENV) -m tools.docs
	$(VENV) -m http.server --bind 127.0.0.1 --directory build/docs $(or $(PORT),8000)

.PHONY: docs-pictures
docs-pictures: setup ## Draw the terminal pictures of the docs (docs/pictures/terminal-*.svg)
	$(VENV) -m tests.cli.pictures

##
## Packages and measures
##

.PHONY: build
build: setup ## Build the wheel and the sdist into dist/
	rm -rf dist
	$(VENV) -m build --no-isolation

.PHONY: test-wheel
test-wheel: setup-node ## Build the wheel and try it in an empty environment
	$(VENV) -m pytest tests/tools/test_distribution.py

.PHONY: release-check
release-check: build setup-node ## Do a release without publishing: build, check, try in empty environments (TAG=v1.2.3)
	DIST=dist $(if $(TAG),TAG='$(TAG)') $(VENV) -m pytest --no-cov -n 0 -m 'release or not release' tests/tools/test_distribution.py $(PYTEST_ARGS)

.PHONY: chaos
chaos: setup ## Upload N files through a service with random faults (SEED=, N=300, RATE=0.3)
	$(VENV) -m tests.chaos -n $(or $(N),300) $(if $(SEED),--seed $(SEED)) $(if $(RATE),--rate $(RATE))

.PHONY: fuzz
fuzz: setup ## Give the decoder, storage's answers, the ledger and the command line odd inputs (MINUTES=10, SEED=)
	$(VENV) -m tests.fuzz --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED))

.PHONY: bench
bench: setup ## Measure speed and memory against other clients (BENCH_ARGS='--quick')
	$(VENV) -m benchmarks $(BENCH_ARGS)

.PHONY: benchmark-import
benchmark-import: setup ## Measure the import time against that of httpx
	$(VENV) -m benchmarks.import_time

##
## Asking others
##

# No part of `make check` either, and it may cost: it says what it will send, and asks.
.PHONY: live-check
live-check: setup ## Hold the contract against the service itself (BASE_URL=, YES=1, OUT=folder)
	@$(VENV) -m tools.live_check $(if $(BASE_URL),--base-url '$(BASE_URL)') $(if $(filter 1,$(YES)),--yes) \
		$(if $(filter file,$(origin OUT)),,--out '$(OUT)')

# No part of `make check`: the answer changes without a commit, and needs a network. A workflow asks every week. An
# advisory that does not concern this project is named here with the reason, as --ignore-vuln.
.PHONY: audit
audit: audit-python audit-node ## Ask whether a locked package is known to be vulnerable

.PHONY: audit-python
audit-python: setup ## Ask it of the Python packages
	.venv/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off \
		--requirement requirements-dev.txt --requirement requirements-bench.txt --requirement requirements-docs.txt

.PHONY: audit-node
audit-node: setup ## Ask it of the Node packages, which are tools alone: low and moderate ones fail nothing
	$(WITH_NODE) npm audit --package-lock-only --audit=true --audit-level=high

##
## Tidying
##

.PHONY: clean
clean: ## Remove what the tasks leave behind, but for .venv and node_modules
	rm -rf dist build docs/reference/openapi.html htmlcov coverage.xml .coverage .coverage.* .hypothesis .schemathesis
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find $(PYTHON_CODE) generated_client -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: clobber
clobber: clean ## Remove .venv, node_modules and the caches of packages too
	rm -rf .venv node_modules .bench .docs .cache
