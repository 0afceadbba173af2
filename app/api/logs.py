"""The log of a task: pages, search and download."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import Response

from app.api.downloads import NDJSON, download_response, ndjson
from app.auth import permissions
from app.auth.principal import Principal
from app.http.base import Blueprint, SequenceField, WholeField, reading_shared, require_head, with_next
from app.services import services
from app.stream.event import LEVELS, task_stream
from app.stream.resync import Resync
from app.tasks.log_conditions import LogFilter
from app.tasks.log_marks import LogMarks, log_marks
from app.tasks.logs import every_log, logs_after, logs_before

blp = Blueprint("logs", __name__, description="Logs")

# ASCII control characters become their symbols; other controls, line separators and direction marks become U+FFFD.
_SHOWN: dict[int, int | str] = {
    **{code: 0x2400 + code for code in range(0x20) if chr(code) != "\t"},
    **dict.fromkeys((*range(0x80, 0xA0), *range(0x2028, 0x202F), *range(0x2066, 0x206A)), "\ufffd"),
    0x7F: "\u2421",
}


class FilterQuery(ma.Schema):
    level = ma.fields.String(
        validate=ma.validate.OneOf(tuple(LEVELS)), metadata={"description": "The least severe level to show"}
    )
    phase = ma.fields.String(validate=ma.validate.Length(1, 128))
    q = ma.fields.String(validate=ma.validate.Length(1, 200), metadata={"description": "Text in the message"})
    errors = ma.fields.Boolean(
        load_default=False,
        metadata={
            "description": "Only lines of the level ERROR or worse, and those of items counted as failed"
        },
    )


class LogQuery(FilterQuery):
    final = ma.fields.Boolean(
        load_default=False,
        metadata={
            "description": "Without lines that another one replaced: states of progress bars, which end with \\r"
        },
    )
    since_sequence = SequenceField()
    before_sequence = SequenceField()
    limit = WholeField(load_default=100, validate=ma.validate.Range(1, 1000))

    @ma.validates_schema
    def one_direction(self, data: dict[str, Any], **_: Any) -> None:
        if "since_sequence" in data and "before_sequence" in data:
            raise ma.ValidationError("Send since_sequence or before_sequence, not both.", "before_sequence")


class LogLine(ma.Schema):
    sequence = ma.fields.Integer()
    line = ma.fields.Integer(
        metadata={"description": "Its number among the lines; not there of tasks that are older than it"}
    )
    timestamp = ma.fields.String()
    level = ma.fields.String()
    message = ma.fields.String()
    component = ma.fields.String(allow_none=True)
    phase = ma.fields.String(allow_none=True)
    item_error = ma.fields.Boolean(
        metadata={"description": "True: it is about an item that is counted as failed"}
    )


class LogPageSchema(ma.Schema):
    logs = ma.fields.List(ma.fields.Nested(LogLine))
    next_sequence = ma.fields.Integer(metadata={"description": "Later lines: send it as since_sequence"})
    before_sequence = ma.fields.Integer(metadata={"description": "Earlier lines: send it as before_sequence"})
    has_more = ma.fields.Boolean(metadata={"description": "Whether there is more in the direction asked for"})
    resync = ma.fields.Dict(metadata={"description": "Present when the cursor cannot be answered exactly"})


class MarksQuery(ma.Schema):
    of = ma.fields.String(load_default="errors", validate=ma.validate.OneOf(("errors", "warnings")))


class MarksSchema(ma.Schema):
    places = ma.fields.List(ma.fields.Integer(), metadata={"description": "Sequences of lines, in order"})
    stretch = ma.fields.Integer(
        metadata={
            "description": "1: these are all. Else they are the first in each stretch of so many sequences"
        }
    )
    head = ma.fields.Integer(metadata={"description": "The last sequence that was looked at"})


class DownloadQuery(FilterQuery):
    format = ma.fields.String(load_default="text", validate=ma.validate.OneOf(("text", "ndjson")))


@blp.get("/tasks/<uuid:task_id>/logs")
@reading_shared
@blp.arguments(LogQuery, location="query")
@blp.alt_response(200, schema=LogPageSchema)
def logs(principal: Principal, query: dict[str, Any], task_id: UUID) -> Any:
    """Returns lines, oldest first. Without since_sequence, returns the newest, and the next page has earlier lines.

    One call reads 50,000 events at most: a page of a rare search may be short, and its cursor continues the search.
    """
    name = permissions.readable_task(principal, str(task_id))
    forward = "since_sequence" in query
    wanted = _filter(query)
    body: dict[str, Any] = {}
    if forward:
        stream, cursor = task_stream(name), query["since_sequence"]
        head = require_head(stream)
        if resync := Resync.of(stream, cursor, head.pruned_to, head.last_seq):
            body["resync"], cursor = resync.message(), resync.cursor
    with services().read() as conn, conn.cursor() as cur:
        if forward:
            page = logs_after(cur, name, cursor, query["limit"], wanted)
        else:
            page = logs_before(cur, name, query.get("before_sequence"), query["limit"], wanted)
    body |= {
        "logs": page.logs,
        "next_sequence": page.after,
        "before_sequence": page.before,
        "has_more": page.has_more,
    }
    next_query = {"since_sequence": page.after} if forward else {"before_sequence": page.before}
    return with_next(body, next_query if page.has_more else None)


@blp.get("/tasks/<uuid:task_id>/logs/marks")
@reading_shared
@blp.arguments(MarksQuery, location="query")
@blp.response(200, MarksSchema)
def marks(principal: Principal, query: dict[str, Any], task_id: UUID) -> LogMarks:
    """Returns where the log has errors, those of items too, or lines of the level WARNING or worse.

    Of up to 5,000 all sequences are returned, of more the first in each of about 2,000 equal stretches of the log."""
    name = permissions.readable_task(principal, str(task_id))
    wanted = LogFilter(errors=True) if query["of"] == "errors" else LogFilter(level="WARNING")
    with services().read() as conn, conn.cursor() as cur:
        return log_marks(cur, name, wanted)


@blp.get("/tasks/<uuid:task_id>/logs/download")
@reading_shared
@blp.arguments(DownloadQuery, location="query")
@blp.response(200)
def download(principal: Principal, query: dict[str, Any], task_id: UUID) -> Response:
    """Streams all lines of the log that pass the filter, with gzip when accepted. Too many downloads at a time are
    429."""
    name = permissions.readable_task(principal, str(task_id))
    is_ndjson = query["format"] == "ndjson"
    lines = every_log(services().read, name, _filter(query))
    body = ndjson(lines) if is_ndjson else (_text(line) for line in _left(lines))
    content_type = NDJSON if is_ndjson else "text/plain; charset=utf-8"
    return download_response(principal, body, content_type, f"{name}.{'ndjson' if is_ndjson else 'log'}")


def _filter(query: dict[str, Any]) -> LogFilter:
    return LogFilter(
        query.get("level"), query.get("phase"), query.get("q"), query["errors"], query.get("final", False)
    )


def _left(lines: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yields the lines that a terminal has in the end: the next line of its source replaces one that ends with ``\\r``,
    as a progress bar does."""
    before: dict[str, Any] | None = None
    for line in lines:
        if before and not (before["message"].endswith("\r") and before["component"] == line["component"]):
            yield before
        before = line
    if before:
        yield before


def _text(line: dict[str, Any]) -> bytes:
    """Returns a line for a terminal: it must not move the cursor, set a title or change the direction of text. What
    goes back to the beginning of its line (``\\r``) is in its last state."""
    message = line["message"]
    if "\r" in message:
        message = "\n".join(map(_last_state, message.split("\n")))
    text = f"{line['timestamp']} {line['level']:<8} [{line['phase'] or '-'}] {message}"
    return text.translate(_SHOWN).encode() + b"\n"


def _last_state(line: str) -> str:
    return next((part for part in reversed(line.split("\r")) if part), "")
