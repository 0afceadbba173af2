"""The thread, and who waits for it: flush, close, signals."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.sdk.transport import server as faults
from tests.sdk.transport.conftest import MakeClient
from tests.sdk.transport.helpers import line, numbered
from tests.sdk.transport.server import PATIENCE, Server


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.spool"))


def test_the_thread_sends_without_being_asked(make_client: MakeClient, server: Server) -> None:
    client = make_client()
    client.task("t", "a1", job_type="train")
    client.event("t", "a1", line("x"))

    server.wait_for("the line", lambda: server.messages("t") == ["x"])
    client.event("t", "a1", line("y"))
    server.wait_for("the next", lambda: server.messages("t") == ["x", "y"])


def test_there_is_one_thread_and_only_once_there_is_something_to_send(
    make_client: MakeClient, server: Server
) -> None:
    def threads() -> int:
        return [thread.name for thread in threading.enumerate()].count("taskroom-sender")

    client = make_client()
    assert threads() == 0

    begin = threading.Barrier(8)

    def report(n: int) -> None:
        begin.wait()
        client.task(f"t{n}", "a1", job_type="train")

    reporting = [threading.Thread(target=report, args=(n,)) for n in range(8)]
    for thread in reporting:
        thread.start()
    for thread in reporting:
        thread.join()
    assert threads() == 1
    assert client.flush(PATIENCE)
    assert len(server.tasks) == 8


def test_threads_keep_each_its_order(make_client: MakeClient, server: Server) -> None:
    client = make_client()

    def report(n: int) -> None:
        client.task(f"t{n}", "a1", job_type="train")
        for message in numbered(1_000):
            client.event(f"t{n}", "a1", line(message))

    reporting = [threading.Thread(target=report, args=(n,)) for n in range(4)]
    for thread in reporting:
        thread.start()
    for thread in reporting:
        thread.join()

    assert client.flush(PATIENCE)
    assert [server.messages(f"t{n}") for n in range(4)] == [numbered(1_000)] * 4


@pytest.mark.parametrize("hangs", [False, True])
def test_a_burst_that_is_faster_than_the_thread_loses_nothing(
    make_client: MakeClient, server: Server, spool: Path, hangs: bool
) -> None:
    # However slow the machine is, the server is not away: what it has not taken would be in the spool.
    slow = {"connect_seconds": PATIENCE, "answer_seconds": PATIENCE}
    client = make_client(memory_events=1_000, memory_bytes=50_000, **slow)
    client.task("t", "a1", job_type="train")
    if hangs:
        server.script.append(faults.hang)
        client.event("t", "a1", line("line 0"))
        server.hangs.acquire(timeout=PATIENCE)
    else:
        client.event("t", "a1", line("line 0"))

    for message in numbered(20_000, 1):
        client.event("t", "a1", line(message))

    server.released.set()
    # What found no room in memory is safe in the spool, from where the thread sends it.
    assert client.flush(PATIENCE)
    server.wait_for("the last line", lambda: server.messages("t")[-1:] == ["line 20000"])
    assert server.messages("t") == numbered(20_001)


def test_flush_waits_until_the_server_has_all(make_client: MakeClient, server: Server, spool: Path) -> None:
    client = make_client(gather_seconds=1_000.0)
    client.task("t", "a1", job_type="train")
    for message in numbered(1_234):
        client.event("t", "a1", line(message))

    assert client.flush(PATIENCE)

    assert server.messages("t") == numbered(1_234)
    assert files(spool) == []


def test_flush_writes_to_the_spool_when_the_server_is_away(make_client: MakeClient, spool: Path) -> None:
    client = make_client(url="http://127.0.0.1:1")  # refuses connections
    client.task("t", "a1", job_type="train")

    assert client.flush(PATIENCE)

    assert len(files(spool)) == 1


def test_flush_writes_to_the_spool_when_the_server_does_not_answer_in_time(
    make_client: MakeClient, server: Server, spool: Path
) -> None:
    server.script.append(faults.hang)
    client = make_client()
    client.task("t", "a1", job_type="train")
    client.event("t", "a1", line("x"))
    server.hangs.acquire(timeout=PATIENCE)
    client.event("t", "a1", line("y"))

    assert client.flush(0.2)

    assert len(files(spool)) == 1
    server.released.set()
    server.wait_for("both", lambda: server.messages("t") == ["x", "y"])


def test_flush_without_a_spool_says_that_it_is_not_stored(make_client: MakeClient) -> None:
    client = make_client(url="http://127.0.0.1:1", folder=None)
    client.task("t", "a1", job_type="train")

    assert not client.flush(0.2)


def test_flush_of_nothing_is_done(make_client: MakeClient, server: Server) -> None:
    assert make_client().flush(0)
    assert server.requests == []


def test_flush_says_that_events_were_given_up(make_client: MakeClient, server: Server) -> None:
    server.script.append(faults.status(422))
    client = make_client()
    client.task("t", "a1", job_type="train")

    assert not client.flush(PATIENCE)
    assert client.flush(PATIENCE)


def test_spool_now_uses_no_network_and_flush_has_nothing_left_to_do(
    make_client: MakeClient, server: Server, spool: Path
) -> None:
    client = make_client(starts=False)
    client.task("t", "a1", job_type="train")

    client.spool_now()

    assert client.flush(0)
    assert (len(files(spool)), server.requests) == (1, [])


def test_close_ends_the_thread_and_leaves_the_spool_to_others(
    make_client: MakeClient, server: Server
) -> None:
    server.script.append(faults.hang)
    first = make_client()
    first.task("t", "a1", job_type="train")
    first.event("t", "a1", line("x"))
    server.hangs.acquire(timeout=PATIENCE)
    thread = first._thread._thread
    assert thread is not None

    assert first.close(0.1)

    thread.join(PATIENCE)
    assert not thread.is_alive()
    second = make_client()
    second.event("t", "a1", line("y"))
    assert second.flush(PATIENCE)
    assert server.messages("t") == ["x", "y"]


def test_what_is_said_after_close_is_sent_too(make_client: MakeClient, server: Server) -> None:
    client = make_client()
    client.task("t", "a1", job_type="train")
    assert client.close(PATIENCE)
    client.event("t", "a1", line("x"))

    assert client.close(PATIENCE)
    assert client.close(0)

    assert server.messages("t") == ["x"]


def test_a_signal_handler_may_report_whatever_it_interrupts(make_client: MakeClient, server: Server) -> None:
    client = make_client()
    client.task("t", "a1", job_type="train")
    handled: list[int] = []

    def handle(signum: int, frame: Any) -> None:
        handled.append(signum)
        for n in range(600):
            client.event("t", "a1", line(f"of the handler {n}"))

    before = signal.signal(signal.SIGUSR1, handle)
    try:
        with client._outbox.lock:  # as in the middle of a flush
            os.kill(os.getpid(), signal.SIGUSR1)
            while not handled:
                signal.sigtimedwait([], 0.01)
    finally:
        signal.signal(signal.SIGUSR1, before)

    assert client.flush(PATIENCE)
    assert server.messages("t") == [f"of the handler {n}" for n in range(600)]


def test_a_value_that_reports_while_it_is_encoded(make_client: MakeClient, server: Server) -> None:
    client = make_client()

    class Talks:
        def __repr__(self) -> str:
            client.event("t", "a1", line("from its repr"))
            return "a value"

    client.task("t", "a1", job_type="train")
    client.event("t", "a1", {"type": "task_status", "status": "SUCCESS", "result": Talks()})

    assert client.flush(PATIENCE)
    assert client.flush(PATIENCE)
    assert [event["type"] for event in server.events["t"]] == ["task_status", "log"]
    assert server.events["t"][0]["result"] == "a value"
