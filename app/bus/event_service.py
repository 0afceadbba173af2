"""The event service: callbacks by user."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, ClassVar

from app.bus import publishing
from app.bus.publishing import stream_of
from app.bus.receivers import Receivers
from app.bus.source import source
from app.bus.stream_subscription import StreamSubscription
from app.bus.subscriber import Handler, Subscriber, finish
from app.stream.event import BROADCAST, Event


class EventService:
    """Calls callbacks for the events of single users. ``EventService()`` is the one instance of a process.
    Thread-safe."""

    _instance: ClassVar[EventService | None] = None

    def __new__(cls) -> EventService:
        if cls._instance is None:  # at the import of this package, so only one thread does it
            cls._instance = super().__new__(cls)
            cls._instance.reset()
        return cls._instance

    def reset(self) -> None:
        self._lock = threading.Lock()
        self._receivers = Receivers()
        self._subscribers: dict[str, dict[Handler, Subscriber]] = {}
        self._subscriptions: dict[str, StreamSubscription] = {}

    def subscribe(self, user_id: str, callback: Handler) -> None:
        """Calls or awaits ``callback(event)`` for each event of the user's stream and of ``broadcast`` from now on.
        ``event`` is {id: the sequence, type, data: the payload, timestamp}. A second subscription changes nothing,
        but begins again after a fault ended the first. Raises LookupError when there is no such user; ValueError for
        an invalid id; DatabaseUnavailable."""
        stream = stream_of(user_id)
        with self._lock:
            subscribers = self._subscribers.get(stream, {})
            try:
                for name in (stream, BROADCAST):
                    if name not in self._subscriptions or self._subscriptions[name].ended:
                        self._subscriptions[name] = StreamSubscription(
                            source(), name, lambda event: self._receivers.send(event.stream, event)
                        )
                if callback in subscribers:
                    return
                new = Subscriber(callback, _shown, source().store)
                self._subscribers[stream] = subscribers | {callback: new}
                for name in (stream, BROADCAST):
                    self._receivers.add(name, new.take)
            finally:
                self._close_unused()

    def unsubscribe(self, user_id: str, callback: Handler) -> None:
        """Removes the callback; does nothing when it is not subscribed."""
        stream = stream_of(user_id)
        with self._lock:
            subscriber = self._subscribers.get(stream, {}).pop(callback, None)
            if subscriber is None:
                return
            for name in (stream, BROADCAST):
                self._receivers.remove(name, subscriber.take)
            subscriber.close()
            if not self._subscribers[stream]:
                del self._subscribers[stream]
            self._close_unused()

    def get_subscriber_count(self, user_id: str) -> int:
        """Returns the number of callbacks for the user in this process."""
        return len(self._subscribers.get(stream_of(user_id), {}))

    def publish(
        self, user_id: str, event_type: str, data: Mapping[str, Any], event_id: str | None = None
    ) -> dict[str, Any] | None:
        """Appends an event to the user's stream. Returns its payload, with sequence and timestamp; None when the
        stream got an event with that ``event_id`` within a week.

        Raises LookupError when there is no such user; ValueError, with the name of the argument, for an invalid type,
        id or data; TypeError for values that JSON cannot hold; DatabaseUnavailable.
        """
        return publishing.publish(stream_of(user_id), event_type, data, event_id)

    def publish_broadcast(
        self, event_type: str, data: Mapping[str, Any], event_id: str | None = None
    ) -> dict[str, Any] | None:
        """Like publish, on ``broadcast``, which all users receive."""
        return publishing.publish(BROADCAST, event_type, data, event_id)

    def finish(self, limit: float) -> None:
        """Waits until callbacks have received all events so far, or until the monotonic time ``limit``."""
        for subscription in list(self._subscriptions.values()):
            subscription.finish(limit)
        finish(
            [subscriber for by_user in list(self._subscribers.values()) for subscriber in by_user.values()],
            limit,
        )

    def _close_unused(self) -> None:
        for stream in [name for name in self._subscriptions if name not in self._receivers]:
            self._subscriptions.pop(stream).close()


def _shown(event: Event) -> dict[str, Any]:
    data = event.decoded()
    return {"id": event.sequence, "type": event.type, "data": data, "timestamp": data.get("timestamp")}
