"""What a process left in the spool is sent by the next one: in order, and once."""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from taskroom._transport import Settings, sync
from taskroom._transport.settings import Limits
from tests.sdk.transport import server as faults
from tests.sdk.transport.conftest import MakeReporter
from tests.sdk.transport.helpers import Clock, Reporter, numbered, ran
from tests.sdk.transport.server import KEY, Server


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.spool"))


def left_behind(reporter: Reporter, task_id: str, *messages: str) -> None:
    """A process says this, writes it to its spool and is gone."""
    reporter.begin(task_id)
    reporter.log(task_id, *messages)
    reporter.client.spool_now()
    reporter.client._outbox.leave_file()


def settings(server: Server, spool: Path, key: str = KEY) -> Settings:
    return Settings(server.url, key, spool, limits=Limits())


def test_the_next_process_sends_it_before_what_it_has_itself(
    make_reporter: MakeReporter, server: Server, spool: Path
) -> None:
    for n in range(3):
        left_behind(make_reporter(), "t", f"of process {n}")
    reporter = make_reporter()
    reporter.log("t", "of the last process")

    reporter.after(1)

    assert server.messages("t") == ["of process 0", "of process 1", "of process 2", "of the last process"]
    assert files(spool) == []


def test_a_process_that_runs_on_finds_what_others_leave_meanwhile(
    make_reporter: MakeReporter, server: Server, spool: Path
) -> None:
    reporter = make_reporter()
    reporter.turns()
    left_behind(make_reporter(), "t", "of a child")

    assert reporter.turns() == 5.0
    reporter.after(5)

    assert server.messages("t") == ["of a child"]


def test_an_unclear_answer_of_a_process_that_is_gone_is_settled_by_the_next(
    make_reporter: MakeReporter, server: Server
) -> None:
    server.script.append(faults.stored_and_gone)
    first = make_reporter()
    first.begin("t")
    first.log("t", "stored, and nobody knows")
    first.after(1)
    left_behind(first, "t", "after it")

    make_reporter().turns()

    assert server.messages("t") == ["stored, and nobody knows", "after it"]
    assert server.requests[0].body == server.requests[1].body


def test_what_was_sent_before_the_sender_died_is_not_stored_again(
    make_reporter: MakeReporter, server: Server, spool: Path
) -> None:
    first = make_reporter(batch_events=1)
    left_behind(first, "t", *numbered(5))
    (path,) = files(spool)
    kept = path.read_bytes()
    make_reporter().turns()
    path.write_bytes(kept)  # as if it had died before it removed the file

    make_reporter().turns()

    assert server.messages("t") == numbered(5)
    assert files(spool) == []


def test_a_server_that_has_forgotten_the_writer_since_gets_the_rest_once(
    make_reporter: MakeReporter, server: Server, spool: Path
) -> None:
    first = make_reporter(batch_events=1)
    first.begin("t")
    first.log("t", "line 0")
    first.after(1)
    left_behind(first, "t", *numbered(4, 1))
    (path,) = files(spool)
    kept = path.read_bytes()
    server.forget_writers()
    make_reporter().turns()
    path.write_bytes(kept)  # as if the sender had died before it removed the file

    make_reporter().turns()

    assert server.messages("t") == numbered(5)


def test_a_server_that_forgets_the_writer_in_the_middle_gets_the_rest_once(
    make_reporter: MakeReporter, server: Server, spool: Path
) -> None:
    def forget_and_answer(handler: Any) -> None:
        server.forget_writers()
        faults.answer(handler)

    left_behind(make_reporter(batch_events=1), "t", *numbered(5))
    server.script.extend([faults.answer, faults.answer, forget_and_answer])

    make_reporter().turns()

    assert server.messages("t") == numbered(5)


def test_a_server_that_is_away_keeps_it_in_the_spool(
    make_reporter: MakeReporter, server: Server, spool: Path
) -> None:
    left_behind(make_reporter(), "t", "a")
    server.script.append(faults.status(503))
    reporter = make_reporter()
    reporter.turns()
    assert len(files(spool)) == 1

    reporter.after(60)

    assert server.messages("t") == ["a"]


def test_one_process_at_a_time_sends_it(make_reporter: MakeReporter, server: Server, spool: Path) -> None:
    left_behind(make_reporter(), "t", "a")
    fd = os.open(spool / "sending.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(fd, fcntl.LOCK_EX)
    reporter = make_reporter()
    reporter.begin("own")
    reporter.after(1)
    assert list(server.tasks) == ["own"]

    os.close(fd)
    reporter.after(5)

    assert server.messages("t") == ["a"]


def test_the_file_of_a_process_that_lives_is_left_to_it(
    make_reporter: MakeReporter, server: Server, spool: Path
) -> None:
    alive = make_reporter()
    alive.begin("t")
    alive.client.spool_now()

    make_reporter().turns()

    assert server.requests == []
    assert len(files(spool)) == 1


def test_what_was_said_with_another_key_or_to_another_server_is_not_sent(
    make_reporter: MakeReporter, server: Server, spool: Path
) -> None:
    left_behind(make_reporter(key="trk_other"), "t", "with another key")
    left_behind(make_reporter(url="http://127.0.0.1:1"), "t", "to another server")

    make_reporter().turns()

    assert server.requests == []
    assert len(files(spool)) == 2


def test_sync_sends_what_was_said_with_other_keys_only_when_it_is_asked_to(
    make_reporter: MakeReporter, server: Server, spool: Path
) -> None:
    left_behind(make_reporter(key="trk_other"), "t", "with another key")
    left_behind(make_reporter(url="http://127.0.0.1:1"), "t", "to another server")
    assert sync(settings(server, spool)).batches == 0

    assert sync(settings(server, spool), other_keys=True).batches == 1

    assert server.messages("t") == ["with another key"]
    assert len(files(spool)) == 1


def test_a_file_of_another_format_is_left_and_said(
    make_reporter: MakeReporter, server: Server, spool: Path, caplog: pytest.LogCaptureFixture
) -> None:
    left_behind(make_reporter(), "t", "a")
    (path,) = files(spool)
    content = path.read_bytes().replace(b"taskroom-spool 1", b"taskroom-spool 9", 1)
    path.write_bytes(content)

    reporter = make_reporter()
    reporter.turns()
    reporter.after(10)

    assert path.read_bytes() == content
    assert [record.getMessage() for record in caplog.records] == [
        f"{path} is left as it is: its format is taskroom-spool 9"
    ]


def test_sync_says_what_it_sent_and_what_was_torn(
    make_reporter: MakeReporter, server: Server, spool: Path
) -> None:
    left_behind(make_reporter(batch_events=2), "t", *numbered(5))
    left_behind(make_reporter(batch_events=2), "t", *numbered(3, 5))
    last = files(spool)[-1]
    os.truncate(last, last.stat().st_size - 1)

    found = sync(settings(server, spool))

    assert (found.batches, found.events, found.given_up_events, found.complete) == (4, 7, 0, True)
    assert found.torn_bytes > 0
    assert server.messages("t") == numbered(7)
    assert files(spool) == []


def test_sync_waits_for_the_server_and_gives_up_in_time(
    make_reporter: MakeReporter, server: Server, spool: Path
) -> None:
    left_behind(make_reporter(), "t", "a")
    server.script.extend([faults.status(503)] * 2)
    slept: list[float] = []

    assert not sync(settings(server, spool), timeout=0.0, sleep=slept.append).complete
    assert sync(settings(server, spool), timeout=1_000.0, sleep=slept.append).complete

    assert len(slept) == 1
    assert server.messages("t") == ["a"]


def test_sync_goes_on_as_long_as_the_server_takes_something(
    make_reporter: MakeReporter, server: Server, spool: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_behind(make_reporter(batch_events=1), "t", "a", "b")
    monkeypatch.setattr(sys.modules[sync.__module__], "time", SimpleNamespace(monotonic=clock))
    server.script.extend([faults.status(503), faults.answer, faults.status(503), faults.status(503)])

    def sleep(seconds: float) -> None:
        clock.now += 50

    assert sync(settings(server, spool), timeout=60.0, sleep=sleep).complete

    assert server.messages("t") == ["a", "b"]


def test_a_batch_that_the_server_refuses_for_good_does_not_stop_the_others(
    make_reporter: MakeReporter, server: Server, spool: Path
) -> None:
    left_behind(make_reporter(batch_events=1), "t", "a", "b", "c")
    server.script.extend([faults.answer, faults.status(422)])

    found = sync(settings(server, spool))

    assert (found.events, found.given_up_events, server.messages("t")) == (2, 1, ["a", "c"])


def test_sync_counts_what_the_server_refuses_apart(
    make_reporter: MakeReporter, server: Server, spool: Path
) -> None:
    reporter = make_reporter()
    for name in ("t", "over"):
        reporter.begin(name)
        reporter.log(name, "x", "y")
    reporter.client.spool_now()
    reporter.client._outbox.leave_file()
    server.over.add(("over", "a1"))

    found = sync(settings(server, spool))

    assert (found.events, found.refused_events, found.refusal) == (2, 2, "Attempt a1 is over")
    assert (found.batches, found.given_up_events, found.complete) == (1, 0, True)


def test_a_process_that_ends_at_once_leaves_what_it_spooled(server: Server, spool: Path) -> None:
    code = (
        "client.task('t', 'a1', job_type='train')\n"
        "for n in range(700): client.event('t', 'a1', line(f'line {n}'))\n"
        "client.spool_now()\nprint('spooled', flush=True)\nos._exit(0)"
    )
    server.script.extend([faults.status(503)] * 3)
    assert ran(code, server.url, spool) == "spooled\n"
    server.script.clear()
    sync(settings(server, spool))

    assert server.messages("t") == numbered(700)
