"""When what was said is sent, and what a batch holds."""

from __future__ import annotations

import pytest

from taskroom._transport.buffer import Buffer
from taskroom._transport.settings import Limits
from tests.sdk.transport.conftest import MakeReporter
from tests.sdk.transport.helpers import Clock, Reporter, line, numbered
from tests.sdk.transport.server import KEY, Server


def test_what_is_said_within_a_quarter_of_a_second_is_one_batch(reporter: Reporter, server: Server) -> None:
    reporter.begin("t")
    assert reporter.turns() == pytest.approx(0.25)
    reporter.log("t", "first")
    assert reporter.after(0.2) == pytest.approx(0.05)
    reporter.log("t", "second")
    assert server.requests == []

    reporter.after(0.05)

    assert len(server.requests) == 1
    assert server.messages("t") == ["first", "second"]


def test_five_hundred_events_are_sent_at_once(reporter: Reporter, server: Server) -> None:
    reporter.begin("t")
    reporter.log("t", *numbered(1_200))

    reporter.turns()

    assert [sum(len(row["events"]) for row in request.content["tasks"]) for request in server.requests] == [
        500,
        500,
        200,
    ]
    assert server.messages("t") == numbered(1_200)


def test_a_batch_is_bounded_in_bytes(reporter: Reporter, server: Server) -> None:
    reporter.begin("t")
    for n in range(100):
        reporter.log("t", f"{n} " + "ä" * 16_000)

    reporter.after(1)

    assert [len(request.content["tasks"][0]["events"]) for request in server.requests] == [32, 32, 32, 4]
    assert [message.split()[0] for message in server.messages("t")] == [str(n) for n in range(100)]


def test_a_batch_is_one_gzipped_post_with_the_key_over_a_kept_connection(
    reporter: Reporter, server: Server
) -> None:
    reporter.begin("t")
    reporter.after(1)
    reporter.log("t", "x")
    reporter.after(1)

    first, second = server.requests
    assert (first.path, first.headers["Authorization"]) == ("/api/v2/events", f"Bearer {KEY}")
    assert (first.headers["Content-Encoding"], first.headers["Content-Type"]) == ("gzip", "application/json")
    assert (first.connection, second.connection) == (1, 1)


def test_the_batches_of_a_writer_are_numbered_from_one(reporter: Reporter, server: Server) -> None:
    reporter.begin("t")
    for n in range(3):
        reporter.log("t", str(n))
        reporter.after(1)

    assert [number for _, number in server.batches()] == [1, 2, 3]
    assert len({writer for writer, _ in server.batches()}) == 1


def test_each_task_of_a_batch_has_one_row(reporter: Reporter, server: Server) -> None:
    for n in range(60):
        reporter.begin(f"t{n}", title=f"Task {n}", params={"n": n})
    for n in range(60):
        reporter.log(f"t{n}", "a", "b")

    reporter.after(1)

    rows = [request.content["tasks"] for request in server.requests]
    assert [len(some) for some in rows] == [50, 50, 20]
    assert rows[0][7] == {
        "task_id": "t7",
        "attempt": "a1",
        "job_type": "train",
        "title": "Task 7",
        "params": {"n": 7},
        "events": [],
    }
    assert [server.messages(f"t{n}") for n in range(60)] == [["a", "b"]] * 60


def test_two_attempts_of_a_task_are_in_two_batches(reporter: Reporter, server: Server) -> None:
    reporter.begin("t", "a1")
    reporter.log("t", "of the first", attempt="a1")
    reporter.begin("t", "a2")
    reporter.log("t", "of the second", attempt="a2")

    reporter.after(1)

    assert [request.content["tasks"][0]["attempt"] for request in server.requests] == ["a1", "a2"]


def test_nothing_follows_an_end_in_its_batch_and_a_task_waits_first_in_one(
    reporter: Reporter, server: Server
) -> None:
    waits = {"type": "task_status", "status": "PENDING"}
    ended = {"type": "task_status", "status": "REVOKED"}
    reporter.client.task("t", None, job_type="train")
    for event in (
        waits,
        line("due"),
        waits,
        ended,
        ended,
    ):  # a message with the same id that is sent twice, say
        reporter.client.event("t", None, event)

    reporter.after(1)

    batches = [request.content["tasks"][0]["events"] for request in server.requests]
    assert [[event.get("status", "line") for event in events] for events in batches] == [
        ["PENDING", "line"],
        ["PENDING", "REVOKED"],
        ["REVOKED"],
    ]


def test_what_is_said_of_a_task_before_its_attempt_is_in_one_row_with_it(
    reporter: Reporter, server: Server
) -> None:
    reporter.client.task("t", None, job_type="train", queue="fast", title=None)
    reporter.begin("t", "a1", worker="host/1")
    reporter.client.task("t", None, can_retry=True)
    reporter.log("t", "x")

    reporter.after(1)

    (row,) = server.requests[0].content["tasks"]
    assert row.pop("events")[0]["message"] == "x"
    assert row == {
        "task_id": "t",
        "attempt": "a1",
        "job_type": "train",
        "queue": "fast",
        "worker": "host/1",
        "can_retry": True,
    }


def test_fields_are_said_once_and_the_type_always(reporter: Reporter, server: Server) -> None:
    reporter.begin("t", title="A title")
    reporter.after(1)
    reporter.log("t", "x")
    reporter.after(1)

    (row,) = server.requests[1].content["tasks"]
    assert (row.pop("events")[0]["message"], row) == (
        "x",
        {"task_id": "t", "attempt": "a1", "job_type": "train"},
    )


def test_an_event_has_the_time_at_which_it_was_given(
    reporter: Reporter, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    reporter.begin("t")
    monkeypatch.setattr("time.time", lambda: 1_764_435_792.5)
    reporter.log("t", "x")
    monkeypatch.setattr("time.time", lambda: 1_764_435_999.0)

    reporter.after(1)

    assert server.events["t"][0]["timestamp"] == "2025-11-29T17:03:12.500000Z"


def test_workers_and_queues_say_how_they_are_now(reporter: Reporter, server: Server) -> None:
    reporter.client.worker({"name": "w1", "slots": 2})
    reporter.client.worker({"name": "w1", "slots": 3})
    reporter.client.worker({"name": "w2", "slots": 1})
    reporter.client.queue({"name": "fast", "depth": 7})

    reporter.after(1)
    reporter.after(1)

    (request,) = server.requests
    content = request.content
    assert content["workers"] == [{"name": "w1", "slots": 3}, {"name": "w2", "slots": 1}]
    assert content["queues"] == [{"name": "fast", "depth": 7}]


def test_a_quiet_attempt_is_mentioned_three_times_a_lease(reporter: Reporter, server: Server) -> None:
    reporter.begin("t", lease_seconds=30)
    reporter.after(1)
    before = len(server.requests)

    for _ in range(3):
        assert reporter.turns() <= 10
        reporter.after(10)
        reporter.after(0.25)

    mentions = [request.content["tasks"] for request in server.requests[before:]]
    assert mentions == [[{"task_id": "t", "attempt": "a1", "job_type": "train", "events": []}]] * 3


@pytest.mark.parametrize("ended", ["SUCCESS", "FAILURE", "REVOKED", "RETRY"])
def test_an_attempt_that_ended_is_not_mentioned_any_more(
    reporter: Reporter, server: Server, ended: str
) -> None:
    reporter.begin("t", lease_seconds=30)
    reporter.end("t", status=ended)
    reporter.after(1)

    for _ in range(30):
        reporter.after(1)

    assert len(server.requests) == 1


def test_without_a_lease_or_by_its_events_alone_no_task_is_mentioned(
    make_reporter: MakeReporter, clock: Clock, server: Server
) -> None:
    reporter = make_reporter()
    reporter.begin("cron", lease_seconds=0)
    reporter.client.task("pending", None, job_type="train")
    reporter.client.event("of the parent", "a1", line("a forked child says"))
    reporter.after(1)

    for _ in range(100):
        reporter.after(1)

    assert len(server.requests) == 1


def test_who_fills_the_memory_is_asked_to_help_before_anything_is_dropped() -> None:
    """Also where a batch may be larger than the memory."""
    buffer = Buffer(Limits(memory_events=1_000, memory_bytes=50_000))
    buffer.call(length=500, size=1_000_000)

    asked = [buffer.put(("t", "a1", line("x"), None, 0.0)) for _ in range(125)]

    assert asked == [False] * 124 + [True] and buffer.is_full
