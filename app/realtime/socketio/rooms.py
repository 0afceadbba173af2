"""The rooms that a socket joins, at a sequence. Its viewers are in the hub's rooms, not in the library's: what another
emitter sends to ``task:<id>`` has no sequence and reaches no client."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import marshmallow as ma

from app import green
from app.auth import permissions
from app.auth.principal import Principal
from app.auth.revocations import Revocations
from app.errors import Conflict, NotFound, TooMany, Unauthorized
from app.http.base import ListField, SequenceField
from app.inbox.notification import NOTIFICATION_EVENTS
from app.realtime.connection_limits import ConnectionLimits
from app.realtime.socketio.wire import SocketWire
from app.services import Services
from app.stream.codec import Filter
from app.stream.event import BROADCAST, EVENT_TYPE, task_stream, user_stream
from app.stream.hub import Hub
from app.stream.initial_state import InitialState
from app.stream.store import NoSuchStream
from app.stream.viewer import Viewer

MAX_JOINED = 64
MAX_TYPES = 32


class Types(ListField):
    """The wanted event types; without the field all are."""

    def __init__(self) -> None:
        name = ma.fields.String(validate=ma.validate.Regexp(EVENT_TYPE))
        super().__init__(name, 1, MAX_TYPES, allow_none=True)


class LeaveTask(ma.Schema):
    task_id = ma.fields.UUID(required=True)


class JoinNotifications(ma.Schema):
    since_sequence = SequenceField(strict=True, allow_none=True)


class JoinEvents(JoinNotifications):
    types = Types()


class JoinTask(JoinEvents, LeaveTask):
    """Of one task."""


@dataclass(slots=True, eq=False)
class SocketClient:
    """One socket. ``lock`` orders its joins and leaves, which the library runs concurrently."""

    sid: str
    wire: SocketWire
    principal: Principal
    viewers: dict[str, Viewer]
    open: bool = True
    asking: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def close(self) -> None:
        self.open = False
        for viewer in list(self.viewers.values()):  # each removes itself
            viewer.close()
        self.wire.close()


Handler = Callable[[SocketClient, dict[str, Any]], dict[str, Any]]


def _types(data: dict[str, Any]) -> frozenset[str] | None:
    types = data.get("types")
    return frozenset(types) if types else None


def forget_viewer(viewers: dict[str, Viewer], viewer: Viewer) -> None:
    """Removes a viewer that has ended, so that the socket may join the stream again."""
    if viewers.get(viewer.room.stream) is viewer:
        del viewers[viewer.room.stream]


class Rooms:
    """The events by which sockets join and leave rooms; each answer is an acknowledgement."""

    def __init__(self, parts: Services) -> None:
        self._parts = parts
        self.joined = 0  # since the start

    def events(self) -> Iterator[tuple[str, ma.Schema, Handler]]:
        yield "join_task", JoinTask(), self.join_task
        yield "leave_task", LeaveTask(), self.leave_task
        yield "join_events", JoinEvents(), self.join_events
        yield "join_notifications", JoinNotifications(), self.join_notifications
        yield "join_broadcast", JoinNotifications(), self.join_broadcast
        yield "leave_events", ma.Schema(), self.leave_events
        yield "leave_broadcast", ma.Schema(), self.leave_broadcast

    def join_task(self, client: SocketClient, data: dict[str, Any]) -> dict[str, Any]:
        with self._joining(client):
            task_id = permissions.readable_task(client.principal, str(data["task_id"]))
            stream, cursor, types = task_stream(task_id), data.get("since_sequence"), _types(data)
            wanted, initial = Filter(types), None
            joined = self._widened(client, stream, cursor, types)
            if joined is None:
                try:
                    if cursor is None:  # the present state, then live
                        cursor = self._parts[Hub].states.read_shared(stream)
                        initial = InitialState(cursor, wanted)
                    joined = self._join(client, stream, cursor, wanted, initial)
                except NoSuchStream:
                    raise NotFound("There is no such task") from None
        return {"ok": True, "task_id": task_id, "sequence": joined.room.head}

    def leave_task(self, client: SocketClient, data: dict[str, Any]) -> dict[str, Any]:
        self._leave(client, task_stream(str(data["task_id"])))
        return {"ok": True, "task_id": str(data["task_id"])}

    def join_events(self, client: SocketClient, data: dict[str, Any]) -> dict[str, Any]:
        return self._join_own(client, data.get("since_sequence"), _types(data))

    def join_notifications(self, client: SocketClient, data: dict[str, Any]) -> dict[str, Any]:
        return self._join_own(client, data.get("since_sequence"), NOTIFICATION_EVENTS)

    def join_broadcast(self, client: SocketClient, data: dict[str, Any]) -> dict[str, Any]:
        with self._joining(client):
            stream = permissions.broadcast_stream(client.principal)
            joined = client.viewers.get(stream)
            if joined is None:
                joined = self._join(client, stream, data.get("since_sequence"), Filter())
        return {"ok": True, "stream": BROADCAST, "sequence": joined.room.head}

    def leave_events(self, client: SocketClient, data: dict[str, Any]) -> dict[str, Any]:
        self._leave(client, user_stream(client.principal.user_id))
        return {"ok": True}

    def leave_broadcast(self, client: SocketClient, data: dict[str, Any]) -> dict[str, Any]:
        self._leave(client, BROADCAST)
        return {"ok": True}

    @contextmanager
    def _joining(self, client: SocketClient) -> Iterator[None]:
        """First waits for the other joins of the same socket: meanwhile it keeps no other socket from joining."""
        with client.lock, self._parts[ConnectionLimits].queue:
            yield

    def _join_own(
        self, client: SocketClient, cursor: int | None, types: frozenset[str] | None
    ) -> dict[str, Any]:
        with self._joining(client):
            stream = permissions.own_stream(client.principal)
            joined = self._widened(client, stream, cursor, types)
            if joined is None:
                joined = self._join(client, stream, cursor, Filter(types))
        return {"ok": True, "stream": stream, "sequence": joined.room.head}

    def _widened(
        self, client: SocketClient, stream: str, cursor: int | None, types: frozenset[str] | None
    ) -> Viewer | None:
        """Adds the types of a second join, from the socket's cursor on; None when the socket has not joined. Two
        viewers would each be in order, but not both together."""
        joined = client.viewers.get(stream)
        if joined is None:
            return None
        held = joined.filter.types
        wider = None if held is None or types is None else held | types
        if wider == held:
            return joined
        if cursor is not None and cursor < joined.cursor:
            raise Conflict(f"This socket stands at {joined.cursor} already; leave the room, then join")
        joined.close()
        return self._join(client, stream, joined.cursor, Filter(wider), joined.initial)

    def _join(
        self,
        client: SocketClient,
        stream: str,
        cursor: int | None,
        filter: Filter,
        initial: InitialState | None = None,
    ) -> Viewer:
        """Raises NoSuchStream."""
        if len(client.viewers) >= MAX_JOINED:
            raise TooMany(f"A socket joins {MAX_JOINED} rooms at most")
        viewer = self._parts[Hub].watch(stream, cursor, filter, client.principal.session_id)
        if not client.open:  # it disconnected, or was signed out, while Postgres was asked
            viewer.close()
            if client.principal.session_id in self._parts[Revocations]:
                raise Unauthorized("The session has ended; sign in again")
            raise Conflict("The socket has gone")
        viewer.initial = initial  # also of a viewer that joins again before all of it was sent
        client.viewers[stream] = viewer
        self.joined += 1
        # The acknowledgement is queued first: a client must not get an event of a join that it does not know of.
        green.after_this(partial(self._attach, viewer, client.wire))
        return viewer

    def _attach(self, viewer: Viewer, wire: SocketWire) -> None:
        wire.try_upgrade()
        self._parts[Hub].attach(viewer, wire)

    def _leave(self, client: SocketClient, stream: str) -> None:
        with client.lock:
            viewer = client.viewers.pop(stream, None)
        if viewer:
            viewer.close()
