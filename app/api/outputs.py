"""The outputs of a task: files that its job has saved."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, BinaryIO
from urllib.parse import quote
from uuid import UUID

import marshmallow as ma
from flask import Response, request

from app.auth import permissions
from app.auth.principal import Principal
from app.errors import NotFound
from app.green import offload
from app.http.base import Blueprint, reading_shared
from app.http.concurrency import Downloads
from app.http.problems import problem_response
from app.http.rate_limits import address
from app.services import services
from app.storage.made import storage_of
from app.tasks.outputs import OutputFile, find_output, key_of, list_outputs

blp = Blueprint("outputs", __name__, description="Outputs")

PIECE_BYTES = 128 * 1024  # read at a time, in a thread: a disk may let it wait


class OutputSchema(ma.Schema):
    name = ma.fields.String()
    size = ma.fields.Integer(metadata={"description": "Bytes"})
    content_type = ma.fields.String()
    attempt = ma.fields.Integer(metadata={"description": "The attempt that saved it"})
    created_at = ma.fields.String()


class Outputs(ma.Schema):
    outputs = ma.fields.List(ma.fields.Nested(OutputSchema))


@blp.get("/tasks/<uuid:task_id>/outputs")
@reading_shared
@blp.response(200, Outputs)
def outputs(principal: Principal, task_id: UUID) -> dict[str, Any]:
    """Returns the files that the task's job has saved, by name; 100 at most. The event `output` tells of each."""
    name = permissions.readable_task(principal, str(task_id))
    with services().read() as conn, conn.cursor() as cur:
        return {"outputs": list_outputs(cur, name)}


@blp.get("/tasks/<uuid:task_id>/outputs/<name>")
@reading_shared
@blp.response(200)
def download(principal: Principal, task_id: UUID, name: str) -> Response:
    """Streams an output, always as an attachment. One `Range` of bytes is honoured, and `If-Range` with the ETag. Too
    many downloads at a time are 429; 404 also when its file is not on this machine."""
    task = permissions.readable_task(principal, str(task_id))
    with services().read() as conn, conn.cursor() as cur:
        found = None if "\0" in name else find_output(cur, task, name)
    if found is None:
        raise NotFound("There is no such output")
    file = _opened(task, found)
    try:
        end = services()[Downloads].begin(principal.user_id, address(), principal.shared_by)
        response = _response(file, found)
    except BaseException:
        file.close()
        raise
    response.call_on_close(end)
    response.call_on_close(file.close)
    return response


def _opened(task_id: str, found: OutputFile) -> BinaryIO:
    storage = storage_of(services().config)
    try:
        if storage is not None:
            return offload(storage.open, key_of(task_id, found.attempt, found.name))
    except FileNotFoundError:
        pass
    raise NotFound("The file of this output is not there any more, or not on this machine")


def _response(file: BinaryIO, found: OutputFile) -> Response:
    stat = os.fstat(file.fileno())
    # Of the file, not of the row: an output that is saved again is replaced before its row is.
    size, etag = stat.st_size, f"{stat.st_mtime_ns:x}-{stat.st_size:x}"
    asked = request.range if request.if_range.etag in (None, etag) and not request.if_range.date else None
    single = asked is not None and asked.units == "bytes" and len(asked.ranges) == 1
    part = asked.range_for_length(size) if single and asked else None
    if single and part is None:
        whole = {"Content-Range": f"bytes */{size}"}
        return problem_response(416, "Range Not Satisfiable", f"The output has {size:,} bytes", headers=whole)
    start, stop = part or (0, size)
    response = Response(_pieces(file, start, stop - start), 206 if part else 200)
    response.headers["Content-Type"] = found.content_type
    response.headers["Content-Length"] = str(stop - start)
    response.headers["Content-Disposition"] = disposition(found.name)
    response.headers["Accept-Ranges"] = "bytes"
    if part:
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    response.set_etag(etag)
    return response


def disposition(name: str) -> str:
    """Returns the header that saves the response under the name, whatever characters it has (RFC 6266)."""
    plain = "".join(char if char.isascii() and char not in '"\\%' else "_" for char in name)
    encoded = f"; filename*=UTF-8''{quote(name, safe='')}" if plain != name else ""
    return f'attachment; filename="{plain}"{encoded}'


def _pieces(file: BinaryIO, start: int, length: int) -> Iterator[bytes]:
    """Yields so many bytes. The file is never shorter: it is replaced as a whole."""
    file.seek(start)
    while length > 0 and (piece := offload(file.read, min(PIECE_BYTES, length))):
        length -= len(piece)
        yield piece
