"""The platform's name in the form in which CloudFormation keeps it: ASCII, with JSON's escapes for all other characters."""

from __future__ import annotations

import json
import re

from stop import Stop

PARAMETER = "PlatformName"
# As the function authorize has it.
LONGEST = 40
# What the template's pattern takes as it is: printable ASCII without quotation mark and backslash, and an escape.
PLAIN = re.compile(r"[ !#-\[\]-~]|\\u[0-9a-fA-F]{4}")


def stored(name: str) -> str:
    """The name as it is stored. What is in that form already stays. A character beyond 16 bits becomes two escapes."""
    escaped = re.sub(rf"({PLAIN.pattern})|(.)", lambda found: found[1] or json.dumps(found[2])[1:-1], name, flags=re.S)
    escaped = escaped.replace('\\"', "\\u0022").replace("\\\\", "\\u005c")
    try:
        written = shown(escaped)
        written.encode()
    except (ValueError, UnicodeError):
        raise Stop(f"{PARAMETER}={name}: it is not a text") from None
    if len(written) > LONGEST or not written.isprintable():
        raise Stop(f"{PARAMETER}={written!r}: it must have at most {LONGEST} characters, and no control characters")
    return escaped


def shown(name: str) -> str:
    """The name as merchants read it."""
    return json.loads(f'"{name}"')
