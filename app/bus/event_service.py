"""The bus by user."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, ClassVar

from app.bus import publishing
from app.bus.publishing import stream_of
from app.bus.registry import Registry
from app.bus.source import source
from app.bus.stream_subscription import StreamSubscription
from app.bus.subscriber import Handler, Subscriber, finish
from app.stream.event import BROADCAST, Event


class EventService:
    """There is one in a process: ``EventService()`` gives it. For any threads."""

    _one: ClassVar[EventService | None] = None

    def __new__(cls) -> EventService:
        if cls._one is None:  # as this package is imported, so no two threads make it
            cls._one = super().__new__(cls)
            cls._one.begin()
        return cls._one

    def begin(self) -> None:
        """With nobody subscribed."""
        self._changing = threading.Lock()
        self._registry = Registry()
        self._subscribers: dict[str, dict[Handler, Subscriber]] = {}
        self._subscriptions: dict[str, StreamSubscription] = {}

    def subscribe(self, user_id: str, callback: Handler) -> None:
        """From here on ``callback(event)`` is called, or awaited, for each event of the user's stream and of
        ``broadcast``: {id: its sequence, type, data: its payload, timestamp}. Twice is once. LookupError when there is
        no such user; ValueError for what is no id; DatabaseUnavailable."""
        stream = stream_of(user_id)
        with self._changing:
            told = self._subscribers.get(stream, {})
            if callback in told:
                return
            try:
                for name in (stream, BROADCAST):
                    if name not in self._subscriptions:
                        self._subscriptions[name] = StreamSubscription(source(), name, self._tell)
                new = Subscriber(callback, _shown, source().store)
                self._subscribers[stream] = told | {callback: new}
                for name in (stream, BROADCAST):
                    self._registry.add(name, new.take)
            finally:
                self._close_unheard()

    def unsubscribe(self, user_id: str, callback: Handler) -> None:
        """Nothing, where it did not subscribe."""
        stream = stream_of(user_id)
        with self._changing:
            told = self._subscribers.get(stream, {}).pop(callback, None)
            if told is None:
                return
            for name in (stream, BROADCAST):
                self._registry.remove(name, told.take)
            told.close()
            if not self._subscribers[stream]:
                del self._subscribers[stream]
            self._close_unheard()

    def get_subscriber_count(self, user_id: str) -> int:
        """Of this process."""
        return len(self._subscribers.get(stream_of(user_id), {}))

    def publish(
        self, user_id: str, event_type: str, data: Mapping[str, Any], event_id: str | None = None
    ) -> dict[str, Any] | None:
        """Appends to the user's stream. Returns the payload as everybody gets it, with sequence and timestamp; None
        when an event of that ``event_id`` was said there within a week.

        LookupError when there is no such user; ValueError, naming what is wrong, for a type, an id or data that cannot
        be; TypeError for what JSON cannot hold; DatabaseUnavailable.
        """
        return publishing.publish(stream_of(user_id), event_type, data, event_id)

    def publish_broadcast(
        self, event_type: str, data: Mapping[str, Any], event_id: str | None = None
    ) -> dict[str, Any] | None:
        """As publish, to everybody."""
        return publishing.publish(BROADCAST, event_type, data, event_id)

    def finish(self, limit: float) -> None:
        """Callbacks are told what was said so far, or until that monotonic time."""
        for subscription in list(self._subscriptions.values()):
            subscription.finish(limit)
        finish([told for by_user in list(self._subscribers.values()) for told in by_user.values()], limit)

    def _tell(self, event: Event) -> None:
        self._registry.send(event.stream, event)

    def _close_unheard(self) -> None:
        for stream in [name for name in self._subscriptions if name not in self._registry]:
            self._subscriptions.pop(stream).close()


def _shown(event: Event) -> dict[str, Any]:
    data = event.decoded()
    return {"id": event.sequence, "type": event.type, "data": data, "timestamp": data.get("timestamp")}
