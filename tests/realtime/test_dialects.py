"""How each dialect tells an event, and that it tells it once for all who watch."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from app.realtime.dialects import DIALECTS, Dialect, DialectCodec
from app.stream.codec import Filter
from app.stream.encoded_batch import EncodedBatch, Position
from app.stream.event import Event
from tests.realtime.test_event_stream import Message, parse, unchunked
from tests.stream.fakes import FakeStore, at_once, hub_over, publish
from tests.stream.wires import FakeWire, tick, view

JOB, NOTICES, ARTIFACTS, SEVERITY, WORDS = DIALECTS
USER, TASK = "user:u", "task:t"


def event(type: str, stream: str = USER, /, **fields: Any) -> Event:
    kind, _, key = stream.partition(":")
    payload = {"stream": stream, f"{kind}_id": key, "sequence": 7, "timestamp": "2026-01-01T00:00:00Z"}
    return Event(stream, 7, type, json.dumps(payload | fields, separators=(",", ":")))


def data_of(dialect: Dialect, event: Event) -> dict[str, Any]:
    """The one frame of the event."""
    frame = DialectCodec(dialect, chunked=False).frame(event)
    assert unchunked(DialectCodec(dialect, chunked=True).frame(event)) == frame
    ((message,), _) = parse(frame)
    assert message.id == "7" and message.type == (event.type if dialect.named else "message")
    return dict(json.loads(message.data))


def status(status: str, **fields: Any) -> Event:
    return event(
        "task_status", TASK, status=status, **{"progress": 40, "current_phase_message": None} | fields
    )


@pytest.mark.parametrize(
    ("state", "processing", "in_progress"),
    [
        ("PENDING", "pending", "pending"),
        ("WAITING", "pending", "pending"),
        ("STARTED", "processing", "in_progress"),
        ("RETRY", "processing", "in_progress"),
        ("SUCCESS", "completed", "completed"),
        ("FAILURE", "failed", "failed"),
        ("REVOKED", "cancelled", "cancelled"),
    ],
)
def test_states_in_the_words_of_each(state: str, processing: str, in_progress: str) -> None:
    previous, word = ("PENDING", "pending") if in_progress == "in_progress" else ("STARTED", "in_progress")
    changed = event("status_changed", status=state, previous_status=previous)
    last = DialectCodec(JOB, chunked=False).end(TASK, status(state), 9)

    sent = data_of(WORDS, changed)

    assert (sent["status"], sent["previous_status"]) == (in_progress, word)
    assert json.loads(parse(last)[0][0].data)["status"] == processing
    if processing in ("pending", "processing"):
        assert data_of(JOB, status(state))["status"] == processing


@pytest.mark.parametrize(
    ("previous", "state", "sent"),
    [
        ("STARTED", "RETRY", False),
        ("RETRY", "STARTED", False),
        ("PENDING", "WAITING", False),
        ("WAITING", "PENDING", False),
        ("PENDING", "STARTED", True),
        ("RETRY", "FAILURE", True),
    ],
)
def test_a_change_that_has_one_word_here_is_none(previous: str, state: str, sent: bool) -> None:
    changed = event("status_changed", status=state, previous_status=previous)

    assert (WORDS.data(changed) is not None) == sent


def test_progress_has_three_fields_and_comes_with_phases_too() -> None:
    update = event("phase_update", TASK, phase_id="p", status="in_progress", message="Half", progress=50)

    assert data_of(JOB, status("STARTED", current_phase_message="Reading")) == {
        "progress": 40,
        "message": "Reading",
        "status": "processing",
    }
    assert data_of(JOB, update) == {"progress": 50, "message": "Half", "status": "processing"}


@pytest.mark.parametrize(
    ("state", "error", "message"),
    [
        ("SUCCESS", None, "Complete"),
        ("FAILURE", {"type": "ValueError", "message": "no such luck"}, "no such luck"),
        ("REVOKED", {"type": "Cancelled", "message": "Cancelled by a"}, "Cancelled by a"),
    ],
)
def test_the_end_of_a_job_is_one_frame(state: str, error: Any, message: str) -> None:
    codec, last = DialectCodec(JOB, chunked=False), status(state, error=error)

    ((frame,), _) = parse(codec.frame(last) + codec.end(TASK, last, 9))

    sent = json.loads(frame.data)
    assert (frame.id, sent["progress"], sent["message"]) == ("9", 100, message)


def test_a_phase_that_ends_with_its_attempt_says_nothing_of_progress() -> None:
    ended = event("phase_update", TASK, phase_id="p", status="error", message="lost")

    assert DialectCodec(JOB, chunked=True).frame(ended) == b"", (
        "not even a chunk: an empty one ends the answer"
    )


def test_what_is_left_out_leaves_the_cut_of_a_burst_right() -> None:
    codec = DialectCodec(JOB, chunked=True)
    silent = event("phase_update", TASK, phase_id="p", status="error")
    events = [
        replace(e, sequence=n) for n, e in enumerate([silent, status("STARTED"), silent, status("RETRY")], 1)
    ]

    batch = EncodedBatch.of(events, codec, Filter(JOB.types))

    first = len(codec.frame(events[1]))
    assert batch.position_after(0) == Position(1, b"")
    assert batch.position_after(first) == Position(3, b"")
    assert batch.position_after(first + 3) == Position(4, batch.data[first + 3 :])
    assert batch.position_after(len(batch.data)) == Position(4, b"")


def test_a_notification_in_short() -> None:
    fields = {"notification_type": "generation_complete", "title": "T", "message": "M", "urgent": True}
    about = {"related_type": "task", "related_id": "t"}

    assert data_of(NOTICES, event("notification", **fields, **about)) == {
        "type": "generation_complete",
        "title": "T",
        "message": "M",
        "jobId": "t",
        "urgent": True,
    }
    elsewhere = data_of(NOTICES, event("notification", **fields, related_type="invoice", related_id="t"))
    assert elsewhere["jobId"] is None


def test_a_notifications_type_is_its_severity_and_nothing_is_lost() -> None:
    notice = event(
        "notification", severity="warning", id="n", title='"severity":"error"', related_session_id=None
    )

    assert data_of(SEVERITY, notice) == notice.decoded() | {"type": "warning"}


@pytest.mark.parametrize(
    ("type", "outcome"),
    [
        ("artifact.started", {}),
        ("artifact.progress", {"progress": 40}),
        ("artifact.completed", {"result": {"questions": []}}),
        ("artifact.failed", {"error": "why", "retry_count": 1}),
        ("artifact.cancelled", {}),
    ],
)
def test_only_an_end_of_an_artifact_has_a_result_or_an_error(type: str, outcome: dict[str, Any]) -> None:
    """Older clients take what has one for completed or failed, whatever else it says."""
    named = {"job_id": "t", "artifact_type": "quiz", "notebook_id": "n"}
    everything = {"result": 1, "error": "x", "retry_count": 9, "progress": 3} if not outcome else {}

    sent = data_of(ARTIFACTS, event(type, **named, **everything, **outcome))

    assert sent == named | outcome | {"type": type, "user_id": "u", "timestamp": "2026-01-01T00:00:00Z"}


def test_steps_of_a_task_are_in_small_words_too_and_a_notifications_status_is_its_own() -> None:
    done = event(
        "task_completed", status="FAILURE", subtask_results=[{"status": "SUCCESS"}, {"status": "REVOKED"}]
    )
    notice = event("notification", status="unread", metadata={"status": "SUCCESS"})

    assert data_of(WORDS, done)["subtask_results"] == [{"status": "completed"}, {"status": "cancelled"}]
    assert data_of(WORDS, notice) == notice.decoded()


@pytest.mark.parametrize("more", [{}, {"note": {}}], ids=["plain", "nested"])
def test_only_a_state_is_put_in_other_words(more: dict[str, Any]) -> None:
    title = 'is "status":"STARTED"'
    created = event("task_created", title=title, intent="STARTED", status="STARTED", parent_id=None, **more)

    assert data_of(WORDS, created) == created.decoded() | {"status": "in_progress"}


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)
def test_whatever_an_event_holds_its_frame_can_be_made(dialect: Dialect) -> None:
    """One that cannot would hold up everybody in its room."""
    odd: tuple[dict[str, Any], ...] = (
        {},
        {"status": [], "progress": {}, "error": "text", "severity": "\n", "subtask_results": 5},
        {"status": None, "subtask_results": [1, {"status": {}}], "previous_status": 3},
        {"title": "a\u2028b\u0085c\n\ndata: forged"},
    )
    for type in dialect.types or ("task_created", "status_changed", "task_completed", "notification"):
        for fields in odd:
            frame = DialectCodec(dialect, chunked=False).frame(event(type, **fields))
            assert (
                len(parse(frame)[0]) <= 1 and frame.decode().splitlines() == frame.decode().split("\n")[:-1]
            )


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)
def test_a_greeting_and_what_is_said_when_quiet_carry_the_cursor(dialect: Dialect) -> None:
    codec, principal = DialectCodec(dialect, chunked=False), SimpleNamespace(user_id="u")
    viewer: Any = SimpleNamespace(cursor=5)

    hello, quiet = codec.hello(viewer, principal), codec.quiet(viewer, 6, 3)  # type: ignore[arg-type]

    assert hello.startswith(b"id: 5\n") and quiet.startswith(b"id: 6\n") and codec.keepalive_every == 2
    greeted, alive = parse(hello)[0], parse(quiet)[0]
    assert [m.type for m in greeted] == (
        [] if dialect.hello is None else ["connected" if dialect.named else "message"]
    )
    if dialect.quiet is None:
        assert quiet == b"id: 6\n: keepalive\n\n" and alive == []
    else:
        expected = {"timestamp"} | ({"type", "connections"} if dialect.counts_connections else set())
        assert (
            alive == [Message("6", dialect.quiet[0], alive[0].data)]
            and json.loads(alive[0].data).keys() == expected
        )


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)
def test_a_client_that_takes_latin_1_reads_the_same(dialect: Dialect) -> None:
    """Many do where no charset is named, and the headers of these streams name none."""
    text = "Grüße, 日本 𝄞 \U0001f600"
    of = {"error": {"message": text}, "current_phase_message": text, "progress": 3, "status": "STARTED"}
    fields = of if dialect is JOB else {"title": text, "message": text, "result": text, "error": text}
    for type in dialect.types or ("task_created", "notification"):
        frame = DialectCodec(dialect, chunked=False).frame(event(type, **fields | {"text": text}))

        assert frame.decode("latin-1") == frame.decode("utf-8")


def test_what_is_escaped_is_what_was_said() -> None:
    text = "Grüße, 日本 𝄞 \U0001f600"

    assert data_of(WORDS, event("notification", title=text))["title"] == text
    assert data_of(NOTICES, event("notification", title=text))["title"] == text
    assert data_of(JOB, status("STARTED", current_phase_message=text))["message"] == text


def test_those_whose_client_gives_up_in_silence_say_something_every_few_seconds() -> None:
    codecs = {dialect.name: DialectCodec(dialect, chunked=False) for dialect in DIALECTS}

    assert {name for name, codec in codecs.items() if codec.sends_comments} == {
        "notifications_by_severity",
        "events_in_words",
    }
    assert all(codec.keepalive == b":\n" for codec in codecs.values()), "no event, and no other id"


def test_an_event_is_told_once_for_all_who_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once(monkeypatch)
    store, sent = FakeStore(), Counter[int]()
    store.add(TASK)
    hub = hub_over(store)

    def data(event: Event) -> str:
        sent[event.sequence] += 1
        return event.payload

    codec = DialectCodec(replace(WORDS, data=data), chunked=True)
    wires = [view(hub, TASK, 1, FakeWire(codec))[1] for _ in range(1_000)]

    publish(hub, store, TASK)
    publish(hub, store, TASK)
    tick(hub)
    hub.stop()

    assert sent == {2: 1, 3: 1} and all(len(wire.offered) == 2 for wire in wires)
