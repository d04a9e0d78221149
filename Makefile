# `make help` lists the targets.

SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv

.PHONY: help
help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

.PHONY: run
run: ## Run the service on this machine with WeChat simulated (ONCE=1: end after the first code)
	cargo run --quiet --locked --example local -- $(if $(ONCE),--once)

.PHONY: test
test: test-rust test-template test-egress ## Run all tests

.PHONY: test-rust
test-rust: $(VENV)/installed ## Test the Rust code, and search its output for secrets
	rm -rf target/test-logs && mkdir -p target/test-logs
	set -o pipefail; cargo test --workspace --locked --no-fail-fast 2>&1 | tee target/test-logs/suite.log
	python3 scripts/find-secrets.py target/test-logs

.PHONY: simulate
simulate: ## Run a million schedules of the token engine's simulation (N=… for another number)
	SIM_SCHEDULES=$(or $(N),1000000) cargo test --profile simulate --locked --test simulation -- --nocapture

.PHONY: planted-bugs
planted-bugs: ## Break fourteen rules of the token engine, one by one: the simulation must find each
	python3 scripts/find-planted-bugs.py

.PHONY: lint
lint: ## Check format, lints, the dependency graph, and that the fuzz targets compile
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo check --manifest-path fuzz/Cargo.toml --locked
	python3 scripts/check-dependencies.py

.PHONY: lines
lines: ## Print the lines of code of each source file
	python3 scripts/count-lines.py src

# The tests also run moto's server and cargo-lambda's runtime emulator. The emulator does not need zig, which
# cargo-lambda depends on: hence --no-deps.
$(VENV)/installed: tests/requirements.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps cargo-lambda==1.9.2
	touch $@

include deploy.mk
