"""One event, and its JSON made once: the bytes stored are the bytes published and sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson

LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}

_TYPE = re.compile(r"[a-z][a-z_.]{0,63}\Z")
Frame = TypeVar("Frame")


@dataclass(frozen=True, slots=True)
class Draft:
    """An event that has no sequence yet. ``tail`` is its JSON after the sequence.

    ``data`` holds the fields again for the projection; None where the type changes no state.
    ``attempt`` fences: the append refuses a draft of any other attempt than the stream's.
    ``closes`` makes it the last event of its stream.
    """

    stream: str
    type: str
    tail: str
    level: str | None = None
    phase: str | None = None
    data: Mapping[str, Any] | None = None
    attempt: int | None = None
    closes: bool = False

    @property
    def size(self) -> int:
        return len(self.tail) + 128


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """An event as stored. ``payload`` is its whole JSON object, one line."""

    stream: str
    sequence: int
    type: str
    payload: str
    level: str | None = None
    phase: str | None = None
    _frames: dict[Callable[[Event], Any], Any] = field(default_factory=dict, repr=False)

    def frame(self, codec: Callable[[Event], Frame]) -> Frame:
        """The event in a wire's own form, made when first needed and shared by all viewers."""
        made = self._frames.get(codec)
        if made is None:
            made = self._frames[codec] = codec(self)
        frame: Frame = made
        return frame

    def decoded(self) -> dict[str, Any]:
        value: dict[str, Any] = orjson.loads(self.payload)
        return value


def task_stream(task_id: str) -> str:
    return f"task:{task_id}"


def now() -> str:
    """The time as events carry it: RFC 3339, UTC, always with microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def draft(
    stream: str,
    type: str,
    fields: Mapping[str, Any],
    *,
    attempt: int | None = None,
    closes: bool = False,
    projected: bool = True,
) -> Draft:
    """Encodes an event, outside any lock. ValueError where the type could forge a frame.

    ``level`` and ``phase`` (or ``phase_id``) among the fields become columns beside the payload.
    """
    if not _TYPE.match(type):
        raise ValueError(f"{type!r} is no event type")
    tail = encode(fields)
    phase = fields.get("phase_id") or fields.get("phase")
    return Draft(
        stream=stream,
        type=type,
        tail=tail,
        level=fields.get("level"),
        phase=clean(phase) if phase else None,
        # What the projection folds must be what a viewer folds, so it is read back from the bytes.
        data=orjson.loads(tail) if projected else None,
        attempt=attempt,
        closes=closes,
    )


def number(draft: Draft, sequence: int) -> Event:
    """Splices the sequence in; the only part of an event that is made under the stream's lock."""
    kind, _, key = draft.stream.partition(":")
    owner = f'"{kind}_id":"{key}",' if key else ""
    payload = f'{{"stream":"{draft.stream}",{owner}"sequence":{sequence},{draft.tail[1:]}'
    return Event(draft.stream, sequence, draft.type, payload, draft.level, draft.phase)


def encode(fields: Mapping[str, Any]) -> str:
    """One line of JSON that survives Postgres and every line-splitting client."""
    try:
        text = orjson.dumps(fields).decode()
    except TypeError:  # a lone surrogate somewhere: os.fsdecode makes them of odd file names
        text = orjson.dumps(scrub(fields)).decode()
    if "\\u0000" in text:  # Postgres can store no NUL, not even to search for it
        text = orjson.dumps(scrub(fields)).decode()
    if not text.isascii():  # common SSE clients split lines at these three
        text = text.replace("\u0085", "\\u0085").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return text


def scrub(value: Any) -> Any:
    """The value with NUL and lone surrogates replaced, all the way down."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(str(k)): scrub(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [scrub(v) for v in value]
    return value


def clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def cut(text: str, limit: int) -> str:
    """The text, or its beginning and a marker that tells how long it was in all (characters)."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… [cut: {len(text):,} characters in all]"
