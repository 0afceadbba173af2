"""Bounds the headers of requests before anything parses them. The server bounds each line and all of them together, but
joins the lines of one header, and parsing a list of thousands of items would stop the event loop."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from app.http.requests import Wsgi

HEADER_BYTES = 8 * 1024  # of all lines of one header
LIST_BYTES = 1_024
# What is parsed as a list, and what a server may ignore.
LISTS = (
    *("HTTP_ACCEPT", "HTTP_ACCEPT_CHARSET", "HTTP_ACCEPT_ENCODING", "HTTP_ACCEPT_LANGUAGE", "CONTENT_TYPE"),
    *("HTTP_CACHE_CONTROL", "HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_IF_RANGE", "HTTP_RANGE"),
)
STATUS = 431, "Request Header Fields Too Large"


def with_bounded_headers(serve: Wsgi) -> Wsgi:
    """Refuses requests with a header that is too long, and takes away a list that is."""

    def wrapped(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        for name in LISTS:
            if len(environ.get(name, "")) > LIST_BYTES:
                del environ[name]
        long = [
            name for name, value in environ.items() if name.startswith("HTTP_") and len(value) > HEADER_BYTES
        ]
        return _refusal(long[0], start_response) if long else serve(environ, start_response)

    return wrapped


def _refusal(name: str, start_response: Any) -> Iterable[bytes]:
    status, title = STATUS
    shown = name.removeprefix("HTTP_").replace("_", "-").title()[:64]
    detail = f"{shown} has more than {HEADER_BYTES:,} bytes"
    body = orjson.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail})
    headers = [("Content-Type", "application/problem+json"), ("Content-Length", str(len(body)))]
    start_response(f"{status} {title}", headers)
    return [body]
