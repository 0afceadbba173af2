"""Bodies that may be compressed: inflated in pieces, so that other requests are served meanwhile, up to a limit."""

from __future__ import annotations

import time
import zlib

from flask import g, request
from werkzeug.exceptions import LengthRequired, RequestEntityTooLarge, UnsupportedMediaType

from app.errors import BadRequest

PIECE_BYTES = 64 * 1024  # inflated
READ_BYTES = 16 * 1024  # compressed: these may be thousands of blocks without a byte
PIECES_IN_A_TURN = 4


def json_bytes(limit: int) -> bytes:
    """Returns the request's JSON, which is not parsed; inflated, once, where it comes as gzip. Raises
    RequestEntityTooLarge when it has more bytes than ``limit``, BadRequest for invalid gzip, UnsupportedMediaType for
    any other encoding."""
    if "Transfer-Encoding" in request.headers:  # Flask reads such a body as empty
        raise LengthRequired("Send the body with a Content-Length, not in chunks")
    data = request.get_data()
    if not data:
        return b"{}"  # as elsewhere: each required field is missing
    if not request.is_json:
        raise UnsupportedMediaType("Send the body as application/json")
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    if encoding in ("gzip", "x-gzip"):
        if "inflated" not in g:
            g.inflated = inflated(data, limit)
        return bytes(g.inflated)
    if encoding not in ("", "identity"):
        raise UnsupportedMediaType("Send the body as it is, or as gzip")
    if len(data) > limit:
        raise RequestEntityTooLarge
    return data


def inflated(data: bytes, limit: int) -> bytes:
    """Returns what was compressed. Of a small body that would become a large one no more than ``limit`` is inflated."""
    stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
    pieces, size, read, rest = list[bytes](), 0, 0, b""
    try:
        while not stream.eof:
            piece = stream.decompress(rest or data[read : read + READ_BYTES], PIECE_BYTES)
            read += 0 if rest else READ_BYTES
            rest = stream.unconsumed_tail
            size += len(piece)
            if size > limit:
                raise RequestEntityTooLarge
            if not piece and not rest and read >= len(data):
                break
            pieces.append(piece)
            if len(pieces) % PIECES_IN_A_TURN == 0:
                time.sleep(0)
    except zlib.error as error:
        raise _invalid(str(error)) from None
    if not stream.eof or stream.unused_data or read < len(data):
        raise _invalid("it is incomplete" if not stream.eof else "more data follows its end")
    return b"".join(pieces)


def _invalid(why: str) -> BadRequest:
    return BadRequest("The body is not gzip", errors={"body": [f"Not valid gzip: {why}."]})
