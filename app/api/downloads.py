"""Downloads of many lines: streamed as they are read, with gzip when accepted, so many at a time."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

import orjson
from flask import Response, request

from app.auth.principal import Principal
from app.http.concurrency import Downloads
from app.http.rate_limits import address
from app.services import services

GZIP_BLOCK = 64_000
NDJSON = "application/x-ndjson"


def ndjson(rows: Iterable[object]) -> Iterator[bytes]:
    """Yields a line of JSON for each row."""
    return (orjson.dumps(row) + b"\n" for row in rows)


def download_response(principal: Principal, lines: Iterable[bytes], content_type: str, name: str) -> Response:
    """Returns the response that streams the lines as a file of that name. Raises TooMany for too many downloads at a
    time."""
    response = Response(_blocks(lines))
    response.headers["Content-Type"] = content_type
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Vary"] = "Accept-Encoding"
    if request.accept_encodings.quality("gzip") > 0:
        response.response = _gzipped(_blocks(lines))
        response.headers["Content-Encoding"] = "gzip"
    begin = services()[Downloads].begin
    response.call_on_close(begin(principal.user_id, address(), principal.shared_by))
    return response


def _blocks(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Joins lines into blocks: a response of one small chunk per line would be slow."""
    block: list[bytes] = []
    size = 0
    for line in lines:
        block.append(line)
        size += len(line)
        if size >= GZIP_BLOCK:
            yield b"".join(block)
            block, size = [], 0
    if block:
        yield b"".join(block)


def _gzipped(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Compresses into one gzip member, flushed at each block: some clients read only the first member."""
    compressor = zlib.compressobj(5, wbits=31)  # 31: with the header and trailer of gzip
    for block in blocks:
        yield compressor.compress(block) + compressor.flush(zlib.Z_SYNC_FLUSH)
    yield compressor.flush()
