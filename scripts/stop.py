"""How an operators' script ends without a traceback, and how it asks."""

from __future__ import annotations

import sys


class Stop(Exception):
    """Ends a script with a message for the operator."""


class Refused(Stop):
    """A check that found something wrong before anything was changed. Its name is stable: docs/DEPLOY.md lists it."""

    def __init__(self, name: str, text: str):
        super().__init__(f"refused: {name}: {text}")
        self.name = name


def warn(text: str) -> None:
    print(f"warning: {text}", file=sys.stderr)


def yes(question: str) -> bool:
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
