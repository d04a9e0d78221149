"""Writes both templates for linters that neither transform nor evaluate them.

    python tests/template/render.py translated|stacks OUTPUT_DIRECTORY

* `translated`: template.yaml after the SAM transform, with its parameters and conditions, and network.yaml, in a
  folder for each partition. cfn-lint sees every resource that SAM makes.
* `stacks`: stacks with parameters and conditions resolved, as CloudFormation would create them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cfn
import combos

KINDS = {"default", "everything"}


def write(file: Path, content: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")


def translated(directory: Path) -> None:
    for region, partition in combos.REGIONS.items():
        for source in (cfn.SERVICE, cfn.NETWORK):
            template = cfn.transform(cfn.load(source), region, cfn.MINIMAL[source])
            write(directory / partition / f"{source.stem}.json", template)


def stacks(directory: Path) -> None:
    for made, of_each in ((cfn.deployed, combos.SERVICES), (cfn.network, combos.NETWORKS)):
        for region, name, parameters in of_each:
            if name in KINDS:
                stack = made(region, **parameters)
                resources = cfn.as_references(stack.resources, set(stack.resources))
                write(directory / f"{made.__name__}-{region}-{name}.json", {"Resources": resources})


if __name__ == "__main__":
    {"translated": translated, "stacks": stacks}[sys.argv[1]](Path(sys.argv[2]))
