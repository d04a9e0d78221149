"""docs/DEPLOY.md names every parameter, output and make target that exists, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import cfn

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/DEPLOY.md").read_text(encoding="utf-8")
TEMPLATE = cfn.load()


def section(title: str) -> str:
    return TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]


def first_cells(text: str) -> set[str]:
    """What stands in backquotes in the first column of a table."""
    return {name for row in re.findall(r"^\| ([^|]*) \|", text, flags=re.M) for name in re.findall(r"`(\w+)`", row)}


def test_every_parameter_is_explained_and_every_explained_one_exists():
    assert first_cells(section("All parameters")) == set(TEMPLATE["Parameters"])


def test_every_default_is_the_templates():
    for names, default in re.findall(r"^\| (`.*?) \| (.*?) \|", section("All parameters"), flags=re.M):
        names = re.findall(r"`(\w+)`", names)
        stated = re.findall(r"`([^`]+)`", default)
        for name, value in zip(names, stated):
            assert str(TEMPLATE["Parameters"][name]["Default"]) == value, name


def test_every_output_is_explained_and_every_explained_one_exists():
    assert first_cells(section("All outputs")) == set(TEMPLATE["Outputs"])


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
