"""Decodes a batch of observed tasks: the envelope, then each task by itself: an invalid one is refused alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, get_args

import msgspec
import orjson
from msgspec import Meta, Raw, Struct

from app.api.folded import MOST_BYTES, folded
from app.errors import BadRequest, Unprocessable
from app.http.json_body import MAX_DEPTH, refuse_deep, refuse_large
from app.http.typed import MISSING, errors_of
from app.stream.background import with_pauses
from app.tasks.fold import PENDING, RETRY, TERMINAL
from app.tasks.observed.fleet import MOST_REPORTED, MOST_RUNNING, QueueEntry, WorkerEntry
from app.tasks.observed.part import LEAST_LEASE, LONGEST_LEASE, MOST_EVENTS, MOST_TASKS, Part, PartRefused
from app.tasks.observed.schedules import ScheduleEntry
from app.tasks.reported import ReportedEvent, Status, time_text
from app.tasks.reported_drafts import LARGEST

TASKS_IN_A_TURN, EVENTS_IN_A_TURN = 10, 500
ENVELOPE_LEVELS = 5  # around the result of an event, and its parameters: as deep as a body may be without it

Parts = Sequence[Part | tuple[str | None, PartRefused]]


class Envelope(Struct, kw_only=True, forbid_unknown_fields=True):
    """Batches of a writer are numbered 1, 2, 3 …: the same number again is a repeat."""

    writer: Annotated[str, Meta(min_length=1, max_length=128)]
    batch: Annotated[int, Meta(ge=1, le=LARGEST)]
    tasks: Annotated[list[Raw], Meta(max_length=MOST_TASKS)] = []
    workers: Annotated[list[WorkerEntry], Meta(max_length=MOST_REPORTED)] = []
    queues: Annotated[list[QueueEntry], Meta(max_length=MOST_REPORTED)] = []
    schedules: Annotated[list[ScheduleEntry], Meta(max_length=MOST_REPORTED)] = []


class Named(Struct):
    """As much of a task as says which it is."""

    task_id: Any = None


_ENVELOPE = msgspec.json.Decoder(Envelope)
_PART = msgspec.json.Decoder(Part)
_NAMED = msgspec.json.Decoder(Named)


def decode(data: bytes) -> tuple[Envelope, Parts]:
    """Returns the envelope and its parts, checked. Raises BadRequest for what is no JSON, Unprocessable for an invalid
    envelope, naming each field."""
    try:
        refuse_large(data)
    except ValueError as error:
        raise _no_json(str(error)) from None
    try:
        envelope = _ENVELOPE.decode(data)
    except msgspec.ValidationError as error:
        raise Unprocessable("The batch was refused", errors=_errors_of(error, data)) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise _no_json(str(error)) from None
    if sum(len(w.running) + len(w.waiting) for w in envelope.workers) > MOST_TASKS * MOST_RUNNING:
        raise Unprocessable("Too much at once", errors={"workers": ["Too many running or waiting tasks."]})
    parts = [_part(raw) for raw in with_pauses(envelope.tasks, TASKS_IN_A_TURN)]
    if sum(len(part.events) for part in parts if isinstance(part, Part)) > MOST_EVENTS:
        raise Unprocessable("Too much at once", errors={"tasks": [f"At most {MOST_EVENTS:,} events."]})
    return envelope, parts


def _part(raw: Raw) -> Part | tuple[str | None, PartRefused]:
    try:
        part = _PART.decode(raw)
        errors = dict(_errors(part))
    except msgspec.ValidationError as error:
        errors = _errors_of(error, raw)
        if folded_part := _folded(raw):
            return folded_part
    except (msgspec.DecodeError, RecursionError, orjson.JSONDecodeError) as error:
        raise _no_json(str(error)) from None
    if not errors:
        return part
    return _name_of(raw), PartRefused(422, Unprocessable.title, errors)


def _folded(raw: Raw) -> Part | None:
    """Returns the part without what is of a wrong kind; None when the rest makes no sense either, or it is large."""
    if len(bytes(raw)) > MOST_BYTES:
        return None
    try:
        part = folded(orjson.loads(bytes(raw)))
    except (msgspec.DecodeError, RecursionError, TypeError):
        return None
    return None if part is None or dict(_errors(part)) else part


def _errors_of(error: msgspec.ValidationError, data: bytes | Raw) -> dict[str, list[str]]:
    """Returns the error by its field, with all fields that are missing beside it. Raises BadRequest for what is no
    JSON: the error may have come before that was seen."""
    try:
        value = orjson.loads(bytes(data))
    except orjson.JSONDecodeError as invalid:
        raise _no_json(str(invalid)) from None
    errors = errors_of(error)
    required = ("writer", "batch") if isinstance(data, bytes) else ("task_id",)
    if isinstance(value, dict) and errors.keys() <= set(required):
        errors |= {name: [MISSING] for name in required if name not in value}
    return errors


def _name_of(raw: Raw) -> str | None:
    try:
        name = _NAMED.decode(raw).task_id
    except msgspec.ValidationError:
        return None
    return name[:200] if isinstance(name, str) else None


def _errors(part: Part) -> Iterator[tuple[str, list[str]]]:
    """Yields what types do not say. Raises BadRequest for JSON that is nested too deep."""
    if part.lease_seconds is not None and 0 < part.lease_seconds < LEAST_LEASE:
        yield "lease_seconds", [f"0 for none, or {LEAST_LEASE} to {LONGEST_LEASE:,}."]
    if not isinstance(_checked_json(part.params), Mapping | None):
        yield "params", ["Not an object."]
    if part.created_at and _is_out_of_years(part.created_at):
        yield "created_at", ["Not a valid time."]
    last = len(part.events) - 1
    for n, event in enumerate(with_pauses(part.events, EVENTS_IN_A_TURN)):
        if event.timestamp and _is_out_of_years(event.timestamp):
            yield f"events.{n}.timestamp", ["Not a valid time."]
        if isinstance(event, Status):
            yield from _status_errors(event, n, last)


def _status_errors(event: Status, n: int, last: int) -> Iterator[tuple[str, list[str]]]:
    if event.status == PENDING and n:
        yield f"events.{n}.status", ["PENDING comes first."]
    if event.status in (*TERMINAL, RETRY) and n < last:
        yield f"events.{n}.status", ["No event may follow the end."]
    _checked_json(event.result)


def _checked_json(raw: Raw) -> Any:
    value = orjson.loads(bytes(raw))
    try:
        refuse_deep(value, MAX_DEPTH - ENVELOPE_LEVELS)
    except ValueError as error:
        raise _no_json(str(error)) from None
    return value


def _is_out_of_years(moment: datetime) -> bool:
    if 1 < moment.year < 9999:
        return False
    try:
        time_text(moment)
    except OverflowError:
        return True
    return False


def _no_json(why: str) -> BadRequest:
    return BadRequest("The body is not JSON", errors={"body": [f"Not valid JSON: {why}."]})


def schemas() -> dict[str, Any]:
    """Returns the JSON Schemas of a batch for the OpenAPI document, by name."""
    types = (Envelope, Part, *get_args(ReportedEvent))
    _, found = msgspec.json.schema_components(types, ref_template="#/components/schemas/Reported{name}")
    tasks = found["Envelope"]["properties"]["tasks"]
    tasks["items"] = {"$ref": "#/components/schemas/ReportedPart"}
    return {f"Reported{name}": _documented(schema) for name, schema in found.items()}


def _documented(schema: Any) -> Any:
    """Returns the schema without what OpenAPI needs only to generate code."""
    if isinstance(schema, dict):
        return {name: _documented(value) for name, value in schema.items() if name != "discriminator"}
    return [_documented(each) for each in schema] if isinstance(schema, list) else schema
