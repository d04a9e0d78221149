#!/usr/bin/env python3
"""Fills the stack's secrets from prompts: the credentials, and the push keys that only callback may read.

No secret is an argument of a command, because the process list and the shell's history would show it. The
script shows neither what is typed nor what is stored. Enter keeps a stored value.

When standard input is a file or a pipe, it is read as one JSON document with all fields:

    make credentials < credentials.json
"""

from __future__ import annotations

import getpass
import json
import re
import sys
from typing import Any

import credentials
from botocore.exceptions import ClientError
from credentials import FORMS
from stack import Stack, arguments, run
from stop import Stop, yes

FIELDS = {*credentials.CREDENTIALS, *credentials.CALLBACK}


def current(secrets, arn: str) -> dict[str, Any]:
    """The stored document, or an empty one."""
    text = credentials.stored(secrets, arn)
    if text is None:
        return {}
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        print("A secret is not a JSON object and will be replaced.", file=sys.stderr)
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


def ask_push_key() -> dict[str, str]:
    return {
        "token": ask("token", "消息校验Token", None, hidden=True),
        "encoding_aes_key": ask("encoding_aes_key", "消息加解密Key (EncodingAESKey)", None, hidden=True),
    }


def ask_push_keys(kept: list[dict[str, str]]) -> list[dict[str, str]]:
    """The push keys, in the order in which they are tried: current, previous, test version."""
    if kept and not yes(f"{len(kept)} push key(s) are stored. Add a new one before them?"):
        return kept
    entry = ask_push_key()
    keys = [entry]
    if kept and yes("Keep the stored ones after it, for earlier pushes and for the test version?"):
        keys += [k for k in kept if k != entry]
    while yes("Add another, such as the test version's (测试版)?"):
        keys.append(ask_push_key())
    return keys


def prompted(stored: dict[str, Any]) -> dict[str, Any]:
    document = dict(stored)  # keeps unknown fields
    document["component_appid"] = ask("component_appid", "component_appid", stored.get("component_appid"), hidden=False)
    document["component_appsecret"] = ask(
        "component_appsecret", "component_appsecret", stored.get("component_appsecret"), hidden=True
    )
    document["push_keys"] = ask_push_keys(stored.get("push_keys") or [])
    return document


def piped() -> Any:
    try:
        return json.load(sys.stdin)
    except ValueError as error:
        raise Stop("Standard input is not a JSON document. Nothing was written.") from error


def divided(document: dict[str, Any], callback: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The documents of the two secrets, each with its own fields only. Fields that nobody knows stay where they are."""
    first = {k: v for k, v in document.items() if k != "push_keys"}
    second = {k: v for k, v in callback.items() if k not in FIELDS}
    second["component_appid"] = document["component_appid"]
    # A document without push keys is no wish to delete them: WeChat's pushes would be refused.
    second["push_keys"] = document.get("push_keys", callback.get("push_keys", []))
    return first, second


def write(secrets, name: str, arn: str, document: dict[str, Any], stored: dict[str, Any]) -> None:
    if document == stored:
        print(f"{name}: nothing changed.")
        return
    try:
        secrets.put_secret_value(SecretId=arn, SecretString=json.dumps(document, ensure_ascii=False))
    except ClientError as error:
        raise credentials.kms_denied(error, arn) or error
    keys = f", with {len(document['push_keys'])} push key(s)" if "push_keys" in document else ""
    print(f"{name}: written{keys}.")


def main(argv: list[str]) -> int:
    options = arguments("Fill the secrets of a deployed stack, from prompts.").parse_args(argv)
    stack = Stack(options)
    arn = stack.output("CredentialsSecretArn")
    callback_arn = stack.outputs().get("CallbackSecretArn", arn)
    secrets = stack.client("secretsmanager")
    stored = current(secrets, arn)
    stored_callback = stored if callback_arn == arn else current(secrets, callback_arn)
    if sys.stdin.isatty():
        print(f"Credentials of the platform (第三方平台) for the stack {stack.name} in {stack.region}.")
        # The push keys of one secret move to the second one.
        keys = stored_callback.get("push_keys") or stored.get("push_keys")
        document = prompted(stored | ({"push_keys": keys} if keys else {}))
    else:
        document = piped()
    if problem := credentials.wrong(document, credentials.CREDENTIALS):
        raise Stop(f"Not written: {problem}.")
    if callback_arn == arn:
        write(secrets, "Credentials and push keys", arn, document, stored)
    else:
        first, second = divided(document, stored_callback)
        if not second["push_keys"]:
            print("No push keys: callback's secret is not written. WeChat's pushes are refused until it is.")
        else:
            write(secrets, "Push keys", callback_arn, second, stored_callback)
        write(secrets, "Credentials", arn, first, stored)
    print("Running functions load a new value without a deployment.")
    return 0


if __name__ == "__main__":
    run(main)
