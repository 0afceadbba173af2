"""A task's log: pages at any depth, search, and the whole of it."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

import marshmallow as ma
import orjson
from flask import Response, request

from app.auth import permissions
from app.auth.principal import Principal
from app.http.base import Blueprint, SequenceField, WholeField, head_of, signed_in, with_next
from app.http.concurrency import Downloads
from app.services import services
from app.stream.event import LEVELS, task_stream
from app.stream.resync import Resync
from app.tasks.logs import LogFilter, every_log, logs_after, logs_before

blp = Blueprint("logs", __name__, description="Logs")

GZIP_BLOCK = 64_000
# Control characters are shown as signs; those beyond ASCII, line separators and changes of direction as one.
_SHOWN: dict[int, int | str] = {
    **{code: 0x2400 + code for code in range(0x20) if chr(code) != "\t"},
    **dict.fromkeys((*range(0x80, 0xA0), *range(0x2028, 0x202F), *range(0x2066, 0x206A)), "\ufffd"),
    0x7F: "\u2421",
}


class FilterQuery(ma.Schema):
    level = ma.fields.String(
        validate=ma.validate.OneOf(tuple(LEVELS)), metadata={"description": "The least severe to show"}
    )
    phase = ma.fields.String(validate=ma.validate.Length(1, 128))
    q = ma.fields.String(validate=ma.validate.Length(1, 200), metadata={"description": "Text in the message"})


class LogQuery(FilterQuery):
    since_sequence = SequenceField()
    before_sequence = SequenceField()
    limit = WholeField(load_default=100, validate=ma.validate.Range(1, 1000))

    @ma.validates_schema
    def one_direction(self, data: dict[str, Any], **_: Any) -> None:
        if "since_sequence" in data and "before_sequence" in data:
            raise ma.ValidationError("Send since_sequence or before_sequence, not both.", "before_sequence")


class LogLine(ma.Schema):
    sequence = ma.fields.Integer()
    timestamp = ma.fields.String()
    level = ma.fields.String()
    message = ma.fields.String()
    component = ma.fields.String(allow_none=True)
    phase = ma.fields.String(allow_none=True)


class LogPageSchema(ma.Schema):
    logs = ma.fields.List(ma.fields.Nested(LogLine))
    next_sequence = ma.fields.Integer(metadata={"description": "Later lines: send it as since_sequence"})
    before_sequence = ma.fields.Integer(metadata={"description": "Earlier lines: send it as before_sequence"})
    has_more = ma.fields.Boolean(metadata={"description": "Whether there is more in the direction asked for"})
    resync = ma.fields.Dict(metadata={"description": "Present when the cursor cannot be answered exactly"})


class DownloadQuery(FilterQuery):
    format = ma.fields.String(load_default="text", validate=ma.validate.OneOf(("text", "ndjson")))


@blp.get("/tasks/<uuid:task_id>/logs")
@signed_in
@blp.arguments(LogQuery, location="query")
@blp.alt_response(200, schema=LogPageSchema)
def logs(principal: Principal, query: dict[str, Any], task_id: UUID) -> Any:
    """Lines oldest first. Without since_sequence: the newest, and reading goes backwards.

    One call looks at 50,000 events at most; a rare search may answer few lines, and where to go on.
    """
    name = permissions.readable_task(principal, str(task_id))
    forward = "since_sequence" in query
    wanted = _filter(query)
    body: dict[str, Any] = {}
    if forward:
        stream, cursor = task_stream(name), query["since_sequence"]
        head = head_of(stream)
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
    go_on = {"since_sequence": page.after} if forward else {"before_sequence": page.before}
    return with_next(body, go_on if page.has_more else None)


@blp.get("/tasks/<uuid:task_id>/logs/download")
@signed_in
@blp.arguments(DownloadQuery, location="query")
@blp.response(200)
def download(principal: Principal, query: dict[str, Any], task_id: UUID) -> Response:
    """The whole log, or all that passes a filter, streamed page by page, gzip when accepted. A user has so many at a
    time; more are 429."""
    name = permissions.readable_task(principal, str(task_id))
    ndjson = query["format"] == "ndjson"
    lines = every_log(services().read, name, _filter(query))
    body: Iterator[bytes] = (_ndjson(line) for line in lines) if ndjson else (_text(line) for line in lines)
    response = Response(_blocks(body))
    response.headers["Content-Type"] = "application/x-ndjson" if ndjson else "text/plain; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{"ndjson" if ndjson else "log"}"'
    response.headers["Vary"] = "Accept-Encoding"
    if request.accept_encodings.quality("gzip") > 0:
        response.response = _gzipped(_blocks(body))
        response.headers["Content-Encoding"] = "gzip"
    response.call_on_close(services()[Downloads].begin(principal.user_id))
    return response


def _filter(query: dict[str, Any]) -> LogFilter:
    return LogFilter(query.get("level"), query.get("phase"), query.get("q"))


def _ndjson(line: dict[str, Any]) -> bytes:
    return orjson.dumps(line) + b"\n"


def _text(line: dict[str, Any]) -> bytes:
    """One line for a terminal, where a log must not move the cursor, set a title or turn the text around."""
    text = f"{line['timestamp']} {line['level']:<8} [{line['phase'] or '-'}] {line['message']}"
    return text.translate(_SHOWN).encode() + b"\n"


def _blocks(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Joins lines, so that a response is not one small chunk a line."""
    held: list[bytes] = []
    size = 0
    for line in lines:
        held.append(line)
        size += len(line)
        if size >= GZIP_BLOCK:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def _gzipped(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """One member, flushed at each block: clients stop reading at the end of the first of several."""
    compressor = zlib.compressobj(5, wbits=31)  # 31: with the header and trailer of gzip
    for block in blocks:
        yield compressor.compress(block) + compressor.flush(zlib.Z_SYNC_FLUSH)
    yield compressor.flush()
