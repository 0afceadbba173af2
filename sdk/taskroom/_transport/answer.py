"""What the server answers to a batch."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

LARGEST = 8_000_000  # bytes
LONGEST_RETRY_AFTER = 300.0


class BadAnswer(Exception):
    """What came back is no answer of a Taskroom."""


@dataclass(frozen=True)
class Answer:
    """``data`` is the JSON object of the body, or empty. ``retry_after`` is in seconds."""

    status: int
    data: dict[str, Any]
    retry_after: float | None = None
    location: str | None = None


def read_answer(response: http.client.HTTPResponse) -> Answer:
    """Reads the answer to its end. Raises BadAnswer, OSError and http.client.HTTPException."""
    return Answer(
        response.status,
        _object(_content(response)),
        _seconds(response.getheader("Retry-After")),
        response.getheader("Location"),
    )


def _content(response: http.client.HTTPResponse) -> bytes:
    content = bytearray()
    while piece := response.read(65_536):
        content += piece
        if len(content) > LARGEST:
            raise BadAnswer(f"the answer has more than {LARGEST:,} bytes")
    if response.length:
        raise BadAnswer("the answer was cut")
    return bytes(content)


def _object(content: bytes) -> dict[str, Any]:
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _seconds(header: str | None) -> float | None:
    """The seconds of a Retry-After, which may be a number or a date."""
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - time.time()
        except (TypeError, ValueError, OverflowError):
            return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER) if seconds == seconds else None
