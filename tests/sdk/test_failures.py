"""Where a run has failed: its phase, and the lines of its own code."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import taskroom
from taskroom import source
from tests.sdk.memory import MemoryClient

Code = Callable[[taskroom.Run], object]


def in_a_phase(run: taskroom.Run) -> None:
    with run.phase("load"), run.phase("parse"):
        raise ValueError("here")


def in_a_loop(run: taskroom.Run) -> None:
    for _ in run.track([1, 2], phase="load"):
        raise ValueError("here")


def in_a_loop_raised_again(run: taskroom.Run) -> None:
    for n in run.track([1, 2], phase="load"):
        try:
            raise ValueError(n)
        except ValueError:
            run.log("not this one")
            raise


def in_a_loop_through_others(run: taskroom.Run) -> None:
    def odd(items: Iterator[int]) -> Iterator[int]:
        for item in items:
            yield item * 2

    for _ in enumerate(odd(run.track([1, 2], phase="load"))):
        raise ValueError("here")


def in_a_loop_within_a_phase(run: taskroom.Run) -> None:
    with run.phase("all"):
        for _ in run.track([1, 2], phase="load"):
            raise ValueError("here")


def in_an_open_phase(run: taskroom.Run) -> None:
    run.begin("load", None, "")
    raise ValueError("here")


def raised_from_one_of_a_phase(run: taskroom.Run) -> None:
    try:
        in_a_loop_within_a_phase(run)
    except ValueError as error:
        raise RuntimeError("as I said") from error


def between_phases(run: taskroom.Run) -> None:
    with run.phase("load"):
        pass
    raise ValueError("here")


def after_a_break(run: taskroom.Run) -> None:
    for _ in run.track([1, 2], phase="load"):
        break
    raise ValueError("here")


def after_a_return(run: taskroom.Run) -> None:
    def first() -> int | None:
        for item in run.track([1, 2], phase="load"):
            return item
        return None

    first()
    raise ValueError("here")


def caught(run: taskroom.Run) -> None:
    try:
        in_a_phase(run)
    except ValueError:
        with run.phase("next"):
            pass
    raise KeyError("another")


def failed(client: MemoryClient, code: Code, **options: Any) -> dict[str, Any]:
    """The error with which a run of this code ends."""
    with (
        pytest.raises((ValueError, KeyError, RuntimeError)),
        taskroom.run("import", url="u", key="k", **options) as run,
    ):
        code(run)
    found: dict[str, Any] = client.of(run.id, "task_status")[-1]["error"]
    return found


@pytest.mark.parametrize(
    ("code", "phase"),
    [
        (in_a_phase, "parse"),
        (in_a_loop, "load"),
        (in_a_loop_raised_again, "load"),
        (in_a_loop_through_others, "load"),
        (in_a_loop_within_a_phase, "load"),
        (in_an_open_phase, "load"),
        (raised_from_one_of_a_phase, "load"),
        (between_phases, None),
        (after_a_break, None),
        (after_a_return, None),
        (caught, None),
    ],
)
def test_the_phase_is_the_innermost_that_the_exception_leaves(
    client: MemoryClient, code: Code, phase: str | None
) -> None:
    assert failed(client, code)["phase"] == phase


def test_a_loop_that_was_left_by_a_break_is_complete_when_the_run_fails_later(client: MemoryClient) -> None:
    with pytest.raises(ValueError), taskroom.run("import", url="u", key="k") as run:
        after_a_break(run)

    assert [(e["phase_id"], e.get("status")) for e in client.of(run.id) if "phase_id" in e] == [
        ("load", "active"),
        ("load", "completed"),
        ("load", None),
    ]


def test_the_source_is_the_last_call_of_the_runs_own_code(client: MemoryClient) -> None:
    def code(_: taskroom.Run) -> None:
        json.loads("{")

    found = failed(client, code)["source"]

    assert (found["file"], found["function"]) == ("tests/sdk/test_failures.py", "code")
    lines = Path(__file__).read_text().splitlines()
    assert lines[found["line"] - 1].strip() == 'json.loads("{")'
    assert found["first_line"] == found["line"] - 3
    assert found["lines"] == lines[found["line"] - 4 : found["line"] + 3]


def test_no_source_where_there_is_no_own_code_and_where_it_is_switched_off(client: MemoryClient) -> None:
    def compiled(_: taskroom.Run) -> None:
        exec("raise ValueError('made of a text')", {})

    assert failed(client, in_a_phase, source_lines=False)["source"] is None
    assert failed(client, compiled)["source"]["function"] == "compiled", "a text has no lines to show"
    assert source.source_of(ValueError("never raised")) is None


def test_files_of_libraries_are_not_own(tmp_path: Path) -> None:
    def place(folder: Path) -> str | None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "module.py").write_text("def call():\n    raise ValueError\n")
        scope: dict[str, Any] = {}
        exec(compile((folder / "module.py").read_text(), str(folder / "module.py"), "exec"), scope)
        try:
            scope["call"]()
        except ValueError as error:
            found = source.source_of(error)
            return found and found["function"]
        return None

    assert place(tmp_path / "shop") == "call"
    assert place(tmp_path / "lib" / "site-packages" / "shop") == "place"
    assert place(tmp_path / "dist-packages") == "place"
    source.add_library(str(tmp_path / "frame"), own=str(tmp_path / "frame" / "jobs"))
    assert (place(tmp_path / "frame"), place(tmp_path / "frame" / "jobs")) == ("place", "call")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('    password = "hunter2"', '    password = "[redacted]"'),
        ("connect(user='ada', API_KEY='abc')", "connect(user='[redacted]', API_KEY='[redacted]')"),
        ('call("https://ada:hunter2@rooms.example")', 'call("https://[redacted]@rooms.example")'),
        ('run(key="trk_c2VjcmV0")', 'run(key="[redacted]")'),
        ('secret = """begins here', 'secret = """[redacted]"""'),
        ('greeting = "hello"', 'greeting = "hello"'),
        ("token = read()", "token = read()"),
    ],
)
def test_lines_of_source_show_no_secrets(line: str, shown: str) -> None:
    assert source.without_secrets(line) == shown


def test_long_lines_of_source_are_cut(client: MemoryClient, tmp_path: Path) -> None:
    file = tmp_path / "long.py"
    file.write_text("def call():\n    raise ValueError(" + "'x' + " * 1_000 + "'')\n")
    scope: dict[str, Any] = {}
    exec(compile(file.read_text(), str(file), "exec"), scope)

    found = failed(client, lambda _: scope["call"]())["source"]

    assert [len(line) for line in found["lines"]] == [len("def call():"), 200]


def test_the_traceback_begins_with_the_runs_own_code(client: MemoryClient) -> None:
    lines = failed(client, in_a_phase)["traceback"].splitlines()

    assert lines[0] == "Traceback (most recent call last):"
    assert "tests/sdk/test_failures.py" in lines[1]
