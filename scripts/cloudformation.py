"""The scripts' use of CloudFormation: change sets, waiting, stack policy, deletion."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass

from botocore.exceptions import ClientError
from stop import Stop

# How CloudFormation says that a change set is empty. There is no error code for it.
NO_CHANGES = ("didn't contain changes", "No updates are to be performed")


@dataclass(frozen=True)
class Change:
    """What an update does to one resource."""

    action: str  # Add, Modify, Remove
    id: str
    type: str
    replacement: str = ""  # True, False or Conditional; empty unless the resource is modified

    @property
    def replaces(self) -> bool:
        """Whether a new resource may take the old one's place."""
        return self.replacement in ("True", "Conditional")

    def __str__(self) -> str:
        note = {"True": "  REPLACED", "Conditional": "  perhaps REPLACED"}.get(self.replacement, "")
        return f"  {self.action:7} {self.id:32} {self.type}{note}"


@dataclass(frozen=True)
class ChangeSet:
    """Changes that wait for their execution."""

    arn: str
    stack: str
    creates: bool
    changes: tuple[Change, ...]


class CloudFormation:
    # Seconds between two looks at a stack or a change set.
    pause = 3.0

    def __init__(self, client):
        self._client = client

    def describe(self, name: str) -> dict | None:
        """The stack, or ``None`` when there is none."""
        try:
            (stack,) = self._client.describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return stack

    def resources(self, name: str) -> list[dict]:
        pages = self._client.get_paginator("list_stack_resources").paginate(StackName=name)
        return [
            resource
            for page in pages
            for resource in page["StackResourceSummaries"]
            if resource["ResourceStatus"] != "DELETE_COMPLETE"
        ]

    def template(self, name: str) -> dict:
        """The template as it was given. Empty for one that is not JSON, as an older version gave it."""
        body = self._client.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
        return body if isinstance(body, dict) else {}

    def prepare(self, name: str, creates: bool, parameters: list[dict], **template) -> ChangeSet | None:
        """A change set that can be executed, or ``None`` when nothing would change."""
        answer = self._client.create_change_set(
            StackName=name,
            ChangeSetName=f"deploy-{uuid.uuid4().hex[:12]}",
            ChangeSetType="CREATE" if creates else "UPDATE",
            Parameters=parameters,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            **template,
        )
        empty = ChangeSet(answer["Id"], name, creates, ())
        try:
            changes = self._changes(empty)
        except BaseException:
            self.discard(empty)
            raise
        if changes is None:
            self.discard(empty)
            return None
        return ChangeSet(empty.arn, name, creates, changes)

    def _changes(self, change_set: ChangeSet) -> tuple[Change, ...] | None:
        """Waits until the change set is made. ``None`` when it is empty."""
        while True:
            pages = list(self._client.get_paginator("describe_change_set").paginate(
                ChangeSetName=change_set.arn, StackName=change_set.stack
            ))
            if pages[0]["Status"] not in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
                break
            time.sleep(self.pause)
        reason = pages[0].get("StatusReason") or ""
        if pages[0]["Status"] == "FAILED":
            if any(words in reason for words in NO_CHANGES):
                return None
            raise Stop(f"CloudFormation cannot change the stack {change_set.stack}: {reason}")
        found = [c["ResourceChange"] for page in pages for c in page["Changes"]]
        return tuple(
            Change(c["Action"], c["LogicalResourceId"], c["ResourceType"], c.get("Replacement") or "") for c in found
        )

    def discard(self, change_set: ChangeSet) -> None:
        """Deletes a change set that is not wanted, and the empty stack that it made."""
        self._client.delete_change_set(ChangeSetName=change_set.arn, StackName=change_set.stack)
        if change_set.creates:
            stack = self.describe(change_set.stack)
            if stack and stack["StackStatus"] == "REVIEW_IN_PROGRESS":
                self._client.delete_stack(StackName=change_set.stack)

    def execute(self, change_set: ChangeSet) -> dict:
        """Executes the change set and shows its progress. The finished stack; a failure stops the script."""
        seen = {event["EventId"] for event in self._events(change_set.stack)}
        before = self.describe(change_set.stack)
        self._client.execute_change_set(ChangeSetName=change_set.arn, StackName=change_set.stack)
        failures = self._follow(before["StackId"], seen)
        stack = self.describe(change_set.stack) or {"StackStatus": "DELETE_COMPLETE"}
        status = stack["StackStatus"]
        if "ROLLBACK" in status or not status.endswith("_COMPLETE"):
            print(f"\nThe stack {change_set.stack} failed: {status}. What failed first:")
            print("\n".join(failures) or "  CloudFormation's events name no resource.")
            self.delete_remainder(change_set.stack, stack)
            raise Stop(f"The stack {change_set.stack} was not {'created' if change_set.creates else 'changed'}.")
        return stack

    def _events(self, stack: str) -> list[dict]:
        pages = self._client.get_paginator("describe_stack_events").paginate(StackName=stack)
        return [event for page in pages for event in page["StackEvents"]]

    def _follow(self, stack_id: str, seen: set[str]) -> list[str]:
        """Prints each resource that is finished, until the stack is. The failures with their reasons."""
        failures: list[str] = []
        while True:
            new = [event for event in reversed(self._events(stack_id)) if event["EventId"] not in seen]
            for event in new:
                seen.add(event["EventId"])
                status, reason = event["ResourceStatus"], event.get("ResourceStatusReason") or ""
                if not status.endswith("_IN_PROGRESS"):
                    print(f"  {status:26} {event['LogicalResourceId']}", flush=True)
                if status.endswith("_FAILED") and "cancelled" not in reason:
                    failures.append(f"  {event['LogicalResourceId']} ({event['ResourceType']}): {reason}")
                if event.get("PhysicalResourceId") == stack_id and not status.endswith("_IN_PROGRESS"):
                    return failures
            time.sleep(self.pause)

    def delete_remainder(self, name: str, stack: dict) -> bool:
        """Deletes what a failed first creation leaves: no such stack can be updated. Whether there was one."""
        if stack["StackStatus"] != "ROLLBACK_COMPLETE":
            return False
        print(f"The stack {name} is the remainder of a failed creation and holds nothing (ROLLBACK_COMPLETE). It is deleted.")
        self.delete(name)
        return True

    def delete(self, name: str) -> None:
        stack = self.describe(name)
        if stack is None:
            return
        self._client.delete_stack(StackName=name)
        while True:
            # A deleted stack is found by its id only.
            found = self.describe(stack["StackId"])
            status = found["StackStatus"] if found else "DELETE_COMPLETE"
            if status == "DELETE_COMPLETE":
                return
            if not status.endswith("_IN_PROGRESS"):
                raise Stop(f"The stack {name} was not deleted: {status}. {found.get('StackStatusReason', '')}".rstrip())
            time.sleep(self.pause)

    def protect(self, name: str, on: bool) -> None:
        """Termination protection."""
        self._client.update_termination_protection(StackName=name, EnableTerminationProtection=on)

    def set_policy(self, name: str, body: str) -> None:
        self._client.set_stack_policy(StackName=name, StackPolicyBody=body)
