"""The addresses that older clients know, and the format of the streams there: a row each, over the same streams,
cursors and encoded batches as everywhere."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.auth.principal import Principal
from app.inbox.notification import SEVERITIES
from app.realtime.sse_codec import SseCodec, message
from app.stream.event import Event, encode, now
from app.stream.viewer import Viewer
from app.tasks.fold import FAILURE, PENDING, RETRY, REVOKED, STARTED, SUCCESS, TERMINAL, WAITING

Fields = Mapping[str, Any]

PROCESSING = {
    PENDING: "pending",
    WAITING: "pending",
    STARTED: "processing",
    RETRY: "processing",
    SUCCESS: "completed",
    FAILURE: "failed",
    REVOKED: "cancelled",
}
IN_PROGRESS = PROCESSING | {STARTED: "in_progress", RETRY: "in_progress"}

ARTIFACT_FIELDS: Mapping[str, tuple[str, ...]] = {
    "artifact.started": (),
    "artifact.progress": ("progress",),
    "artifact.completed": ("result",),  # older clients take whatever has one for completed,
    "artifact.failed": ("error", "retry_count"),  # and whatever has an error for failed
    "artifact.cancelled": (),
}


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """``data`` makes an event's JSON, None for no frame. What a row does not give is as on every stream."""

    name: str
    path: str  # with a task's id: the stream of that task, else the caller's own
    about: str
    types: frozenset[str] | None  # of the events that ``data`` is called with; None: all
    data: Callable[[Event], str | None]
    named: bool = False  # frames have an ``event:`` line
    hello: Callable[[Principal], Fields] | None = None
    # The keep-alive's type, and its data by the number of the user's connections.
    quiet: tuple[str, Callable[[int], Fields]] | None = None
    end: Callable[[Event | None], Fields] | None = None
    switched: bool = False  # answers 404 without ENABLE_SSE_NOTIFICATIONS
    counts_connections: bool = False  # ``quiet`` needs their number
    sends_comments: bool = False  # its client gives up after five seconds of silence


def _progress(event: Event) -> str | None:
    fields = event.decoded()
    status, progress = fields.get("status"), fields.get("progress")
    if progress is None or (isinstance(status, str) and status in TERMINAL):
        return None  # a phase that ended with its attempt: the end of the task is the last frame
    if event.type == "phase_update":
        status, text = STARTED, fields.get("message")
    else:
        text = fields.get("current_phase_message")
    return _json({"progress": progress, "message": text or "", "status": _word(PROCESSING, status)})


def _outcome(last: Event | None) -> Fields:
    fields = last.decoded() if last else {}
    status, error = fields.get("status"), fields.get("error")
    text = "Complete" if status == SUCCESS else error.get("message") if isinstance(error, dict) else None
    return {"progress": 100, "message": text or "", "status": _word(PROCESSING, status)}


def _notice(event: Event) -> str:
    fields = event.decoded()
    about_task = fields.get("related_type") == "task"
    return _json(
        {
            "type": fields.get("notification_type"),
            "title": fields.get("title"),
            "message": fields.get("message"),
            "jobId": fields.get("related_id") if about_task else None,
            "urgent": bool(fields.get("urgent")),
        }
    )


def _artifact(event: Event) -> str:
    fields = event.decoded()
    names = ("job_id", "user_id", "artifact_type", "notebook_id", "timestamp", *ARTIFACT_FIELDS[event.type])
    return _json({"type": event.type} | {name: fields[name] for name in names if name in fields})


def _with_severity(event: Event) -> str:
    """Puts the severity in front as ``type``; the rest is sent as it was stored."""
    severity = _after(event.payload, '"severity":"')
    return f'{{"type":"{severity if severity in SEVERITIES else "info"}",{event.payload[1:]}'


def _with_words(event: Event) -> str | None:
    """Replaces states by words; None for a change between states of the same word, such as STARTED and RETRY."""
    payload = event.payload
    if event.type not in ("task_created", "status_changed", "task_completed"):
        return payload
    if payload.count("{") == 1:  # no nested objects, so it need not be decoded
        words = []
        for key in ('"status":"', '"previous_status":"'):
            state = _after(payload, key)
            words.append(IN_PROGRESS.get(state, state))
            payload = payload.replace(f'{key}{state}"', f'{key}{words[-1]}"', 1)
        return None if event.type == "status_changed" and words[0] == words[1] else payload
    fields = event.decoded()
    steps = fields.get("subtask_results")
    for of in (fields, *(steps if isinstance(steps, list) else ())):
        for name in ("status", "previous_status"):
            if isinstance(of, dict) and name in of:
                of[name] = _word(IN_PROGRESS, of[name])
    return _json(fields)


def _after(payload: str, key: str) -> str:
    """Returns the text of the first field with this key. Inside a text quotes are escaped, so the key is a key."""
    return payload.partition(key)[2].partition('"')[0]


def _word(words: Mapping[str, str], status: Any) -> Any:
    return words.get(status, status) if isinstance(status, str) else status


def _connected(principal: Principal) -> Fields:
    return {"user_id": principal.user_id, "timestamp": now()}


def _heartbeat(connections: int) -> Fields:
    return {"type": "heartbeat", "timestamp": now(), "connections": connections}


NOTIFICATION = frozenset({"notification"})
DIALECTS = (
    Dialect(
        "job_progress",
        "/api/v1/ai/jobs/<uuid:task_id>/stream/",
        "Progress of a job, the present state first, one last frame at its end; frames without a name.",
        frozenset({"task_status", "phase_update"}),
        _progress,
        end=_outcome,
    ),
    Dialect(
        "notices",
        "/api/v1/notifications/stream/",
        "The caller's notifications, in short; frames without a name.",
        NOTIFICATION,
        _notice,
        switched=True,
    ),
    Dialect(
        "artifact_events",
        "/ai/artifact/events/stream",
        "What becomes of the caller's artifacts; frames without a name.",
        frozenset(ARTIFACT_FIELDS),
        _artifact,
        hello=lambda principal: {"type": "connected", "user_id": principal.user_id},
    ),
    Dialect(
        "notifications_by_severity",
        "/api/notifications/stream",
        "The caller's notifications, their `type` the severity; a `heartbeat` every 30 s.",
        NOTIFICATION,
        _with_severity,
        named=True,
        hello=_connected,
        quiet=("heartbeat", _heartbeat),
        switched=True,
        counts_connections=True,
        sends_comments=True,
    ),
    Dialect(
        "events_in_words",
        "/api/v1/events/stream",
        "What happens to the caller's tasks, with states in small words; a `ping` every 30 s.",
        None,
        _with_words,
        named=True,
        hello=_connected,
        quiet=("ping", lambda connections: {"timestamp": now()}),
        sends_comments=True,
    ),
)


class DialectCodec(SseCodec):
    """A row's format. Messages that its clients do not know (``resync``, ``token_expired``) are named, so they are
    skipped."""

    keepalive_every = 2

    def __init__(self, dialect: Dialect, chunked: bool) -> None:
        super().__init__(chunked)
        self._dialect = dialect
        self.counts_connections, self.sends_comments = dialect.counts_connections, dialect.sends_comments

    def hello(self, viewer: Viewer, principal: Principal) -> bytes:
        dialect, cursor = self._dialect, viewer.cursor
        if dialect.hello is None:
            return f"id: {cursor}\n\n".encode()  # a client keeps the id and raises no event
        return _frame(cursor, "connected" if dialect.named else None, _json(dialect.hello(principal)))

    def frame(self, event: Event) -> bytes:
        data = self._dialect.data(event)
        if data is None:
            return b""
        return self._chunk(_frame(event.sequence, event.type if self._dialect.named else None, data))

    def quiet(self, viewer: Viewer, cursor: int, connections: int) -> bytes:
        if self._dialect.quiet is None:
            return self._chunk(f"id: {cursor}\n: keepalive\n\n".encode())
        type, data = self._dialect.quiet
        return self._chunk(message(type, dict(data(connections)), cursor))

    def end(self, stream: str, last: Event | None, cursor: int) -> bytes:
        if self._dialect.end is None:
            return super().end(stream, last, cursor)
        return self._chunk(_frame(cursor, None, _json(self._dialect.end(last))))


def _frame(cursor: int, type: str | None, data: str) -> bytes:
    name = f"event: {type}\n" if type else ""
    return f"id: {cursor}\n{name}data: {data}\n\n".encode("ascii", "taskroom.json")


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """Escapes what is not ASCII as JSON does: these streams name no charset, and older clients then assume Latin-1."""
    assert isinstance(error, UnicodeEncodeError)
    units = error.object[error.start : error.end].encode("utf-16-be")
    return "".join(f"\\u{units[n : n + 2].hex()}" for n in range(0, len(units), 2)), error.end


codecs.register_error("taskroom.json", _escaped)


def _json(fields: Fields) -> str:
    return "{" + encode(fields)
