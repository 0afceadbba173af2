"""The event bus: handlers by event type, for the events of all users."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

from app.bus import publishing
from app.bus.all_users import AllUsersSubscription
from app.bus.publishing import stream_of
from app.bus.receivers import Receivers
from app.bus.source import source
from app.bus.stream_subscription import StreamSubscription
from app.bus.subscriber import Handler, Subscriber, finish
from app.stream.event import BROADCAST, EVENT_TYPE, Event


class EventBus:
    """Calls handlers for events of all users and of ``broadcast``. Thread-safe."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._lock = threading.Lock()
        self._receivers = Receivers()
        self._subscribers: dict[Handler, Subscriber] = {}
        self._all_users: AllUsersSubscription | None = None
        self._broadcast: StreamSubscription | None = None

    def subscribe(self, event_type: str, handler: Handler) -> None:
        """Calls or awaits ``handler(event_data)`` for each event of that type from now on. ``event_data`` is the
        payload with stream, sequence and timestamp. A second subscription changes nothing, but begins again after a
        fault ended the first. Raises ValueError for an invalid type; DatabaseUnavailable."""
        if not EVENT_TYPE.match(event_type):
            raise ValueError(f"event_type: {event_type!r} is not valid")
        with self._lock:
            self._start()
            subscriber = self._subscribers.get(handler)
            if subscriber is None:
                subscriber = self._subscribers[handler] = Subscriber(handler, Event.decoded, source().store)
            subscriber.types.add(event_type)
            self._receivers.add(event_type, subscriber.take)

    def unsubscribe(self, event_type: str, handler: Handler) -> None:
        """Removes the handler; does nothing when it is not subscribed."""
        with self._lock:
            subscriber = self._subscribers.get(handler)
            if subscriber is None or event_type not in subscriber.types:
                return
            self._receivers.remove(event_type, subscriber.take)
            if subscriber.types == {event_type}:
                subscriber.close()
                del self._subscribers[handler]
            subscriber.types.discard(event_type)
            if not self._subscribers:
                self._stop()

    async def publish(
        self, event_type: str, event_data: Mapping[str, Any], event_id: str | None = None
    ) -> dict[str, Any] | None:
        """Appends to the stream of ``event_data["user_id"]``. Returns and raises as EventService.publish does."""
        if "user_id" not in event_data:
            raise ValueError("user_id: the data has none")
        stream = stream_of(event_data["user_id"])
        # In a thread: the commit must not block the event loop.
        return await asyncio.to_thread(publishing.publish, stream, event_type, event_data, event_id)

    def finish(self, limit: float) -> None:
        """Waits until handlers have received all events so far, or until the monotonic time ``limit``."""
        if self._all_users is not None and self._broadcast is not None:
            self._all_users.check()
            self._broadcast.finish(limit)
            finish(self._subscribers.values(), limit)

    def _start(self) -> None:
        if self._broadcast is not None and self._broadcast.ended:
            self._broadcast = self._subscribed_to_broadcast()
        if self._all_users is None:
            all_users = AllUsersSubscription(source(), self._receivers, self._missed)
            broadcast = self._subscribed_to_broadcast()
            try:
                all_users.start()
            except BaseException:
                broadcast.close()
                raise
            self._all_users, self._broadcast = all_users, broadcast

    def _subscribed_to_broadcast(self) -> StreamSubscription:
        return StreamSubscription(source(), BROADCAST, lambda event: self._receivers.send(event.type, event))

    def _stop(self) -> None:
        if self._all_users is not None and self._broadcast is not None:
            self._all_users.stop()
            self._broadcast.close()
            self._all_users = self._broadcast = None

    def _missed(self, stream: str, cursor: int, upto: int) -> None:
        for subscriber in list(self._subscribers.values()):
            subscriber.missed(stream, cursor, upto)
