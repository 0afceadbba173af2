"""``taskroom logs``: the lines of a run, and nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from taskroom.cli import logs
from taskroom.cli.faults import Fault
from tests.sdk.cli.command import Command
from tests.sdk.cli.terminal import terminal
from tests.support.system import User


def test_the_lines_alone(taskroom: Command, user: User) -> None:
    written = ["one", "two\nlines", "\x1b[32mgreen\x1b[0m", "ü€"]
    run = user.start("test_lines", lines=written)
    user.finished(run)

    done = taskroom.raw("logs", run)

    assert (done.returncode, done.stdout.decode(), done.stderr) == (0, "\n".join(written) + "\n", b"")


def test_more_lines_than_a_page_are_all_there_in_their_order(taskroom: Command, user: User) -> None:
    written = [f"line {n}" for n in range(2_500)]
    run = user.start("test_lines", lines=written)
    user.finished(run)

    assert taskroom("logs", run).stdout.splitlines() == written


def test_filters_times_and_json(taskroom: Command, user: User) -> None:
    run = user.start("test_emitters")
    user.finished(run)

    warnings = taskroom("logs", run, "--level", "warning", "-t")
    of_phase = taskroom("logs", run, "--phase", "cache", "--json")

    (line,) = warnings.stdout.splitlines()
    time, _, rest = line.partition(" ")
    assert datetime.fromisoformat(time).tzinfo is not None
    assert rest == "WARNING  [cache] half way"
    found = [json.loads(line) for line in of_phase.stdout.splitlines()]
    assert [(line["message"], line["level"], line["component"]) for line in found] == [
        ("half way", "WARNING", "cacher")
    ]
    assert list(found[0]) == ["sequence", "timestamp", "level", "message", "component", "phase"]


def test_lines_are_followed_to_the_end(taskroom: Command, user: User, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    run = user.start("test_gated", gate=str(gate))
    with taskroom.start("logs", "-f", run, "--phase", "load") as process:
        assert process.stdout
        first = [process.stdout.readline().decode() for _ in range(5)]
        gate.touch()
        rest = process.stdout.read().decode()

    count = user.finished(run)["task"]["result"]
    shown = [*first, *rest.splitlines(keepends=True)]
    assert shown == [f"line {n} of {60 * '.'}\n" for n in range(1, count + 1)]
    assert process.returncode == 0


def test_who_reads_no_further_is_left_in_peace(taskroom: Command, user: User) -> None:
    run = user.start("test_lines", lines=[f"line {n}" for n in range(2_500)])
    user.finished(run)
    words = " ".join(f"'{word}'" for word in taskroom.argv("logs", run))

    done = taskroom.shell(f"{words} | head -n 2; echo ${{PIPESTATUS[0]}}")

    assert (done.stdout, done.stderr) == ("line 0\nline 1\n141\n", "")


def test_a_terminal_obeys_no_line(taskroom: Command, user: User) -> None:
    run = user.start("test_lines", lines=["\x1b]0;title\x07\x1b[2J", "two\nlines\x9b31m"])
    user.finished(run)

    with terminal(taskroom.argv("logs", run), taskroom.env) as person:
        assert person.rest() == "␛]0;title␇␛[2J\r\ntwo\r\nlines\ufffd31m\r\n"
        assert person.process.wait(60) == 0


@pytest.mark.parametrize("level", ["C", "POSIX"])
def test_a_locale_without_the_characters_shows_others(taskroom: Command, user: User, level: str) -> None:
    run = user.start("test_lines", lines=["ü€"])
    user.finished(run)

    done = taskroom.of(LC_ALL=level, PYTHONUTF8="0", PYTHONCOERCECLOCALE="0").raw("logs", run)

    assert (done.returncode, done.stdout, done.stderr) == (0, b"??\n", b"")


class Numbered:
    """A run whose line with the sequence n is n seconds old counted from ``begin``; every third event is no line."""

    begin = datetime(2026, 1, 2, tzinfo=UTC)

    def __init__(self, events: int) -> None:
        self.lines = [n for n in range(1, events + 1) if n % 3]
        self.events = events
        self.asked = 0

    def get(self, path: str, since_sequence: int = 0, limit: int = 1) -> dict[str, Any]:
        self.asked += 1
        if path.endswith("/status"):
            return {"sequence": self.events}
        found = [n for n in self.lines if n > since_sequence][:limit]
        return {"logs": [{"sequence": n, "timestamp": self.at(n).isoformat()} for n in found]}

    def at(self, n: int) -> datetime:
        return self.begin + timedelta(seconds=n)


@pytest.mark.parametrize(
    ("since", "first"), [(0, 1), (1, 1), (2, 2), (3, 4), (700, 700), (999, 1000), (1000, 1000)]
)
def test_the_first_line_since_a_time_is_found_with_few_questions(since: int, first: int) -> None:
    api = Numbered(1_000)

    cursor = logs._first_since(api, "run", api.at(since))  # type: ignore[arg-type]

    assert next(n for n in api.lines if n > cursor) == first
    assert api.asked < 15


def test_nothing_is_since_a_time_after_the_last_line() -> None:
    api = Numbered(1_000)

    cursor = logs._first_since(api, "run", api.at(5_000))  # type: ignore[arg-type]

    assert [n for n in api.lines if n > cursor] == []


def test_since_is_a_length_a_time_or_a_sequence() -> None:
    now = datetime.now(UTC)
    assert logs._since(None) == 0
    assert logs._since("812") == 812
    assert logs._since("2026-01-31T12:00Z") == datetime(2026, 1, 31, 12, tzinfo=UTC)
    ago = logs._since("1.5h")
    assert isinstance(ago, datetime) and timedelta(0) <= ago - (now - timedelta(hours=1.5)) < timedelta(
        minutes=1
    )
    with pytest.raises(Fault, match="--since yesterday is no time"):
        logs._since("yesterday")


def test_since_leaves_out_what_is_older(taskroom: Command, user: User) -> None:
    run = user.start("test_lines", lines=["one", "two", "three"])
    user.finished(run)
    first = user.get(f"tasks/{run}/logs", since_sequence=0)["logs"][0]

    assert taskroom("logs", run, "--since", "1h").stdout == "one\ntwo\nthree\n"
    assert taskroom("logs", run, "--since", "2100-01-01").stdout == ""
    assert taskroom("logs", run, "--since", str(first["sequence"])).stdout == "two\nthree\n"
