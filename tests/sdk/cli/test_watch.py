"""``taskroom watch`` and what waits for a run: how it gets on, and its end as the exit status."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from taskroom.cli.fold import State
from taskroom.cli.plain import Plain
from tests.api.reporters import STARTED, Reporter, new_task, part, status
from tests.sdk.cli.command import Command
from tests.sdk.cli.terminal import terminal
from tests.support.line import TcpProxy
from tests.support.system import System, User, wait_for

ASKED = b"taskroom: who reports this run is asked to start it again; waiting until it has begun\n"


def without_time(text: str) -> list[str]:
    """The lines without the time of day in front, and without the length of a phase."""
    return [re.sub(r", \d+\.\ds\b", "", line[10:]) for line in text.splitlines()]


@pytest.mark.parametrize("by", ["id", "beginning", "page"])
def test_an_ended_run_is_shown_as_lines_with_its_exit_status(taskroom: Command, user: User, by: str) -> None:
    run = user.start("test_phases", count=4)
    user.finished(run)
    name = {"id": run, "beginning": run[:13], "page": f"{taskroom.url}/runs/{run}"}[by]

    done = taskroom("watch", name)

    assert (done.returncode, done.stderr) == (0, "")
    first, second, last = without_time(done.stdout)
    assert (first, second) == ("first: completed, 4 of 4, 2 failed, 4 of 4", "second: completed, 4 of 4")
    assert last.startswith("SUCCESS  Task: test_phases, after ")


def test_a_failed_run_is_1_and_says_why(taskroom: Command, user: User) -> None:
    run = user.start("test_fail", text="no disk")
    user.finished(run)

    done = taskroom("watch", run)

    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0][10:] == "doomed: error, 1 of 3, no disk"
    assert lines[1][10:].startswith("FAILURE  Task: test_fail")
    assert lines[2][10:] == "ValueError: no disk"
    assert lines[3] == "Traceback (most recent call last):"


def test_a_run_is_followed_to_its_end_and_a_revoked_one_is_3(
    taskroom: Command, user: User, tmp_path: Path
) -> None:
    run = user.start("test_gated", gate=str(tmp_path / "gate"))
    with taskroom.start("watch", run) as process:
        assert process.stdout
        shown = [process.stdout.readline().decode()]
        while "load: " not in shown[-1]:
            shown.append(process.stdout.readline().decode())
        cancelled = taskroom("cancel", run[:8])
        rest = process.stdout.read().decode()

    assert (cancelled.returncode, cancelled.stdout) == (0, "STARTED\n")
    assert process.returncode == 3
    assert shown[-1].endswith("Until the gate is open\n")
    assert "REVOKED  Task: test_gated, after " in rest


def test_events_as_json_are_all_of_them(taskroom: Command, user: User) -> None:
    run = user.start("test_phases", count=2)
    user.finished(run)

    done = taskroom("watch", run, "--json")

    assert done.returncode == 0
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(event["sequence"], event["type"]) for event in found] == [
        (event["sequence"], event["type"]) for event in user.events(run)
    ]
    assert found[-1]["status"] == "SUCCESS"


def test_a_connection_that_is_lost_is_made_again_after_the_last_event(
    taskroom: Command, system: System, user: User, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    run = user.start("test_gated", gate=str(gate))
    line = TcpProxy(system.url)
    try:
        with Command(line.url, user.token, tmp_path).start("watch", run, "--json") as process:
            assert process.stdout
            found = [process.stdout.readline() for _ in range(20)]
            line.cut()
            line.mend()
            found += [process.stdout.readline() for _ in range(20)]
            gate.touch()
            rest = process.stdout.read()
    finally:
        line.close()

    found += rest.splitlines()
    assert process.returncode == 0
    assert [json.loads(event)["sequence"] for event in found] == list(range(1, len(found) + 1))


def test_a_terminal_shows_bars(taskroom: Command, user: User) -> None:
    run = user.start("test_phases", count=4)
    user.finished(run)

    with terminal(taskroom.argv("watch", run), taskroom.env) as person:
        shown = person.rest()
        assert person.process.wait(60) == 0

    assert "Task: test_phases  SUCCESS" in shown
    assert "━━━" in shown and "4 of 4" in shown and "done, 2 failed" in shown
    assert "SUCCESS after " in shown


def test_a_terminal_without_rich_shows_lines(taskroom: Command, user: User, tmp_path: Path) -> None:
    run = user.start("test_phases", count=4)
    user.finished(run)
    (tmp_path / "rich.py").write_text("raise ImportError('it is not installed')")
    command = taskroom.of(PYTHONPATH=str(tmp_path))

    with terminal(command.argv("watch", run), command.env) as person:
        shown = person.rest()
        assert person.process.wait(60) == 0

    assert without_time(shown)[:2] == [
        "first: completed, 4 of 4, 2 failed, 4 of 4",
        "second: completed, 4 of 4",
    ]


@pytest.mark.parametrize(
    "more", [{"NO_COLOR": "1"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]
)
def test_bars_work_without_colours_and_without_utf8(
    taskroom: Command, user: User, more: dict[str, str]
) -> None:
    run = user.start("test_fail", text="ü€")
    user.finished(run)
    command = taskroom.of(**more)

    with terminal(command.argv("watch", run), command.env) as person:
        shown = person.rest()
        assert person.process.wait(60) == 1

    assert "FAILURE" in shown and "taskroom:" not in shown
    assert ("\x1b[31m" in shown) == ("NO_COLOR" not in more)


def test_an_interrupt_is_quiet(taskroom: Command, user: User, tmp_path: Path) -> None:
    run = user.start("test_gated", gate=str(tmp_path / "gate"))
    with terminal(taskroom.argv("watch", run), taskroom.env) as person:
        person.wait_for("load")
        person.type("\x03")
        shown = person.rest()

        assert person.process.wait(60) == 130
    assert "Traceback" not in shown and "taskroom:" not in shown


def test_start_and_wait(taskroom: Command, user: User) -> None:
    done = taskroom("start", "test_phases", "count=3", "--title", "Three", "--wait")

    assert done.returncode == 0
    assert done.stderr.startswith(f"{taskroom.url}/runs/")
    assert "SUCCESS  Three" in done.stdout
    task = user.status(done.stderr.strip().rpartition("/")[2])["task"]
    assert (task["title"], task["params"]) == ("Three", {"count": 3})


def test_start_takes_json_where_it_is_json(taskroom: Command, user: User) -> None:
    done = taskroom("start", "test_lines", 'lines=["a", "5"]')
    text = taskroom("start", "test_echo", 'text="5"')

    assert (done.returncode, done.stderr) == (0, "")
    assert user.finished(done.stdout.strip())["task"]["params"] == {"lines": ["a", "5"]}
    assert user.finished(text.stdout.strip())["task"]["params"] == {"text": "5"}


def test_retry_starts_a_new_run(taskroom: Command, user: User) -> None:
    run = user.start("test_fail")
    user.finished(run)

    done = taskroom("retry", run)
    second = done.stdout.strip()
    assert done.returncode == 0
    assert user.finished(second)["task"]["retry_of"] == run
    waited = taskroom("retry", second, "--wait")

    assert waited.returncode == 1
    third = waited.stderr.strip().rpartition("/")[2]
    assert user.status(third)["task"]["retry_of"] == second
    assert "FAILURE" in waited.stdout


def test_retry_with_parameters_starts_a_run_with_these_changed(taskroom: Command, user: User) -> None:
    made = {"job_type": "test_echo", "params": {"text": "one"}, "title": "Mine"}
    run = user.client.post("/api/v2/agent/start", json=made).json()["task_id"]
    user.finished(run)

    done = taskroom("retry", run, "text=two", "--wait")

    assert done.returncode == 0, done.stderr
    newest = user.get("tasks")["tasks"][0]["task_id"]
    task = user.status(newest)["task"]
    assert (task["again_of"], task["params"]["text"], task["title"]) == (run, "two", "Mine")


@pytest.mark.parametrize(("end", "code"), [("SUCCESS", 0), ("FAILURE", 1), ("REVOKED", 3)])
def test_retry_waits_for_the_run_that_a_reporter_starts(
    taskroom: Command, user: User, end: str, code: int
) -> None:
    reporter, mail = Reporter(user), new_task(STARTED, status("FAILURE"), can_retry=True)
    first = mail["task_id"]
    reporter.accepted(mail)

    retries = [first]
    for attempt in ("two", "three"):  # each is a retry of the one before, whichever is named
        with taskroom.start("retry", first, "--wait") as process:
            wait_for("the wish", lambda: reporter.send()["resend"] == [first])
            (row,) = reporter.accepted(part(first, STARTED, attempt=attempt))
            assert process.stderr and process.stderr.readline() == ASKED
            assert process.stderr.readline().decode() == f"{taskroom.url}/runs/{row['task_id']}\n"
            reporter.accepted(part(first, status(end), attempt=attempt))
            assert process.stdout and process.stdout.read().decode().count(end) == 1
            assert process.wait(120) == code
        assert row["retry_of"] == retries[-1]
        retries.append(row["task_id"])


def test_retry_ends_with_2_when_the_reporter_cannot_start_it(taskroom: Command, user: User) -> None:
    reporter, mail = Reporter(user), new_task(STARTED, status("FAILURE"), can_retry=True)
    reporter.accepted(mail)

    with taskroom.start("retry", mail["task_id"], "--wait") as process:
        wait_for("the wish", lambda: reporter.send()["resend"])
        reporter.accepted({"task_id": mail["task_id"], "can_retry": False})
        out, err = process.communicate(timeout=120)

    assert (process.returncode, out) == (2, b"")
    assert err.decode().splitlines()[1:] == [
        "taskroom: who reports the run cannot start it again any more; start it where it was started first"
    ]


def snapshot(**phase: Any) -> State:
    task = {"status": "STARTED", "title": "Work", "worker": "here", "error": None, "started_at": None}
    times = {"updated_at": "2026-01-02T03:04:05Z", "started_at": "2026-01-02T03:04:05Z"}
    counts = {"processed_count": 0, "total_count": None, "error_count": 0, "duration_seconds": None}
    phases = [{"phase_id": "load", "status": "active", "message": "", **counts, **times, **phase}]
    return State({"task": {**task, **times}, "phases": phases, "sequence": 1})


def test_counts_are_shown_every_tenth_of_a_phase(capsys: pytest.CaptureFixture[str]) -> None:
    state, plain = snapshot(total_count=200), Plain()
    plain.begin(state)
    for n in range(1, 101):
        event = {"phase_id": "load", "status": "in_progress", "processed_count": n, "sequence": n + 1}
        event["timestamp"] = "2026-01-02T03:04:06Z"
        state.apply("phase_update", event)
        plain.changed("phase_update", state, event)

    shown = without_time(capsys.readouterr().out)
    assert shown == ["load: active, 0 of 200", "STARTED  Work, on here"] + [
        f"load: in_progress, {n} of 200" for n in (20, 40, 60, 80, 100)
    ]


def test_counts_without_a_total_are_shown_every_five_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    state, plain = snapshot(), Plain()
    plain.begin(state)
    for n in range(1, 13):
        event = {"phase_id": "load", "status": "in_progress", "processed_count": n, "sequence": n + 1}
        event["timestamp"] = f"2026-01-02T03:04:{5 + n:02d}Z"
        state.apply("phase_update", event)
        plain.changed("phase_update", state, event)

    assert without_time(capsys.readouterr().out)[2:] == ["load: in_progress, 5", "load: in_progress, 10"]
