"""The bus by type of event, whoever's it is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

from app.bus import publishing
from app.bus.all_users import AllUsersSubscription
from app.bus.publishing import stream_of
from app.bus.registry import Registry
from app.bus.source import source
from app.bus.stream_subscription import StreamSubscription
from app.bus.subscriber import Handler, Subscriber, finish
from app.stream.event import BROADCAST, EVENT_TYPE, Event


class EventBus:
    """Events of all users, and of ``broadcast``. For any threads."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """With nobody subscribed."""
        self._changing = threading.Lock()
        self._registry = Registry()
        self._subscribers: dict[Handler, Subscriber] = {}
        self._all_users: AllUsersSubscription | None = None
        self._broadcast: StreamSubscription | None = None

    def subscribe(self, event_type: str, handler: Handler) -> None:
        """From here on ``handler(event_data)`` is called, or awaited, for each event of that type: its payload, with
        stream, sequence and timestamp. Twice is once. ValueError for what is no type of event; DatabaseUnavailable."""
        if not EVENT_TYPE.match(event_type):
            raise ValueError(f"event_type: {event_type!r} is none")
        with self._changing:
            self._listen()
            told = self._subscribers.get(handler)
            if told is None:
                told = self._subscribers[handler] = Subscriber(handler, Event.decoded, source().store)
            told.types.add(event_type)
            self._registry.add(event_type, told.take)

    def unsubscribe(self, event_type: str, handler: Handler) -> None:
        """Nothing, where it did not subscribe."""
        with self._changing:
            told = self._subscribers.get(handler)
            if told is None or event_type not in told.types:
                return
            self._registry.remove(event_type, told.take)
            if told.types == {event_type}:
                told.close()
                del self._subscribers[handler]
            told.types.discard(event_type)
            if not self._subscribers:
                self._rest()

    async def publish(
        self, event_type: str, event_data: Mapping[str, Any], event_id: str | None = None
    ) -> dict[str, Any] | None:
        """Appends to the stream of ``event_data["user_id"]``. Returns and raises as EventService.publish does."""
        if "user_id" not in event_data:
            raise ValueError("user_id: the data names none")
        stream = stream_of(event_data["user_id"])
        # In a thread: an event loop has others to serve while Postgres commits.
        return await asyncio.to_thread(publishing.publish, stream, event_type, event_data, event_id)

    def finish(self, limit: float) -> None:
        """Handlers are told what was said so far, or until that monotonic time."""
        if self._all_users is not None and self._broadcast is not None:
            self._all_users.look()
            self._broadcast.finish(limit)
            finish(self._subscribers.values(), limit)

    def _listen(self) -> None:
        if self._all_users is None:
            all_users = AllUsersSubscription(source(), self._registry, self._missed)
            broadcast = StreamSubscription(
                source(), BROADCAST, lambda event: self._registry.send(event.type, event)
            )
            try:
                all_users.start()
            except BaseException:
                broadcast.close()
                raise
            self._all_users, self._broadcast = all_users, broadcast

    def _rest(self) -> None:
        if self._all_users is not None and self._broadcast is not None:
            self._all_users.stop()
            self._broadcast.close()
            self._all_users = self._broadcast = None

    def _missed(self, stream: str, cursor: int, upto: int) -> None:
        for told in list(self._subscribers.values()):
            told.missed(stream, cursor, upto)
