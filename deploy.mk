# Targets for deployment, included by the Makefile. docs/DEPLOY.md explains them.
#
#   make deploy STACK=wechat-preauth REGION=ap-southeast-1 [GUIDED=] [PROFILE=…]

STACK ?= wechat-preauth
REGION ?=
PROFILE ?=
# x86_64, or arm64 with `rustup target add aarch64-unknown-linux-gnu`. Deploy with the same Architecture.
ARCHITECTURE ?= x86_64
# The first deployment asks for the parameters. GUIDED= takes them from samconfig.toml.
GUIDED ?= --guided
# The section of samconfig.toml with the stack's answers: one name for each stack.
CONFIG_ENV ?= default

TEMPLATE_VENV := .venv-template
SCAN_VENV := .venv-scan
# SAM finds cargo-lambda on the PATH, and cargo-lambda finds zig through this Python.
WITH_TOOLS := PATH="$(CURDIR)/$(TEMPLATE_VENV)/bin:$$PATH" SAM_CLI_TELEMETRY=0
WHERE := $(if $(REGION),--region $(REGION)) $(if $(PROFILE),--profile $(PROFILE))
OPERATE := $(TEMPLATE_VENV)/bin/python scripts
# Neither lint nor tests may depend on an AWS account.
OFFLINE := env -u AWS_PROFILE -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY -u AWS_SESSION_TOKEN
# One region of each kind, to find resource types that a region lacks.
LINT_REGIONS := us-east-1 cn-north-1 cn-northwest-1

.PHONY: build
build: $(TEMPLATE_VENV)/installed ## Build the three functions, and check that Lambda can start them
	cargo metadata --locked --format-version 1 >/dev/null
	$(WITH_TOOLS) sam build --parameter-overrides Architecture=$(ARCHITECTURE)
	python3 scripts/check-build.py

.PHONY: deploy
deploy: build ## Deploy STACK to REGION (asks for the parameters; GUIDED= takes those in samconfig.toml)
	$(WITH_TOOLS) sam deploy --config-env $(CONFIG_ENV) --stack-name $(STACK) $(WHERE) $(GUIDED)

.PHONY: credentials
credentials: $(TEMPLATE_VENV)/installed ## Fill the credentials secret of STACK, from prompts
	@$(OPERATE)/put-credentials.py --stack $(STACK) $(WHERE)

.PHONY: diagnose
diagnose: $(TEMPLATE_VENV)/installed ## Check the deployed STACK, from the credentials to a real code
	@$(OPERATE)/diagnose.py --stack $(STACK) $(WHERE)

.PHONY: teardown
teardown: $(TEMPLATE_VENV)/installed ## Delete STACK, after saying what stays
	@$(OPERATE)/teardown.py --stack $(STACK) $(WHERE)

.PHONY: lint-template
lint-template: $(TEMPLATE_VENV)/installed $(SCAN_VENV)/installed ## Check template.yaml: SAM, CloudFormation in three regions, serverless rules, security
	$(OFFLINE) $(WITH_TOOLS) sam validate --lint --template template.yaml
	$(OFFLINE) $(WITH_TOOLS) cfn-lint --template template.yaml --regions $(LINT_REGIONS) \
	    --include-checks I --append-rules cfn_lint_serverless.rules
	$(OFFLINE) $(SCAN_VENV)/bin/checkov --file template.yaml --framework cloudformation --compact --quiet --skip-download
	rm -rf target/template && $(TEMPLATE_VENV)/bin/python tests/template/render.py target/template
	$(OFFLINE) $(SCAN_VENV)/bin/checkov --directory target/template --framework cloudformation --compact --quiet --skip-download

.PHONY: test-template
test-template: $(TEMPLATE_VENV)/installed ## Test template.yaml in both partitions, and the operators' scripts
	$(OFFLINE) $(TEMPLATE_VENV)/bin/python -m pytest --quiet tests/template

.PHONY: test-egress
test-egress: $(TEMPLATE_VENV)/installed ## Test the fixed address in network namespaces (EGRESS=required: fail instead of skip)
	cargo build --locked --bin preauthcode --package wechat-sim --package wechat-preauth
	$(TEMPLATE_VENV)/bin/python -m pytest --quiet -rs tests/egress

$(TEMPLATE_VENV)/installed: tests/requirements-template.txt
	python3 -m venv $(TEMPLATE_VENV)
	$(TEMPLATE_VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

# The scanner pins an older AWS SDK, so it has an environment of its own.
$(SCAN_VENV)/installed: tests/template/requirements-scan.txt
	python3 -m venv $(SCAN_VENV)
	$(SCAN_VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@
