"""An event and its JSON, which is made once: the bytes stored are the bytes published and sent."""

from __future__ import annotations

import re
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from psycopg2.extensions import cursor as Cursor

LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}

MAX_SEQUENCE = 2**62
BROADCAST = "broadcast"  # the stream of all users
EVENT_BYTES = 128  # of memory that an event takes beside its payload
EVENT_TYPE = re.compile(r"[a-z][a-z_.]{0,63}\Z")
_second = ("", "")


@dataclass(slots=True, eq=False)
class Draft:
    """An event that has no sequence yet. ``tail`` is its JSON after the sequence.

    ``data`` holds the fields again for the projection; None where the type changes no state.
    ``attempt`` fences: the append refuses a draft of any other attempt than the stream's.
    ``closes`` makes it the last event of its stream. A draft is never changed; a frozen class is slower to make.
    """

    stream: str
    type: str
    tail: str
    level: str | None = None
    phase: str | None = None
    data: Mapping[str, Any] | None = None
    attempt: int | None = None
    closes: bool = False


class LateDraft(Draft, ABC):
    """An event of a shared stream that depends on what its reader has, and so on the lock of the stream."""

    __slots__ = ()

    @staticmethod
    @abstractmethod
    def finish(cur: Cursor, drafts: Sequence[Any]) -> Sequence[Draft | None]:
        """Returns what is appended in the place of each of these drafts, None for nothing. Their streams are locked;
        all late drafts of a batch come together."""


def finished(cur: Cursor, drafts: Sequence[Draft]) -> Sequence[Draft]:
    """Returns the drafts with the late ones finished. Their streams are locked."""
    late = [draft for draft in drafts if isinstance(draft, LateDraft)]
    if not late:
        return drafts
    found = iter(late[0].finish(cur, late))
    every = (next(found) if isinstance(draft, LateDraft) else draft for draft in drafts)
    return [draft for draft in every if draft is not None]


@dataclass(slots=True, eq=False)
class Event:
    """An event as stored, never changed again. ``payload`` is its whole JSON object, one line.

    The class is not frozen: that triples the time to make an event, for every event in every process.
    """

    stream: str
    sequence: int
    type: str
    payload: str
    level: str | None = None
    phase: str | None = None

    def decoded(self) -> dict[str, Any]:
        value: dict[str, Any] = orjson.loads(self.payload)
        return value


def memory(event: Event) -> int:
    """Bytes of memory that the event takes, about; a text beyond ASCII takes up to four bytes a character."""
    return sys.getsizeof(event.payload) + EVENT_BYTES


def task_stream(task_id: str) -> str:
    return f"task:{task_id}"


def user_stream(user_id: str) -> str:
    return f"user:{user_id}"


def is_task(stream: str) -> bool:
    return stream.startswith("task:")


def is_shared(stream: str) -> bool:
    """Whether many tasks write to the stream: such a stream is locked last and briefly."""
    return stream == BROADCAST or stream.startswith("user:")


def now() -> str:
    """Returns the time as events carry it: RFC 3339, UTC, always with microseconds."""
    global _second
    at = str(time.time_ns())  # cutting the digits takes a third of the time of computing with them
    second = at[:-9]
    known, text = _second
    if known != second:
        text = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(int(second)))
        _second = (second, text)  # one assignment: threads may race here, and either is right
    return f"{text}{at[-9:-3]}Z"


def draft(
    stream: str,
    type: str,
    fields: Mapping[str, Any],
    *,
    attempt: int | None = None,
    closes: bool = False,
    projected: bool = True,
) -> Draft:
    """Encodes an event, outside any lock. ``fields`` has at least the timestamp.

    ``level`` and ``phase`` (or ``phase_id``) among the fields become columns beside the payload.
    Raises ValueError for a bad type, level or phase, and for a field named like one of the stream's own;
    TypeError for what JSON cannot hold.
    """
    if not EVENT_TYPE.match(type):
        raise ValueError(f"{type!r} is no event type")
    if fields.get("level") not in (None, *LEVELS):
        raise ValueError(f"{fields['level']!r} is no level")
    # A second key of the same name would win in every client's parser, and lose in the projection.
    if not fields or not fields.keys().isdisjoint(("stream", "sequence", f"{stream.partition(':')[0]}_id")):
        raise ValueError(f"an event has fields, and none of the stream's own: {', '.join(map(str, fields))}")
    phase = fields.get("phase_id") or fields.get("phase")
    if phase is not None and not isinstance(phase, str):
        raise ValueError(f"{phase!r} is no phase")
    tail = encode(fields)
    return Draft(
        stream=stream,
        type=type,
        tail=tail,
        level=fields.get("level"),
        phase=clean(phase) if phase else None,
        # The projection must fold what a viewer folds, so the fields are read back from the bytes.
        data=orjson.loads("{" + tail) if projected else None,
        attempt=attempt,
        closes=closes,
    )


def is_line(draft: Draft) -> bool:
    """Whether the event is a line of its task's log: a ``log``, or the status of a retry."""
    if draft.type == "log":
        return is_task(draft.stream)
    return draft.type == "task_status" and draft.data is not None and is_retry(draft.data)


def is_retry(event: Mapping[str, Any]) -> bool:
    """Whether a ``task_status`` says that an attempt is to be followed by another one. Later ones may change other
    fields of the task that waits for it."""
    return event.get("status") == "RETRY" and "retry_count" in event


def json_prefix(stream: str) -> str:
    """Returns the JSON of the stream's events up to their sequence."""
    kind, _, key = stream.partition(":")
    owner = f'"{kind}_id":"{key}",' if key else ""
    return f'{{"stream":"{stream}",{owner}"sequence":'


def number(draft: Draft, prefix: str, sequence: int, line: int | None = None) -> Event:
    """Puts the sequence, and of a line of the log its number among the lines, into the JSON; the only parts of an event
    that are made under the stream's lock."""
    counted = f'"line":{line},' if line else ""
    payload = f"{prefix}{sequence},{counted}{draft.tail}"
    return Event(draft.stream, sequence, draft.type, payload, draft.level, draft.phase)


def encode(fields: Mapping[str, Any]) -> str:
    """Returns the tail of an event's JSON: one line that Postgres can store and no client splits."""
    try:
        text = orjson.dumps(fields).decode()
    except TypeError:  # a lone surrogate: os.fsdecode makes them of file names that are not UTF-8
        text = orjson.dumps(scrub(fields)).decode()
    # Postgres can store no NUL. Looking for a backslash is the quick test: most lines have no escape at all.
    if "\\" in text and "\\u0000" in text:
        text = orjson.dumps(scrub(fields)).decode()
    if not text.isascii():  # common SSE clients split lines at these
        text = text.replace("\u0085", "\\u0085").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return text[1:]


def scrub(value: Any) -> Any:
    """Returns the value with NUL and lone surrogates replaced at every depth."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list | tuple):
        return [scrub(v) for v in value]
    if isinstance(value, Mapping):
        return {clean(str(k)): scrub(v) for k, v in value.items()}
    return value


def clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def shortened(text: str, limit: int) -> str:
    """Returns the text, or its first characters and a marker with the number of characters in all."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… [cut: {len(text):,} characters in all]"
