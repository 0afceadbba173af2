"""The events of a run as they come, over SSE. A connection that is lost is made again, after the last event."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from taskroom.cli.api import Api, Refused, Unreachable
from taskroom.cli.faults import say

LONGEST_WAIT = 30.0
LONGEST_LINE = 4_000_000


class SseMessage(NamedTuple):
    """``data`` has the fields of an event of the run, or of a control message such as ``resync`` and ``end``."""

    type: str
    data: dict[str, Any]


class _Lost(Exception):
    """The connection has ended before the stream."""


def follow(
    api: Api, task_id: str, since: int, sleep: Callable[[float], None] = time.sleep, **filters: str | None
) -> Iterator[SseMessage]:
    """Yields what comes after the sequence ``since``, until the run's end. Raises Fault when the server refuses, and
    when the first connection cannot be made."""
    cursor, failures, said = since, 0, False
    while True:
        try:
            headers = {"Last-Event-ID": str(cursor)} if cursor else {}
            query = {"since_sequence": cursor, **filters}
            with api.stream(f"tasks/{task_id}/stream", query, headers) as response:
                if response.status == 204:  # everything was received, and nothing more comes
                    return
                for message, id in _messages(_lines(response)):
                    failures, said = 0, False
                    if id.isdigit():
                        cursor = int(id)
                    yield message
                    if message.type == "end":
                        return
            raise _Lost("the stream was closed")
        except Refused as refused:
            if not refused.is_temporary:
                raise
            why: Exception = refused
        except (Unreachable, _Lost) as lost:
            if cursor == since and not failures and isinstance(lost, Unreachable):
                raise
            why = lost
        failures += 1
        if failures > 1 and not said:
            said = True
            say(f"connecting again: {why}")
        sleep(min(0.5 * 2 ** min(failures - 1, 10), LONGEST_WAIT))


def _lines(response: Any) -> Iterator[str]:
    """The lines of the response. Raises _Lost."""
    try:
        while line := response.readline(LONGEST_LINE):
            yield line.decode("utf-8", "replace").rstrip("\r\n")
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _Lost(str(error) or type(error).__name__) from None


def _messages(lines: Iterable[str]) -> Iterator[tuple[SseMessage, str]]:
    """The messages and their ids, as the specification of EventSource reads them."""
    type, id, data = "", "", list[str]()
    for line in lines:
        name, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if name == "event":
            type = value
        elif name == "id":
            id = value
        elif name == "data":
            data.append(value)
        elif not line:
            if data:
                yield SseMessage(type or "message", _object("\n".join(data))), id
            type, id, data = "", "", []


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
