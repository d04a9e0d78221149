#!/usr/bin/env python3
"""Fills the stack's credentials secret from prompts.

No secret is an argument of a command, because the process list and the shell's history would show it. The
script shows neither what is typed nor what is stored. Enter keeps a stored value.

When standard input is a file or a pipe, it is read as the whole JSON document:

    make credentials < credentials.json
"""

from __future__ import annotations

import getpass
import json
import re
import sys
from typing import Any

from botocore.exceptions import ClientError
from stack import Stack, Stop, arguments, run

# WeChat's forms: an appid is `wx` and 16 hex digits, an appsecret 32, an EncodingAESKey 43 characters.
FORMS = {
    "component_appid": (r"wx[0-9a-z]{16}", "wx and 16 characters: component_appid, on the platform's detail page"),
    "component_appsecret": (r"[0-9a-f]{32}", "32 hexadecimal digits: component_appsecret"),
    "token": (r"[A-Za-z0-9]{1,64}", "letters and digits: 消息校验Token"),
    "encoding_aes_key": (r"[A-Za-z0-9]{43}", "43 letters and digits: 消息加解密Key"),
}


def wrong(document: Any) -> str | None:
    """What is wrong with a document, without quoting its values; ``None`` when it can be stored."""
    if not isinstance(document, dict):
        return "it is not a JSON object"
    entries = document.get("push_keys", [])
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        return "push_keys is not a list of objects"
    fields = [("component_appid", document), ("component_appsecret", document)]
    fields += [(name, entry) for entry in entries for name in ("token", "encoding_aes_key")]
    for name, holder in fields:
        pattern, meaning = FORMS[name]
        value = holder.get(name)
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            return f"{name} must be {meaning}"
    return None


def current(secrets, arn: str) -> dict[str, Any]:
    """The stored document, or an empty one."""
    try:
        text = secrets.get_secret_value(SecretId=arn, VersionStage="AWSCURRENT").get("SecretString", "")
    except ClientError as error:
        # A secret without a value answers as if it did not exist.
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return {}
        raise
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        print("The secret is not a JSON object and will be replaced.", file=sys.stderr)
        return {}
    return document


def ask(name: str, label: str, kept: str | None, hidden: bool) -> str:
    """Asks for a value until it has WeChat's form. Enter keeps the stored value."""
    pattern, meaning = FORMS[name]
    prompt = f"{label}{' [Enter keeps it]' if kept else ''}: "
    while True:
        value = (getpass.getpass(prompt) if hidden else input(prompt)).strip()
        if not value and kept:
            return kept
        if re.fullmatch(pattern, value):
            return value
        print(f"  The value must be {meaning}.", file=sys.stderr)


def yes(question: str) -> bool:
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def ask_push_keys(kept: list[dict[str, str]]) -> list[dict[str, str]]:
    """The push keys, in the order in which they are tried: current, previous, test version."""
    if kept and not yes(f"{len(kept)} push key(s) are stored. Add a new one before them?"):
        return kept
    entry = {
        "token": ask("token", "消息校验Token", None, hidden=True),
        "encoding_aes_key": ask("encoding_aes_key", "消息加解密Key (EncodingAESKey)", None, hidden=True),
    }
    keys = [entry]
    if kept and yes("Keep the stored ones after it, for earlier pushes and for the test version?"):
        keys += [k for k in kept if k != entry]
    while yes("Add another, such as the test version's (测试版)?"):
        keys.append({
            "token": ask("token", "消息校验Token", None, hidden=True),
            "encoding_aes_key": ask("encoding_aes_key", "消息加解密Key (EncodingAESKey)", None, hidden=True),
        })
    return keys


def prompted(stored: dict[str, Any]) -> dict[str, Any]:
    document = dict(stored)  # keeps unknown fields
    document["component_appid"] = ask("component_appid", "component_appid", stored.get("component_appid"), hidden=False)
    document["component_appsecret"] = ask(
        "component_appsecret", "component_appsecret", stored.get("component_appsecret"), hidden=True
    )
    document["push_keys"] = ask_push_keys(stored.get("push_keys") or [])
    return document


def main(argv: list[str]) -> int:
    options = arguments("Fill the credentials secret of a deployed stack, from prompts.").parse_args(argv)
    stack = Stack(options)
    arn = stack.output("CredentialsSecretArn")
    secrets = stack.client("secretsmanager")
    stored = current(secrets, arn)
    if sys.stdin.isatty():
        print(f"Credentials of the platform (第三方平台) for the stack {stack.name} in {stack.region}.")
        document = prompted(stored)
    else:
        try:
            document = json.load(sys.stdin)
        except ValueError as error:
            raise Stop("Standard input is not a JSON document. Nothing was written.") from error
    if problem := wrong(document):
        raise Stop(f"Not written: {problem}.")
    if document == stored:
        print("Nothing changed.")
        return 0
    secrets.put_secret_value(SecretId=arn, SecretString=json.dumps(document, ensure_ascii=False))
    print(f"Written, with {len(document.get('push_keys', []))} push key(s). Running functions load it without a deployment.")
    return 0


if __name__ == "__main__":
    run(main)
