"""What the answers of the server change: for a batch, a writer, a run."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from tests.sdk.transport import server as faults
from tests.sdk.transport.helpers import Reporter, line, numbered
from tests.sdk.transport.server import Server


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "taskroom"]


@pytest.mark.parametrize(
    "answer, words",
    [
        (faults.status(401, {"title": "Unknown key"}), "it refuses the key: Unknown key"),
        (faults.status(403, {"title": "Not this scope"}), "it refuses the key: Not this scope"),
        (faults.status(404, b"<html>"), "status 404: is TASKROOM_URL the address of a Taskroom?"),
        (faults.status(405), "status 405: is TASKROOM_URL the address of a Taskroom?"),
    ],
)
def test_a_refused_key_is_said_once_and_tried_again_each_minute(
    reporter: Reporter, server: Server, caplog: pytest.LogCaptureFixture, answer: Any, words: str
) -> None:
    server.script.extend([answer] * 3)
    reporter.begin("t")
    reporter.log("t", "x")
    reporter.after(1)

    for _ in range(2):
        reporter.after(59.9)
        reporter.after(0.1)

    assert len(server.requests) == 3
    assert said(caplog) == [
        f"Taskroom at {server.url} takes nothing, and what it should get is kept: {words}"
    ]
    reporter.after(60)
    assert server.messages("t") == ["x"]


def test_a_key_that_is_refused_later_is_said_again(
    reporter: Reporter, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    for n in range(2):
        server.script.append(faults.status(401))
        reporter.begin(f"t{n}")
        reporter.all()

    assert len(said(caplog)) == 2


def test_a_redirect_is_not_followed_with_the_key(
    reporter: Reporter, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    other = Server()
    try:
        server.script.append(faults.status(307, Location=f"{other.url}/api/v2/events"))
        reporter.begin("t")
        reporter.after(1)
        assert other.requests == []
    finally:
        other.close()

    assert said(caplog)[0].endswith(
        f"it sends on to {other.url}/api/v2/events; set TASKROOM_URL to where it is"
    )
    reporter.after(60)
    assert server.tasks == {"t": {"job_type": "train"}}


def test_a_server_that_has_the_batch_already_is_not_sent_it_again(reporter: Reporter, server: Server) -> None:
    reporter.begin("t")
    reporter.log("t", "first")
    reporter.after(1)
    server.script.append(faults.status(409, {"title": "Wrong number", "next_batch": 3}))
    reporter.log("t", "stored by an earlier try")
    reporter.after(1)

    assert reporter.client._outbox.head() is None
    assert reporter.client._availability.failures == 0


def test_a_server_that_has_forgotten_the_writer_gets_the_rest_once(
    reporter: Reporter, server: Server
) -> None:
    reporter.begin("t")
    reporter.log("t", "first")
    reporter.after(1)
    server.forget_writers()
    server.script.extend([faults.answer, faults.stored_and_gone])  # 409, and an answer that is lost
    for n in range(3):
        reporter.log("t", f"later {n}")
        reporter.after(1)

    reporter.all()

    assert server.messages("t") == ["first", "later 0", "later 1", "later 2"]


def test_a_batch_that_is_too_large_is_halved_and_the_next_are_smaller(
    reporter: Reporter, server: Server
) -> None:
    server.most_bytes = 70_000
    reporter.begin("t", title="A title")
    reporter.log("t", *[f"{n} {'x' * 1_000}" for n in range(100)])
    reporter.after(1)
    refused = len(server.requests) - 2
    reporter.log("t", *[f"{n} {'x' * 1_000}" for n in range(100, 200)])

    reporter.after(1)

    assert [message.split()[0] for message in server.messages("t")] == [str(n) for n in range(200)]
    assert server.tasks["t"] == {"job_type": "train", "title": "A title"}
    assert (refused, len(server.requests) - 3) == (1, 2)  # two halves, then two batches that fit


def test_halves_whose_answer_is_lost_are_stored_once(reporter: Reporter, server: Server) -> None:
    server.most_bytes = 30_000
    reporter.begin("t")
    reporter.log("t", *[f"{n} {'x' * 1_000}" for n in range(50)])
    server.script.extend([faults.answer, faults.answer, faults.stored_and_gone])

    reporter.all()

    assert [message.split()[0] for message in server.messages("t")] == [str(n) for n in range(50)]


def test_tasks_of_a_batch_that_is_too_large_are_halved(reporter: Reporter, server: Server) -> None:
    server.most_bytes = 20_000
    for n in range(20):
        reporter.begin(f"t{n}")
        reporter.log(f"t{n}", "x" * 2_000)

    reporter.all()

    assert [len(server.messages(f"t{n}")) for n in range(20)] == [1] * 20


def test_an_event_that_is_too_large_by_itself_is_given_up_and_counted(
    reporter: Reporter, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    server.most_bytes = 5_000
    reporter.begin("t")
    reporter.after(1)
    reporter.log("t", "x" * 10_000)
    reporter.after(1)
    reporter.log("t", "the next")

    reporter.all()

    assert server.messages("t") == ["the next"]
    assert said(caplog) == [
        f"1 events are lost: Taskroom at {server.url} refuses their batch, it is too large for the server"
    ]


@pytest.mark.parametrize("code", [400, 422])
def test_a_batch_that_the_server_calls_invalid_is_given_up_and_counted(
    reporter: Reporter, server: Server, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    server.script.append(faults.status(code, {"title": "Invalid", "errors": {"tasks": ["no"]}}))
    reporter.begin("t", title="A title")
    reporter.log("t", "a", "b")
    reporter.after(1)
    reporter.log("t", "the next")

    reporter.all()

    assert server.messages("t") == ["the next"]
    assert server.tasks["t"] == {"job_type": "train", "title": "A title"}  # what was in it is said again
    assert said(caplog) == [
        f"2 events are lost: Taskroom at {server.url} refuses their batch, status {code}: Invalid: {{'tasks': ['no']}}"
    ]


def test_a_task_that_is_refused_is_said_and_the_others_go_on(
    reporter: Reporter, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    reporter.client.event("unknown", "a1", line("nobody said its type"))
    reporter.begin("t")
    reporter.log("t", "x")

    reporter.all()

    assert server.messages("t") == ["x"]
    assert said(caplog) == [f"Taskroom at {server.url} refuses task unknown: Unknown task"]


def test_what_was_refused_is_not_kept_alive(reporter: Reporter, server: Server) -> None:
    server.over.add(("t", "a1"))
    reporter.begin("t", lease_seconds=30)
    reporter.after(1)

    for _ in range(10):
        reporter.after(10)

    assert len(server.requests) == 1


def test_a_batch_is_json_that_begins_with_writer_and_number(reporter: Reporter, server: Server) -> None:
    reporter.begin("t")
    reporter.log("t", *numbered(2))
    reporter.after(1)

    text = gzip.decompress(server.requests[0].body).decode()
    assert text.startswith('{"writer":"')
    assert list(json.loads(text)) == ["writer", "batch", "tasks"]


@pytest.mark.parametrize(
    ("not_stored", "warnings"),
    [
        ({"workers": ["w3", "w4"]}, ["has no room for 2 workers more, such as w3"]),
        ({"queues": ["q1"]}, ["has no room for 1 queues more, such as q1"]),
        ({"workers": [], "queues": "q"}, []),
        (["w3"], []),
    ],
)
def test_workers_for_which_there_is_no_room_are_a_warning(
    reporter: Reporter, server: Server, caplog: pytest.LogCaptureFixture, not_stored: Any, warnings: list[str]
) -> None:
    answer = {
        "tasks": [],
        "refused": [],
        "cancel": [],
        "resend": [],
        "next_batch": 2,
        "not_stored": not_stored,
    }
    server.script.append(faults.status(202, answer))
    reporter.begin("t")

    reporter.all()

    assert said(caplog) == [f"Taskroom at {server.url} {warning}" for warning in warnings]
