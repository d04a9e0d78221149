"""The documents in the two secrets: which fields each reader needs, and the forms of their values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError
from stop import Refused, Stop, warn

# What preauthcode and keeper read, and what callback reads.
CREDENTIALS = ("component_appid", "component_appsecret")
CALLBACK = ("component_appid", "push_keys")

# WeChat's forms: an appid is `wx` and 16 hex digits, an appsecret 32, an EncodingAESKey 43 characters.
FORMS = {
    "component_appid": (r"wx[0-9a-z]{16}", "wx and 16 characters: component_appid, on the platform's detail page"),
    "component_appsecret": (r"[0-9a-f]{32}", "32 hexadecimal digits: component_appsecret"),
    "token": (r"[A-Za-z0-9]{1,64}", "letters and digits: 消息校验Token"),
    "encoding_aes_key": (r"[A-Za-z0-9]{43}", "43 letters and digits: 消息加解密Key"),
}


def wrong(document: Any, needed: Iterable[str]) -> str | None:
    """What is wrong with a document, without quoting its values; ``None`` when its readers can use it."""
    if not isinstance(document, dict):
        return "it is not a JSON object"
    entries = document.get("push_keys", [])
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        return "push_keys is not a list of objects"
    fields = [(name, document) for name in needed if name in FORMS]
    fields += [(name, entry) for entry in entries for name in ("token", "encoding_aes_key")]
    for name, holder in fields:
        pattern, meaning = FORMS[name]
        value = holder.get(name)
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            return f"{name} must be {meaning}"
    return None


def stored(secrets, arn: str) -> str | None:
    """The secret's text; ``None`` when it has no value yet."""
    try:
        found = secrets.get_secret_value(SecretId=arn, VersionStage="AWSCURRENT")
    except ClientError as error:
        # A secret without a value answers as if it did not exist.
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        raise kms_denied(error, arn) or error
    return "" if found.get("SecretBinary") else found.get("SecretString") or None


def kms_denied(error: ClientError, arn: str) -> Stop | None:
    """A message of Secrets Manager about the customer managed key, in the operator's words."""
    text = error.response["Error"].get("Message", "")
    denied = re.search(r"kms:(?:GenerateDataKey|Decrypt)", text)
    if denied is None and "Access to KMS is not allowed" not in text:
        return None
    missing = f"the permission {denied[0]}" if denied else "the permissions kms:GenerateDataKey and kms:Decrypt"
    return Stop(f"Nothing was written. You lack {missing} on the key that encrypts {arn} (KmsKeyArn).")


def check(secrets, credentials: str, callback: str) -> None:
    """Preflight: the secrets that were given have the fields that their readers need. Empty ARNs are not looked at."""
    if credentials:
        # Without a secret of its own, callback reads this one too.
        check_one(secrets, "CredentialsSecretArn", credentials, CREDENTIALS if callback else (*CREDENTIALS, "push_keys"))
    if callback and callback != credentials:
        check_one(secrets, "CallbackSecretArn", callback, CALLBACK)


def check_one(secrets, parameter: str, arn: str, needed: tuple[str, ...]) -> None:
    def refuse(why: str) -> None:
        raise Refused("unfilled-secret", f"{parameter}: {why}. Its readers need {', '.join(needed)}. Fill it first: {arn}")

    try:
        text = stored(secrets, arn)
    except (ClientError, Stop) as error:
        # Whoever deploys need not be able to read secrets.
        if isinstance(error, ClientError) and error.response["Error"]["Code"] != "AccessDeniedException":
            raise
        warn(f"{parameter} was not checked, because you may not read it. Its readers need {', '.join(needed)}.")
        return
    if text is None:
        refuse("the secret does not exist or has no value")
    try:
        document = json.loads(text)
    except ValueError:
        refuse("the secret holds no JSON")
    if problem := wrong(document, needed):
        refuse(problem)
    if "push_keys" in needed and not document.get("push_keys"):
        refuse("push_keys is missing")
