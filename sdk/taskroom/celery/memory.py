"""The messages of the tasks that this process has sent or received last, from which they can be started again."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kombu import serialization

MOST_MESSAGES = 1_000
MOST_BYTES = 16_000_000  # of all bodies
LARGEST = 1_000_000  # of one
SHORT = 1_000  # characters of Celery's text of arguments, which it cuts at 1,024


@dataclass(frozen=True)
class SentMessage:
    """``headers`` are those of Celery's protocol 2, ``body`` is encoded: the task's code may change what it was given.
    ``at`` is in seconds since 1970."""

    headers: Mapping[str, Any]
    body: bytes
    content_type: str
    content_encoding: str
    delivery_info: Mapping[str, Any]
    at: float = field(default_factory=time.time)

    def content(self, accepted: Any) -> tuple[Any, Any, Mapping[str, Any]]:
        """The arguments, and what Celery has put beside them. Raises kombu's exceptions for what is not accepted."""
        accept = serialization.prepare_accept_content(accepted)  # type: ignore[no-untyped-call]
        known = self.content_type, self.content_encoding
        args, kwargs, embed = serialization.loads(self.body, *known, accept=accept)  # type: ignore[no-untyped-call]
        return args, kwargs, embed or {}


class Memory:
    """Needs no lock: each method is for whatever thread sends or receives, and a lost race forgets one more."""

    def __init__(self) -> None:
        self._messages: OrderedDict[str, SentMessage] = OrderedDict()
        self._bytes = 0

    def find(self, celery_id: str) -> SentMessage | None:
        return self._messages.get(celery_id)

    def received(self, request: Any) -> None:
        """Keeps the message of a task that this worker has received."""
        message, headers = request.message, request.message.headers
        if not headers or "id" not in headers:  # protocol 1
            return
        body = message.body
        body = body.encode() if isinstance(body, str) else bytes(body)
        delivery = {**(message.delivery_info or {}), "priority": (message.properties or {}).get("priority")}
        known = {name: delivery.get(name) for name in ("exchange", "routing_key", "priority")}
        kind, encoding = message.content_type, message.content_encoding
        self._put(request.id, SentMessage(dict(headers), body, kind, encoding, known))

    def sent(self, headers: Mapping[str, Any], body: Any, exchange: Any, routing_key: Any) -> None:
        """Keeps a message that this process has sent, if it is small and JSON can hold it."""
        if not can_repeat(headers):
            return
        try:
            kind, encoding, data = serialization.dumps(body, "json")  # type: ignore[no-untyped-call]
        except Exception:  # another serializer may have had no trouble with it
            return
        delivery = {"exchange": exchange, "routing_key": routing_key}
        data = data.encode() if isinstance(data, str) else data
        self._put(str(headers["id"]), SentMessage(dict(headers), data, kind, encoding, delivery))

    def _put(self, celery_id: str, message: SentMessage) -> None:
        if len(message.body) > LARGEST:
            return
        before = self._messages.pop(celery_id, None)
        self._messages[celery_id] = message
        self._bytes += len(message.body) - (len(before.body) if before else 0)
        while self._messages and (len(self._messages) > MOST_MESSAGES or self._bytes > MOST_BYTES):
            _, oldest = self._messages.popitem(last=False)
            self._bytes -= len(oldest.body)


def can_repeat(about: Mapping[str, Any]) -> bool:
    """Whether a task is certain to be remembered by the worker that receives it: by the headers of its message, or the
    attributes of its request. Its arguments are small where Celery's text of them is complete. Protocol 1 knows no
    language of the sender, and an eager task no message."""
    if not about.get("lang"):
        return False
    texts = about.get("argsrepr"), about.get("kwargsrepr")
    return all(isinstance(text, str) and len(text) < SHORT for text in texts)
