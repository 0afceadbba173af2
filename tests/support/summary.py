"""Prints the result of ``script/test`` from the JUnit files of its lanes: the slowest tests and the counts."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SLOWEST = 10
NOT_PASSED = {"failure": "failed", "error": "failed", "skipped": "skipped"}


@dataclass(frozen=True, slots=True)
class Outcome:
    name: str
    seconds: float  # with its fixtures
    outcome: str  # passed, failed, skipped


def read(path: Path) -> Iterable[Outcome]:
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        found = {NOT_PASSED[child.tag] for child in case if child.tag in NOT_PASSED}
        outcome = min(found, default="passed")  # failed before skipped
        place = case.get("classname", "")
        file = f"static/{place}" if "/" in place else f"{place.replace('.', '/')}.py"  # vitest's, or pytest's
        name = f"{file}::{case.get('name')}"
        yield Outcome(name, float(case.get("time", 0)), outcome)


def merged(paths: Iterable[Path]) -> list[Outcome]:
    """Returns one outcome for each test: JUnit has a second case for an error in the teardown."""
    found: dict[str, Outcome] = {}
    for path in paths:
        for one in read(path):
            before = found.get(one.name)
            if before is not None:
                seconds = before.seconds + one.seconds
                one = Outcome(one.name, seconds, min(before.outcome, one.outcome))
            found[one.name] = one
    return list(found.values())


def main(paths: list[Path]) -> int:
    """Returns the exit code as pytest defines it: 0 without failures, 1 with failures, 5 without tests."""
    outcomes = merged(paths)
    counts = Counter(one.outcome for one in outcomes)
    print(f"\nthe slowest of {len(outcomes)} tests:")
    for one in sorted(outcomes, key=lambda one: -one.seconds)[:SLOWEST]:
        print(f"{one.seconds:7.1f} s  {one.name}")
    for one in outcomes:
        if one.outcome == "failed":
            print(f"failed: {one.name}")
    skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    print(f"{counts['passed']} passed, {counts['failed']} failed{skipped}")
    if not outcomes:
        return 5
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main([Path(path) for path in sys.argv[1:]]))
