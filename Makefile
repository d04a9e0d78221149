# `make help` lists the targets.

SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
# Fills the Python environment of the target. A lock lists every package with its hashes, so pip looks for nothing else
# (--no-deps), and no package runs code of its own while it is installed (--only-binary).
PIP_INSTALL := pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all:
define install_locked
python3 -m venv $(@D)
$(@D)/bin/$(PIP_INSTALL) $(addprefix -r ,$^)
touch $@
endef

.PHONY: help
help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

.PHONY: run
run: ## Run the service on this machine with WeChat simulated (ONCE=1: end after the first code)
	@echo "Building the service and the simulator: about a minute the first time."
	cargo run --locked --package wechat-preauth-local -- $(if $(ONCE),--once)

.PHONY: test
test: test-rust test-pages test-template test-operate test-egress test-stack ## Run all tests

.PHONY: test-rust
test-rust: $(VENV)/installed ## Test the Rust code, and search its output for secrets
	rm -rf target/test-logs && mkdir -p target/test-logs
	set -o pipefail; cargo test --workspace --locked --no-fail-fast 2>&1 | tee target/test-logs/suite.log
	python3 scripts/find-secrets.py target/test-logs

.PHONY: test-pages
test-pages: ## Test the merchant's pages in Chromium (BROWSER=required: fail instead of skip)
	tests/pages/run test

.PHONY: screenshots
screenshots: ## Take the pictures of docs/images anew
	BROWSER=required tests/pages/run pictures

.PHONY: simulate
simulate: ## Run a million schedules of the token engine's simulation (N=… for another number)
	SIM_SCHEDULES=$(or $(N),1000000) cargo test --profile simulate --locked --test simulation -- --nocapture

.PHONY: planted-bugs
planted-bugs: ## Break sixteen rules of the token engine, one by one: the simulation must find each
	python3 scripts/find-planted-bugs.py

.PHONY: lint
lint: $(VENV)/installed ## Check format, lints, dependencies, workflows, and that the fuzz targets compile
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo check --manifest-path fuzz/Cargo.toml --locked
	python3 scripts/check-dependencies.py
	$(VENV)/bin/zizmor --offline --quiet --no-progress .github/workflows examples/github-actions/deploy.yml

# docs/FUZZING.md explains the flags.
.PHONY: fuzz
fuzz: ## Fuzz each target for a minute (N=… for other seconds); needs cargo-fuzz
	cd fuzz && for target in $$(cargo fuzz list); do \
	    mkdir -p corpus/$$target && RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none $$target corpus/$$target \
	        seeds/$$target ../events -- -max_total_time=$(or $(N),60) -rss_limit_mb=2048 -max_len=8192 || exit 1; \
	done

.PHONY: lines
lines: ## Print the lines of code of each source file
	python3 scripts/count-lines.py src

# Writes requirements*.txt from the *.in files beside them. Versions stay unless UPGRADE=1 is given or a *.in file asks
# for another one. The locks hold for CPython 3.11 and later on every platform.
LOCK = target/lock-venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --only-binary :all: \
    --no-emit-index-url --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

.PHONY: lock
lock: ## Lock the Python tools with hashes (UPGRADE=1: in their newest versions)
	python3 -m venv --clear target/lock-venv
	target/lock-venv/bin/$(PIP_INSTALL) -r tests/requirements-lock.txt
	for file in $(basename $(wildcard tests/requirements*.in tests/template/requirements*.in)); do \
	    case $$file in *-cargo-lambda) alone=--no-deps ;; *) alone= ;; esac; \
	    $(LOCK) $$alone $$file.in --output-file $$file.txt || exit 1; \
	done

$(VENV)/installed: tests/requirements.txt tests/requirements-cargo-lambda.txt
	$(install_locked)

include deploy.mk
