"""The code and the templates of a deployment: from a package (PACKAGE=dist) or from this checkout and its build."""

from __future__ import annotations

import copy
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from bootstrap import ARCHITECTURES, FUNCTIONS, built, machine, unzipped, zipped
from botocore.exceptions import ClientError
from package import ROOT, SUMS, TEMPLATES
from samtranslator.yaml_helper import yaml_parse
from stop import Refused, Stop

# Nobody reads or writes the bucket without TLS.
TLS_ONLY = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}


@dataclass(frozen=True)
class Source:
    """Where templates and programs come from."""

    templates: Path
    package: Path | None = None
    build: Path | None = None

    @classmethod
    def find(cls, package: str) -> Source:
        if not package:
            return cls(ROOT, build=ROOT / ".aws-sam/build")
        directory = Path(package)
        check_sums(directory)
        return cls(directory, package=directory)

    def template(self, name: str) -> dict:
        try:
            return yaml_parse((self.templates / name).read_text(encoding="utf-8"))
        except OSError as error:
            raise Stop(f"{self.templates / name} cannot be read.") from error

    def zips(self, architecture: str) -> dict[str, bytes]:
        """The package of each function. Refuses programs for another architecture."""
        packages = {function: self._zip(function, architecture) for function in FUNCTIONS}
        for function, package in packages.items():
            if (found := machine(unzipped(package))) != architecture:
                raise Refused("architecture", (
                    f"the program of {function} is for {found}, and the functions are to run on {architecture}. "
                    f"Build with ARCHITECTURE={architecture}, or deploy with Architecture={found}."
                ))
        return packages

    def _zip(self, function: str, architecture: str) -> bytes:
        if self.package is None:
            program = built(self.build, function)
            if not program.is_file():
                raise Stop(f"{program} is missing: run `make build`, or give PACKAGE=.")
            return zipped(program.read_bytes())
        file = self.package / f"{FUNCTIONS[function]}-{architecture}.zip"
        if not file.is_file():
            others = [a for a in ARCHITECTURES if (self.package / f"{FUNCTIONS[function]}-{a}.zip").is_file()]
            raise Refused("architecture", (
                f"the package has no {file.name}; the functions are to run on {architecture}. "
                f"It has programs for {', '.join(others) or 'no architecture'}."
            ))
        return file.read_bytes()


def check_sums(directory: Path) -> None:
    """Refuses a package whose files are not those that SHA256SUMS lists."""
    try:
        lines = (directory / SUMS).read_text(encoding="ascii").splitlines()
    except OSError as error:
        raise Stop(f"{directory / SUMS} is missing: {directory} is not a package of `make package`.") from error
    listed = {name.lstrip("*"): digest for digest, name in (line.split(maxsplit=1) for line in lines)}
    present = {file.name for file in directory.glob("*.zip")} | set(TEMPLATES)
    for name in sorted(present):
        file = directory / name
        if not file.is_file() or name not in listed:
            raise Stop(f"{name} is missing in {directory if name in listed else directory / SUMS}.")
        if hashlib.sha256(file.read_bytes()).hexdigest() != listed[name]:
            raise Stop(f"{file} is not the file that {SUMS} lists. Fetch the package again.")


def with_code(template: dict, uris: dict[str, str]) -> dict:
    """The template with the place of each function's code."""
    result = copy.deepcopy(template)
    result.get("Globals", {}).get("Function", {}).pop("CodeUri", None)
    for function, uri in uris.items():
        result["Resources"][function]["Properties"]["CodeUri"] = uri
    return result


class Bucket:
    """The bucket for code and template. Each object is named by its content, so an upload changes nothing deployed."""

    def __init__(self, account, name: str = ""):
        self._s3 = account.client("s3")
        self._owner = account.id()
        self._region = account.region
        self._own = not name
        self.name = name or f"wechat-preauth-{self._owner}-{account.region}"

    def prepare(self) -> None:
        """Creates the bucket where it does not exist. A bucket that was given (BUCKET=) stays as it is."""
        try:
            # Another account may hold the name: then this fails, and nothing is uploaded there.
            self._s3.head_bucket(Bucket=self.name, ExpectedBucketOwner=self._owner)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status != 404 or not self._own:
                raise Stop(f"The bucket {self.name} cannot be used: it is not this account's, or access is denied.") from error
            place = {} if self._region == "us-east-1" else {
                "CreateBucketConfiguration": {"LocationConstraint": self._region}
            }
            print(f"A private bucket for the code is created: {self.name}")
            self._s3.create_bucket(Bucket=self.name, **place)
        if self._own:
            self._close()

    def _close(self) -> None:
        whose = {"Bucket": self.name, "ExpectedBucketOwner": self._owner}
        block = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        self._s3.put_public_access_block(**whose, PublicAccessBlockConfiguration=dict.fromkeys(block, True))
        encrypted = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
        self._s3.put_bucket_encryption(**whose, ServerSideEncryptionConfiguration=encrypted)
        arn = f"arn:{self._s3.meta.partition}:s3:::{self.name}"
        policy = {"Version": "2012-10-17", "Statement": [TLS_ONLY | {"Resource": [arn, f"{arn}/*"]}]}
        self._s3.put_bucket_policy(**whose, Policy=json.dumps(policy))

    def put(self, data: bytes, suffix: str) -> str:
        """The key of the uploaded data."""
        key = f"{hashlib.sha256(data).hexdigest()}{suffix}"
        self._s3.put_object(Bucket=self.name, Key=key, Body=data, ExpectedBucketOwner=self._owner)
        return key

    def upload(self, template: dict, zips: dict[str, bytes]) -> tuple[dict, str]:
        """Uploads the code, and the template with the code's places. That template and its URL."""
        self.prepare()
        uris = {function: f"s3://{self.name}/{self.put(data, '.zip')}" for function, data in zips.items()}
        complete = with_code(template, uris)
        key = self.put(json.dumps(complete).encode(), ".template.json")
        return complete, f"{self._s3.meta.endpoint_url}/{self.name}/{key}"
