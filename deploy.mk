# Targets for deployment, included by the Makefile. docs/DEPLOY.md explains them.
#
#   make deploy STACK=wechat-preauth REGION=ap-southeast-1 Minting=on [NAME=value …]

STACK ?= wechat-preauth
REGION ?=
PROFILE ?=
# x86_64, or arm64 with `rustup target add aarch64-unknown-linux-gnu`. It is a parameter of the template too.
ARCHITECTURE ?= $(or $(Architecture),x86_64)
# A directory that `make package` wrote, or a release. Then nothing is built.
PACKAGE ?=

TEMPLATE_VENV := .venv-template
SCAN_VENV := .venv-scan
STACK_VENV := .venv-stack
# SAM finds cargo-lambda on the PATH, and cargo-lambda finds zig through this Python.
WITH_TOOLS := PATH="$(CURDIR)/$(TEMPLATE_VENV)/bin:$$PATH" SAM_CLI_TELEMETRY=0
WHERE := $(if $(REGION),--region $(REGION)) $(if $(PROFILE),--profile $(PROFILE))
OPERATE := $(TEMPLATE_VENV)/bin/python scripts
# Neither lint nor tests may depend on an AWS account.
OFFLINE := env -u AWS_PROFILE -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY -u AWS_SESSION_TOKEN

.PHONY: build
build: $(TEMPLATE_VENV)/installed ## Build the four functions, and check that Lambda can start them
	cargo metadata --locked --format-version 1 >/dev/null
	$(WITH_TOOLS) sam build --parameter-overrides Architecture=$(ARCHITECTURE)
	python3 scripts/check-build.py --architecture $(ARCHITECTURE)

.PHONY: package
package: build ## Write dist/: the programs for ARCHITECTURE as zips, both templates, SHA256SUMS
	python3 scripts/package.py --architecture $(ARCHITECTURE)

# The names on the line are checked before the build, everything else after it. The script reads the line from make
# itself, so that no shell interprets a value.
DEPLOY = @$(OPERATE)/deploy.py --from-make STACK='$(STACK)' REGION='$(REGION)' PROFILE='$(PROFILE)' PACKAGE='$(PACKAGE)'
.PHONY: deploy
deploy: $(TEMPLATE_VENV)/installed ## Deploy STACK and its network to REGION (NAME=value …, PACKAGE=dist, YES=1)
	$(DEPLOY) --check-line
	$(if $(PACKAGE),,@$(MAKE) --no-print-directory build)
	$(DEPLOY)

.PHONY: credentials
credentials: $(TEMPLATE_VENV)/installed ## Fill the secrets of STACK, from prompts
	@$(OPERATE)/put-credentials.py --stack $(STACK) $(WHERE)

.PHONY: diagnose
diagnose: $(TEMPLATE_VENV)/installed ## Check the deployed STACK, from the credentials to a real code, and each address
	@$(OPERATE)/diagnose.py --stack $(STACK) $(WHERE)

.PHONY: teardown
teardown: $(TEMPLATE_VENV)/installed ## Delete STACK, after saying what stays (YES=<stack>: ask nothing)
	@$(OPERATE)/teardown.py --stack $(STACK) $(WHERE) $(if $(YES),--yes '$(YES)')

.PHONY: lint-template
lint-template: $(TEMPLATE_VENV)/installed $(SCAN_VENV)/installed ## Check both templates as written and as SAM translates them, in both partitions, and their security
	$(OFFLINE) $(WITH_TOOLS) sam validate --lint --template template.yaml
	$(OFFLINE) $(WITH_TOOLS) cfn-lint
	rm -rf target/template && $(TEMPLATE_VENV)/bin/python tests/template/render.py translated target/template/translated
	$(OFFLINE) $(WITH_TOOLS) cfn-lint --regions us-east-1 ap-southeast-1 eu-central-1 -- target/template/translated/aws/*.json
	$(OFFLINE) $(WITH_TOOLS) cfn-lint --regions cn-north-1 cn-northwest-1 -- target/template/translated/aws-cn/*.json
	$(TEMPLATE_VENV)/bin/python tests/template/render.py stacks target/template/stacks
	$(OFFLINE) $(SCAN_VENV)/bin/checkov --config-file .checkov.yaml --file template.yaml network.yaml
	$(OFFLINE) $(SCAN_VENV)/bin/checkov --config-file .checkov.yaml --directory target/template/stacks

.PHONY: test-template
test-template: $(TEMPLATE_VENV)/installed ## Test both templates in both partitions
	$(OFFLINE) $(TEMPLATE_VENV)/bin/python -m pytest --quiet tests/template

.PHONY: test-operate
test-operate: $(TEMPLATE_VENV)/installed ## Test the operators' scripts
	$(OFFLINE) $(TEMPLATE_VENV)/bin/python -m pytest --quiet tests/operate

.PHONY: test-egress
test-egress: $(TEMPLATE_VENV)/installed ## Test the fixed address in network namespaces (EGRESS=required: fail instead of skip)
	cargo build --locked --workspace --bins
	$(TEMPLATE_VENV)/bin/python -m pytest --quiet -rs tests/egress

.PHONY: test-stack
test-stack: $(STACK_VENV)/installed ## Test the whole service on an emulated AWS that enforces permissions, with WeChat simulated
	cargo build --locked --workspace --bins
	$(OFFLINE) $(STACK_VENV)/bin/python -m pytest --quiet tests/stack

$(TEMPLATE_VENV)/installed: tests/requirements-template.txt
	$(install_locked)

$(SCAN_VENV)/installed: tests/template/requirements-scan.txt
	$(install_locked)

$(STACK_VENV)/installed: tests/requirements-stack.txt
	$(install_locked)
