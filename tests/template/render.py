"""Writes stacks as CloudFormation would create them, for a scanner that does not evaluate conditions.

    python tests/template/render.py OUTPUT_DIRECTORY

One file for each kind of stack below: transformed by SAM, with parameters and conditions resolved.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cfn
import combos

KINDS = ["default", "everything", "existing network"]


def main(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for region, name, parameters in combos.ALL:
        if name not in KINDS:
            continue
        stack = cfn.deployed(region, **parameters)
        resources = cfn.as_references(stack.resources, set(stack.resources))
        for logical_id, resource in resources.items():
            # The metadata of a resource holds the scanner's suppressions.
            if metadata := stack.template["Resources"][logical_id].get("Metadata"):
                resource["Metadata"] = metadata
        file = directory / f"{region}-{name.replace(' ', '-')}.json"
        file.write_text(json.dumps({"Resources": resources}, indent=1, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
