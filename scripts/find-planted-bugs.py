#!/usr/bin/env python3
"""Breaks one rule of the token engine after the other, and checks that the simulation names each.

    scripts/find-planted-bugs.py [NAME...]

Each bug is a replacement in a copy of the sources. A replacement whose text no longer occurs exactly once is
an error: it must be brought up to date with the code. The sources themselves are never changed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
COPY = ROOT / "target" / "planted" / "sources"
TARGET = ROOT / "target" / "planted" / "target"
COPIED = ("Cargo.toml", "Cargo.lock", "src", "examples/local", "wechat-sim", "tests/simulation")


class Bug(NamedTuple):
    rule: str
    """The rule that is broken."""
    promise: str
    """The promise that the simulation must report as broken."""
    file: str
    old: str
    new: str


RULES, MINT = "src/platform/token/rules.rs", "src/platform/token/mint.rs"
RESULT, RESOLVE = "src/platform/token/mint_result.rs", "src/platform/token/resolve.rs"
STATE, STORE = "src/platform/state/tokens.rs", "src/platform/memory.rs"

BUGS = {
    "lease-taken-twice": Bug(
        "nobody takes a live lease",
        "two_mints_at_once",
        STORE,
        "item.live_lease(now).is_some() || mark(item) != mark(seen)",
        "mark(item) != mark(seen)",
    ),
    "stored-without-the-lease": Bug(
        "only the holder of the lease stores a token",
        "newer_token_overwritten",
        STORE,
        "        if holds {\n            change(item);",
        "        let holds = true;\n        if holds {\n            change(item);",
    ),
    "minted-without-time": Bug(
        "a mint call has 4.5 seconds of its lease left",
        "mint_without_time",
        MINT,
        "SHORTEST_CALL: Duration = Duration::from_millis(4500)",
        "SHORTEST_CALL: Duration = Duration::from_millis(100)",
    ),
    "not-stored": Bug(
        "a minted token is stored while the lease lasts",
        "minted_token_lost",
        RESULT,
        "|| tokens.store_token(appid, holder, &token)).await",
        "|| async { tokens.release_lease(appid, holder).await.map(|()| true) }).await",
    ),
    "old-life-kept": Bug(
        "a mint that may have arrived shortens the old token's life",
        "false_blame",
        RESULT,
        "(unclear && outlives).then_some(shortened)",
        "(unclear && outlives && shortened < 0).then_some(shortened)",
    ),
    "certain-after-an-unclear-call": Bug(
        "the token of a mint with an unclear call is uncertain",
        "false_blame",
        MINT,
        "let longest = if self.unclear { LIFE_AFTER_UNCLEAR_MINT } else { LONGEST_LIFE };\n"
        "        let expires_at = minted_at.saturating_add(token.expires_in.min(longest));\n"
        "        StoredToken { value: token.value, expires_at, minted_at, uncertain: self.unclear }",
        "let expires_at = minted_at.saturating_add(token.expires_in.min(LONGEST_LIFE));\n"
        "        StoredToken { value: token.value, expires_at, minted_at, uncertain: false }",
    ),
    "another-components-memory": Bug(
        "memory belongs to one component",
        "another_components_token",
        "src/platform/token/memory.rs",
        "active.appid == appid && active.token.expires_at > now",
        "active.token.expires_at > now",
    ),
    "backoff-ignored": Bug(
        "nobody mints during a backoff",
        "call_inside_a_backoff",
        RULES,
        "Some(backoff) if !backoff_is_obsolete && !request.force =>",
        "Some(backoff) if backoff.count == 0 && !backoff_is_obsolete && !request.force =>",
    ),
    "valid-token-forgotten": Bug(
        "a valid token is used while no mint is possible",
        "valid_token_unused",
        RULES,
        "Some(token) => Decision::Use(token.clone()),\n                None",
        "Some(token) if token.value.expose_secret().is_empty() => Decision::Use(token.clone()),\n                _",
    ),
    "young-token-renewed": Bug(
        "a valid token younger than five minutes is not renewed",
        "mint_storm",
        RULES,
        "<= life_left && age.is_none_or(|age| age >= REMINT_AFTER)",
        "<= life_left",
    ),
    "minting-off-ignored": Bug(
        "nothing is minted while MINTING is off",
        "mints_while_minting_is_off",
        RULES,
        "    if !request.minting {",
        "    if !request.minting && request.force {",
    ),
    "waiting-given-up": Bug(
        "a request that waits for a mint survives a failing table",
        "gave_up_waiting",
        RESOLVE,
        "if self.progress.saw_a_mint {",
        "if self.progress.saw_a_mint && self.progress.failures == 0 {",
    ),
    "rest-of-the-lease-not-said": Bug(
        "Retry-After of Token.Pending is the rest of the lease",
        "retry_after_is_not_the_lease",
        RESOLVE,
        "self.pause().await.map_err(|problem| problem.retry_after(rest))",
        "self.pause().await.map_err(|problem| problem.retry_after(rest.min(2)))",
    ),
    "address-pauses-double": Bug(
        "a refused address pauses mints for 15 seconds, never longer",
        "long_pause_after_an_address",
        RESULT,
        "    if code == ProblemCode::ConfigEgressIpNotRegistered {",
        "    if code == ProblemCode::ConfigEgressIpNotRegistered && count == 1 {",
    ),
    "void-lease-believed": Bug(
        "a lease that ends more than 60 seconds ahead is void",
        "stuck",
        STATE,
        "(1..=limit).contains(&at.saturating_sub(now))",
        "(1..=limit.max(100_000)).contains(&at.saturating_sub(now))",
    ),
    "dead-holder-waited-for": Bug(
        "the lease of a dead holder ends after 15 seconds",
        "dead_holder_blocks",
        STATE,
        "self.lease.as_ref().filter(|lease| is_ahead(lease.expires_at, now, MAX_LEASE_AHEAD))",
        "self.lease.as_ref().filter(|lease| is_ahead(lease.expires_at + 30, now, MAX_LEASE_AHEAD))",
    ),
}


def lay_sources(changed: dict[str, str]) -> None:
    """Makes the copy equal to the sources but for `changed`. Equal files keep their times: little is built."""
    wanted = {}
    for name in COPIED:
        place = ROOT / name
        files = [place] if place.is_file() else sorted(file for file in place.rglob("*") if file.is_file())
        wanted |= {str(file.relative_to(ROOT)): file.read_bytes() for file in files}
    wanted |= {name: text.encode() for name, text in changed.items()}
    for file in COPY.rglob("*"):
        if file.is_file() and str(file.relative_to(COPY)) not in wanted:
            file.unlink()
    for name, content in wanted.items():
        file = COPY / name
        if not file.exists() or file.read_bytes() != content:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)


def planted(bug: Bug) -> dict[str, str]:
    text = (ROOT / bug.file).read_text(encoding="utf-8")
    if text.count(bug.old) != 1:
        sys.exit(f"{bug.file} holds this {text.count(bug.old)} times, not once:\n{bug.old}")
    return {bug.file: text.replace(bug.old, bug.new)}


def broken_promises(promise: str) -> dict[str, str]:
    """Runs the simulation until this promise is broken; returns every broken one with what was seen."""
    # A target folder of its own: cargo would take these builds for those of the real sources.
    environment = os.environ | {"CARGO_TARGET_DIR": str(TARGET), "SIM_FIND": promise}
    # Without AWS: the simulation needs none of it, and the binaries, which do, are then not built.
    command = ["cargo", "test", "--locked", "--quiet", "--no-default-features", "--test", "simulation", "every_schedule",
               "--", "--nocapture"]
    ended = subprocess.run(command, cwd=COPY, env=environment, capture_output=True, text=True)
    found = dict(re.findall(r"^broken promise: (\w+), (.*)$", ended.stdout, re.M))
    if not found and ended.returncode != 0:
        sys.exit(f"the simulation did not run:\n{ended.stderr}")
    return found


def main(names: list[str]) -> int:
    missed = 0
    # All of them first: one that is out of date is an error at once.
    sources = {name: planted(BUGS[name]) for name in names or BUGS}
    for name, changed in sources.items():
        bug = BUGS[name]
        lay_sources(changed)
        found = broken_promises(bug.promise)
        missed += bug.promise not in found
        seen = found.get(bug.promise, f"NOT FOUND, but {sorted(found) or 'nothing'}")
        print(f"{name}: {bug.rule}\n    {bug.promise}: {seen}", flush=True)
    print(f"{len(sources) - missed} of {len(sources)} planted bugs were found by name")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
