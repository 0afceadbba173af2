"""A server that is away: memory, then the spool, then what does not fit is counted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from taskroom._transport import Settings, sync
from tests.sdk.transport.away import SMALL, away, files, report, said
from tests.sdk.transport.conftest import MakeReporter
from tests.sdk.transport.helpers import line, numbered
from tests.sdk.transport.server import KEY, Server


def test_in_memory_first_then_in_a_file_and_all_of_it_once_in_order(
    make_reporter: MakeReporter, server: Server, spool: Path
) -> None:
    reporter = make_reporter(**SMALL)
    reporter.begin("t")
    away(server, reporter)

    report(reporter, 20)
    assert files(spool) == []
    report(reporter, 180, 20)
    assert len(files(spool)) == 1
    server.script.clear()
    reporter.all()

    assert server.messages("t") == numbered(200)
    assert files(spool) == []


def test_a_second_later_all_of_it_is_in_the_file(
    make_reporter: MakeReporter, server: Server, spool: Path
) -> None:
    reporter = make_reporter(shortest_wait=600.0, longest_wait=600.0)
    reporter.begin("t")
    away(server, reporter)
    reporter.log("t", "one")
    reporter.after(1.0)

    reporter.log("t", "two")
    reporter.end("t")
    reporter.after(1.0)
    outbox = reporter.client._outbox
    assert (outbox.waiting, outbox.safe) == (0, outbox.added)
    reporter.client.close(0)  # leaves the file to others

    server.script.clear()
    assert sync(Settings(server.url, KEY, spool)).events == 3
    assert server.messages("t") == ["one", "two"]


def test_at_the_end_of_a_task_it_is_there_at_once(
    make_reporter: MakeReporter, server: Server, spool: Path
) -> None:
    reporter = make_reporter()
    reporter.begin("t")
    reporter.log("t", "before")
    reporter.client.keep()
    assert files(spool) == []  # the server is there, as far as is known

    away(server, reporter)
    reporter.log("t", "x")
    reporter.client.keep()

    assert reporter.client._outbox.is_kept
    assert len(files(spool)) == 1


def test_what_is_said_while_the_file_is_sent_comes_after_it(
    make_reporter: MakeReporter, server: Server
) -> None:
    reporter = make_reporter(**SMALL)
    reporter.begin("t")
    away(server, reporter)
    report(reporter, 60)
    server.script.clear()
    reporter.clock.now += 60

    for n in range(60, 90):
        reporter.log("t", f"line {n}")
        reporter.client._thread.sender.turn()
    reporter.all()

    assert server.messages("t") == numbered(90)


def test_bytes_in_memory_are_bounded_too(make_reporter: MakeReporter, server: Server, spool: Path) -> None:
    reporter = make_reporter(memory_bytes=20_000, batch_events=5)
    reporter.begin("t")
    away(server, reporter)

    for _ in range(20):
        reporter.log("t", os.urandom(4_000).hex())  # does not become smaller
        reporter.turns()

    assert len(files(spool)) == 1
    assert reporter.client._outbox._bytes < 40_000


def test_what_does_not_fit_is_dropped_counted_and_said_in_the_runs_log(
    make_reporter: MakeReporter, server: Server, spool: Path, caplog: pytest.LogCaptureFixture
) -> None:
    reporter = make_reporter(**SMALL, spool_bytes=2_500)
    reporter.begin("t")
    reporter.all()
    away(server, reporter)
    report(reporter, 300)
    assert sum(path.stat().st_size for path in files(spool)) <= 2_500
    server.script.clear()
    reporter.all()
    report(reporter, 1, 300)
    reporter.all()

    stored = server.messages("t")
    (gap,) = [n for n, message in enumerate(stored) if "missing" in message]
    dropped = 300 - gap
    assert stored[:gap] == numbered(gap)  # the oldest are kept
    assert stored[gap:] == [
        f"{dropped} events are missing here: there was no room for them",
        "line 300",
    ]
    assert server.events["t"][gap]["level"] == "WARNING"
    assert said(caplog)[1:] == [f"the spool {spool} is full: what does not fit is dropped"]


def test_the_end_of_a_task_and_what_a_task_is_are_not_dropped(
    make_reporter: MakeReporter, server: Server
) -> None:
    reporter = make_reporter(**SMALL, folder=None)
    reporter.begin("t")
    reporter.all()
    away(server, reporter)
    report(reporter, 100)
    reporter.end("t")
    reporter.begin("next", title="A title")
    report(reporter, 99)
    server.script.clear()
    reporter.all()

    assert server.statuses("t") == ["SUCCESS"]
    assert server.tasks["next"] == {"job_type": "train", "title": "A title"}
    assert [message.split(":")[0] for message in server.messages("t")[20:]] == ["179 events are missing here"]


def test_who_fills_the_buffer_faster_than_the_thread_encodes_helps(
    make_reporter: MakeReporter, server: Server
) -> None:
    reporter = make_reporter(**SMALL)
    reporter.begin("t")

    for n in range(1_000):  # and no thread takes them
        reporter.client.event("t", "a1", line(f"line {n}"))

    assert len(reporter.client._buffer.entries) <= 20
    reporter.all()
    assert server.messages("t") == numbered(1_000)


def test_who_cannot_help_is_not_kept_waiting_and_what_is_dropped_is_counted(
    make_reporter: MakeReporter, server: Server
) -> None:
    reporter = make_reporter(**SMALL)
    reporter.begin("t")

    with reporter.client._outbox.lock:  # as long as the disk hangs
        for n in range(1_000):
            reporter.client.event("t", "a1", line(f"line {n}"))

    assert len(reporter.client._buffer.entries) == 40
    reporter.all()
    reporter.log("t", "later")
    reporter.all()
    assert server.messages("t") == [
        *numbered(39),
        "961 events are missing here: there was no room for them",
        "later",
    ]


def test_long_lines_fill_the_buffer_by_their_size(make_reporter: MakeReporter) -> None:
    reporter = make_reporter(memory_bytes=100_000)

    with reporter.client._outbox.lock:  # nobody encodes
        for _ in range(100):
            reporter.client.event("t", "a1", line("x" * 16_000))

    assert len(reporter.client._buffer.entries) == 13
