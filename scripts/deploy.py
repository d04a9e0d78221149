#!/usr/bin/env python3
"""Deploys or updates the service, and its network before it.

    scripts/deploy.py STACK=wechat-preauth REGION=ap-southeast-1 Minting=on [NAME=value …]

Every check comes before the first change. Then it shows what changes in both stacks and asks for one yes (YES=1 asks
nothing). Values that are not given stay as they are: CloudFormation keeps them, nothing is stored here.
docs/DEPLOY.md explains the options and what each refusal asks for.
"""

from __future__ import annotations

import json
import os
import sys

import addresses
import credentials
import line as words
import platform_name
import routes
import stack_policy
from botocore.exceptions import ClientError
from cloudformation import ChangeSet
from existing import live_network, live_service
from line import Line
from stack import Account, outputs, parameters, run, split
from stop import Refused, Stop, warn, yes
from templates import Bucket, Source

# The service's parameters that are outputs of the network stack.
FROM_NETWORK = ("SubnetIds", "SecurityGroupId", "EgressIps", "DynamoDbEndpointId")
MINTING = """\
Minting must be chosen: does this stack request (mint) the component access token?
  on   this stack mints, and nothing else does. Beside a token server that is still running, each invalidates the
       other's tokens, and calls fail with 40001 everywhere.
  off  another program mints, or you are not sure. This stack uses the tokens that are handed over to it."""


class Deployment:
    """One run of `make deploy`."""

    def __init__(self, line: Line, source: Source):
        self.line, self.source = line, source
        self.account = Account(line.option("REGION"), line.option("PROFILE"))
        self.cloudformation = self.account.cloudformation
        self.name = line.option("STACK", "wechat-preauth")
        self.network_name = f"{self.name}-network"
        self.registered = line.option("REGISTERED").lower() in ("yes", "1", "true")
        self.asks = line.option("YES").lower() not in ("yes", "1", "true")
        self.pending: list[ChangeSet] = []

    def run(self) -> None:
        self.service_template = self.source.template("template.yaml")
        self.network_template = self.source.template("network.yaml")
        self.service = live_service(self.cloudformation, self.name)
        self.network = live_network(self.cloudformation, self.network_name)
        if self.asks and not sys.stdin.isatty():
            raise Stop("Without a terminal nobody can say yes: add YES=1, after you have read what changes.")
        self.owns_network = self.decide_network()
        self.choose_minting()
        self.zips = self.source.zips(self.service_values()["Architecture"])
        self.check_secrets()
        try:
            self.deploy()
        finally:
            while self.pending:
                self.discard(self.pending.pop())

    # ── What will be ────────────────────────────────────────────────────────────────────────────────────────────────

    def decide_network(self) -> bool:
        """Whether this deployment has a network stack of its own, rather than the owner's network."""
        before = parameters(self.service) if self.service else {}
        if "SubnetIds" in self.line.service:
            own = False
        elif self.service and self.network:
            own = set(split(before["SubnetIds"])) == set(split(outputs(self.network).get("SubnetIds", "")))
        else:
            own = not self.service
        if own:
            given = [name for name in FROM_NETWORK if name in self.line.service]
            if given:
                raise Stop(f"{given[0]} comes from the stack {self.network_name}. For a network of yours give SubnetIds too.")
            return True
        only = [name for name in self.line.network if name not in self.service_template["Parameters"]]
        if only:
            raise Stop(f"{only[0]} belongs to a network stack, and this service uses a network that was given to it.")
        lacking = [name for name in FROM_NETWORK if not {**before, **self.line.service}.get(name)]
        if lacking:
            raise Stop(f"A network of yours needs {', '.join(FROM_NETWORK)}. Missing: {', '.join(lacking)}.")
        return False

    def choose_minting(self) -> None:
        if (self.service and "Minting" in parameters(self.service)) or "Minting" in self.line.service:
            return
        if not self.asks:
            raise Stop(f"{MINTING}\nGive Minting=on or Minting=off.")
        print(MINTING)
        while (answer := input("Minting [on/off]: ").strip().lower()) not in ("on", "off"):
            pass
        self.line.service["Minting"] = answer

    def service_values(self) -> dict[str, str]:
        before = parameters(self.service) if self.service else {}
        return words.values(self.service_template["Parameters"], self.line.service, before)

    def network_values(self) -> dict[str, str]:
        before = parameters(self.network) if self.network else {}
        return words.values(self.network_template["Parameters"], self.line.network, before)

    # ── Preflight ───────────────────────────────────────────────────────────────────────────────────────────────────

    def check_secrets(self) -> None:
        given, now = self.line.service, self.service_values()
        if "CredentialsSecretArn" in given or "CallbackSecretArn" in given:
            credentials.check(
                self.account.client("secretsmanager"), now["CredentialsSecretArn"], now["CallbackSecretArn"]
            )

    def check_network(self, network: dict[str, str]) -> list[str]:
        """The network as it is. The addresses of its NAT gateways."""
        return routes.check(
            self.account.client("ec2"), split(network["SubnetIds"]),
            split(network["EgressIps"]), network["DynamoDbEndpointId"],
        ).addresses

    def prepare_network(self) -> ChangeSet | None:
        """The network's change set, after everything that can move an address was looked at."""
        ec2 = self.account.client("ec2")
        before = parameters(self.network) if self.network else {}
        self.line.network = addresses.fill_in(ec2, self.line.network, before)
        if not self.network:
            routes.check_public_access(ec2)
        change_set = self.prepare(self.network_name, not self.network, self.network_template["Parameters"],
                                  self.line.network, before, TemplateBody=json.dumps(self.network_template))
        changes = change_set.changes if change_set else ()
        if self.network:
            # The routes first: what is wrong already is no change of this update.
            live = self.check_network(outputs(self.network))
            self.check_policy(changes)
        else:
            live = []
        known = split(outputs(self.network)["EgressIps"]) if self.network else []
        after = addresses.yielded(self.network_values(), before, known, changes)
        if self.service:
            addresses.check_list(split(parameters(self.service)["EgressIps"]), after, self.registered)
        addresses.check_gateways(live, addresses.in_use(self.network_values(), after), self.registered)
        return change_set

    def check_policy(self, changes) -> None:
        """The change set touches nothing protected that LIFT does not name."""
        policy = stack_policy.lifted(stack_policy.load(), self.line.lifts())
        if touched := stack_policy.denied(policy, changes):
            self.show(self.network_name, touched)
            raise Refused("protected", (
                f"the update of {self.network_name} touches what keeps the addresses in place (above). If that is what "
                f"you want, add LIFT={','.join(c.id for c in touched)}."
            ))

    # ── The two stacks ──────────────────────────────────────────────────────────────────────────────────────────────

    def prepare(self, name, creates, template, given, before, **body) -> ChangeSet | None:
        if lacking := words.missing(template, given, before):
            raise Stop(f"The stack {name} needs a value for {', '.join(lacking)}.")
        change_set = self.cloudformation.prepare(
            name, creates, words.for_cloudformation(template, given, before), **body
        )
        if change_set:
            self.pending.append(change_set)
        return change_set

    def prepare_service(self, network: dict[str, str]) -> ChangeSet | None:
        template, url = Bucket(self.account, self.line.option("BUCKET")).upload(self.service_template, self.zips)
        before = parameters(self.service) if self.service else {}
        given = self.line.service | ({name: network[name] for name in FROM_NETWORK} if self.owns_network else {})
        # The template deploys the API again each time (AlwaysDeploy), so CloudFormation would always see a change.
        if given.items() <= before.items() and template == self.cloudformation.template(self.name):
            return None
        return self.prepare(self.name, not self.service, template["Parameters"], given, before, TemplateURL=url)

    def deploy(self) -> None:
        network = network_change = service_change = None
        if self.owns_network:
            network_change = self.prepare_network()
            network = outputs(self.network) if self.network else None
        else:
            network = self.service_values()
            self.check_network(network)
            live = split(parameters(self.service)["EgressIps"]) if self.service else []
            addresses.check_list(live, split(network["EgressIps"]), self.registered)
        if network_change:
            self.show(self.network_name, network_change.changes)
        if network:
            service_change = self.prepare_service(network)
            self.show(self.name, service_change.changes if service_change else ())
        else:
            print(f"\n{self.name}: is created after the network, with the network's outputs.")
        if network_change or service_change or not network:
            self.confirm("Make these changes?")
        if self.owns_network:
            found = self.execute_network(network_change)
            if not network or any(found[name] != network[name] for name in FROM_NETWORK):
                service_change = self.prepare_again(service_change, found)
        stack = self.execute(service_change) if service_change else self.cloudformation.describe(self.name)
        self.cloudformation.protect(self.name, True)
        self.report(stack, bool(network_change or service_change))

    def prepare_again(self, service_change: ChangeSet | None, network: dict[str, str]) -> ChangeSet | None:
        """The service's change set with the outputs of a network that is new, or was changed a moment ago."""
        self.check_network(network)
        if service_change:
            self.pending.remove(service_change)
            self.discard(service_change)
        again = self.prepare_service(network)
        self.show(self.name, again.changes if again else ())
        if self.service and again:
            self.confirm("The network's outputs have changed. Make these changes to the service?")
        return again

    def execute_network(self, change_set: ChangeSet | None) -> dict[str, str]:
        """Updates the network, under its stack policy. Its outputs."""
        policy, lifts = stack_policy.load(), self.line.lifts()
        try:
            if self.network and change_set and lifts:
                print(f"The stack policy is lifted for {', '.join(lifts)} during this update.")
                self.cloudformation.set_policy(self.network_name, json.dumps(stack_policy.lifted(policy, lifts)))
            stack = self.execute(change_set) if change_set else self.network
        finally:
            # Also after a failure or Ctrl-C, and where somebody else changed the policy.
            if self.cloudformation.describe(self.network_name):
                self.cloudformation.set_policy(self.network_name, json.dumps(policy))
        self.cloudformation.protect(self.network_name, True)
        return outputs(stack)

    def execute(self, change_set: ChangeSet) -> dict:
        print(f"\n{change_set.stack}:")
        self.pending.remove(change_set)
        return self.cloudformation.execute(change_set)

    def discard(self, change_set: ChangeSet) -> None:
        try:
            self.cloudformation.discard(change_set)
        except ClientError as error:
            # It does no harm: nobody executes it.
            warn(f"the change set {change_set.arn} was not deleted: {error}")

    # ── What the person sees ────────────────────────────────────────────────────────────────────────────────────────

    def show(self, stack: str, changes) -> None:
        print(f"\n{stack}: {f'{len(changes)} changes' if changes else 'no changes'}")
        for change in changes:
            print(change)

    def confirm(self, question: str) -> None:
        if self.asks and not yes(f"\n{question}"):
            raise Stop("Nothing was changed.")

    def report(self, stack: dict, changed: bool) -> None:
        print("\nDone. The outputs:" if changed else "\nNothing changed. The outputs:")
        for name, value in sorted(outputs(stack).items()):
            print(f"  {name:26} {value}")
        if name := self.service_values().get(platform_name.PARAMETER):
            print(f"\nMerchants read the platform's name as: {platform_name.shown(name)}")
        if not self.service:
            print("\nNext: append EgressIps to the platform's 白名单IP地址列表 (修改), then `make credentials`, then `make diagnose`.")


def main(argv: list[str]) -> int:
    given = [word for word in argv if not word.startswith("--")]
    if "--from-make" in argv:
        given += words.of_make(os.environ)
    package = [word.partition("=")[2] for word in given if word.startswith("PACKAGE=")]
    source = Source.find(next((p for p in package if p), ""))
    line = words.parse(
        given, source.template("template.yaml")["Parameters"], source.template("network.yaml")["Parameters"]
    )
    if "--check-line" not in argv:
        Deployment(line, source).run()
    return 0


if __name__ == "__main__":
    run(main)
