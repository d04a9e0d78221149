"""docs/DEPLOY.md names every parameter, output and make target that exists, and no other."""

from __future__ import annotations

import re

import cfn

ROOT = cfn.ROOT
TEXT = (ROOT / "docs/DEPLOY.md").read_text(encoding="utf-8")
SERVICE, NETWORK = cfn.load(cfn.SERVICE), cfn.load(cfn.NETWORK)
# Parameters of both stacks are explained once.
NETWORKS_OWN = set(NETWORK["Parameters"]) - set(SERVICE["Parameters"])


def section(title: str) -> str:
    return TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]


def first_cells(text: str) -> set[str]:
    """What stands in backquotes in the first column of a table."""
    return {name for row in re.findall(r"^\| ([^|]*) \|", text, flags=re.M) for name in re.findall(r"`(\w+)`", row)}


def of_each_stack(text: str) -> tuple[str, str]:
    """What a section says of the service, and of the network."""
    of_service, of_network = text.split("\nOf the network")
    return of_service, of_network


def test_every_parameter_is_explained_and_every_explained_one_exists():
    of_service, of_network = of_each_stack(section("All parameters"))
    assert first_cells(of_service) == set(SERVICE["Parameters"])
    assert first_cells(of_network) == NETWORKS_OWN


def test_every_default_is_the_templates():
    for names, default in re.findall(r"^\| (`.*?) \| (.*?) \|", section("All parameters"), flags=re.M):
        names = re.findall(r"`(\w+)`", names)
        stated = re.findall(r"`([^`]+)`", default)
        for name, value in zip(names, stated):
            assert str((SERVICE["Parameters"] | NETWORK["Parameters"])[name]["Default"]) == value, name


def test_every_output_is_explained_and_every_explained_one_exists():
    of_service, of_network = of_each_stack(section("All outputs"))
    assert first_cells(of_service) == set(SERVICE["Outputs"])
    assert set(re.findall(r"`(\w+)`", of_network.split("\n\n")[0])) == set(NETWORK["Outputs"])


def test_every_make_target_exists():
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "deploy.mk").read_text(), flags=re.M))
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", TEXT, flags=re.M)) <= targets


def test_every_link_inside_the_page_leads_somewhere():
    def anchor(title: str) -> str:
        return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")

    anchors = {anchor(title) for title in re.findall(r"^#+ (.*)$", TEXT, flags=re.M)}
    links = {re.sub(r"\s+", "", link) for link in re.findall(r"\]\(#([^)]*)\)", TEXT)}
    assert links <= anchors, links - anchors


def test_the_warning_comes_first():
    assert TEXT.index("do not switch minting on beside a running token server") < TEXT.index("\n## ")
