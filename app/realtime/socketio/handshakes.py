"""Checks which requests are Engine.IO's, and which of them may become a WebSocket.

A request that the library and eventlet would take for a WebSocket, and that is none, is refused before it reaches a
session: it would be answered with the session's packets, or in a protocol of 2010. A transport or method that Engine.IO
does not have is refused too: the library would take an unknown transport for polling.
"""

from __future__ import annotations

import base64
import binascii
import io
from typing import Any

from app.green import TAKE_OVER

Refusal = tuple[str, list[tuple[str, str]]]  # status, headers

BAD: Refusal = ("400 Bad Request", [])
OTHER_VERSION: Refusal = ("426 Upgrade Required", [("Sec-WebSocket-Version", "13"), ("Upgrade", "websocket")])
KEY_BYTES = 16
TRANSPORTS = ("polling", "websocket")
METHODS = ("GET", "POST", "OPTIONS")
# What is read of a handshake after it, when the socket signs in: by app/auth and by Flask.
KEPT_HEADERS = frozenset(
    f"HTTP_{name}" for name in ("AUTHORIZATION", "COOKIE", "HOST", "ORIGIN", "SEC_FETCH_SITE", "USER_AGENT")
)
OF_REQUEST = (
    "HTTP_",
    "eventlet.",
    "headers_raw",
    TAKE_OVER,
)  # of these only the kept headers outlive the request


def kept(environ: dict[str, Any]) -> dict[str, Any]:
    """Returns what is kept of a handshake as long as its session: neither all of its headers, which may have 64 KiB,
    nor its connection. Thousands of sessions may wait for their sign-in."""
    environ = {
        name: value
        for name, value in environ.items()
        if name in KEPT_HEADERS or not name.startswith(OF_REQUEST)
    }
    return environ | {"wsgi.input": io.BytesIO()}


def refusal(environ: dict[str, Any], transport: str) -> Refusal | None:
    """Returns the answer to what is no request of Engine.IO, or asks for a WebSocket and is no handshake by RFC 6455;
    None for a good request."""
    if transport not in TRANSPORTS or environ.get("REQUEST_METHOD") not in METHODS:
        return BAD
    if transport != "websocket" or environ.get("REQUEST_METHOD") != "GET":
        return None
    connection = [part.strip() for part in environ.get("HTTP_CONNECTION", "").lower().split(",")]
    if "upgrade" not in connection or environ.get("HTTP_UPGRADE", "").lower() != "websocket":
        return BAD
    version = environ.get("HTTP_SEC_WEBSOCKET_VERSION")
    if version is None or not _is_key(environ.get("HTTP_SEC_WEBSOCKET_KEY", "")):
        return BAD
    return None if version == "13" else OTHER_VERSION


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == KEY_BYTES
    except (binascii.Error, ValueError):
        return False
