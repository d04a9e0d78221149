"""The operators' scripts, run as an owner runs them: from a package, as a user of the emulator."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from conftest import PROGRAMS
from emulator import REGION, Credentials, Emulator
from service import FUNCTIONS, for_the_emulator, network_for_the_emulator, package
from wechat import WeChat

ROOT = Path(__file__).parents[2]
ACCOUNT = "000000000000"


def write_package(directory: Path, wechat: WeChat) -> Path:
    """A package as `make package` writes it, with the templates that the emulator can create."""
    for program in FUNCTIONS.values():
        (directory / f"{program}-x86_64.zip").write_bytes(package(PROGRAMS / program, "walk"))
    (directory / "template.yaml").write_text(json.dumps(for_the_emulator(wechat.ca_file)), encoding="utf-8")
    (directory / "network.yaml").write_text(json.dumps(network_for_the_emulator()), encoding="utf-8")
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(directory.iterdir())]
    (directory / "SHA256SUMS").write_text("".join(sums), encoding="ascii")
    return directory


def deployer_policy(stack: str) -> dict[str, Any]:
    """docs/deployer-policy.json as an owner fills it in."""
    text = (ROOT / "docs/deployer-policy.json").read_text(encoding="utf-8")
    for name, value in {"partition": "aws", "region": REGION, "account": ACCOUNT, "stack": stack}.items():
        text = text.replace(f"<{name}>", value)
    return json.loads(text)


def script(aws: Emulator, user: Credentials, name: str, *arguments: str, stdin: str = "") -> tuple[int, str]:
    """The status and the output of an operator's script."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    env |= {"AWS_ENDPOINT_URL": aws.url, "AWS_ACCESS_KEY_ID": user.access_key, "AWS_SECRET_ACCESS_KEY": user.secret_key,
            "AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true"}
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / name, *arguments], env=env, cwd=ROOT, input=stdin, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=180, check=False)
    return done.returncode, done.stdout


def deploy_stack(aws: Emulator, user: Credentials, stack: str, dist: Path, *words: str) -> tuple[int, str]:
    """`make deploy` from a package, without questions."""
    # The script's own bucket takes uploads by TLS only, and the emulator speaks none. tests/operate tries that bucket.
    bucket = f"wechat-preauth-{ACCOUNT}-{REGION}"
    aws.client("s3").create_bucket(Bucket=bucket)
    always = f"STACK={stack} REGION={REGION} PACKAGE={dist} BUCKET={bucket} YES=1".split()
    return script(aws, user, "deploy.py", *always, *words)
