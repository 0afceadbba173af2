"""All undocumented parts of engineio, socketio and eventlet's WebSocket that Taskroom uses.

Sessions have the flags ``upgraded``, ``upgrading``, ``connected``, ``closing`` and ``closed``, and are closed by
``close(wait, abort)``; the rest is here. Another version may be different inside: ``selfcheck.py`` tries it.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any

from bidict import ValueDuplicationError
from engineio.exceptions import SocketIsClosedError as SocketIsClosedError
from engineio.packet import CLOSE, NOOP, PING, Packet
from engineio.payload import Payload

ANSWER_PACKETS = 16  # the Python client refuses an answer of more
NOTHING: Any = object()
ConnectedTwice = ValueDuplicationError  # which Socket.IO's tables raise


# Polls and posts


def silence(session: Any) -> float:
    """Returns the seconds after which a client that was sent nothing, not even a ping, is gone."""
    return float(session.server.ping_interval + session.server.ping_timeout)


def next_packet(session: Any, seconds: float) -> Any:
    """Waits for the next packet to send; NOTHING when there is none in that time, None at the end of all."""
    try:
        packet = session.queue.get(timeout=seconds)
    except session.server.get_queue_empty_exception():
        return NOTHING
    session.queue.task_done()
    return packet


def and_the_rest(session: Any, first: Any, at_most: int) -> list[Any]:
    """Returns the packet and those that wait behind it; a NOOP at the end of all."""
    if first is None:
        return [noop()]
    found = [first]
    while len(found) < at_most and not session.queue.empty():
        packet = session.queue.get(block=False)
        session.queue.task_done()
        if packet is None:
            session.queue.put(None)  # for the next reader of the queue
            break
        found.append(packet)
    return found


def is_overdue(session: Any) -> bool:
    """Returns whether the answer to a ping is late."""
    return bool(session.last_ping and time.time() - session.last_ping > session.server.ping_timeout)


def say_goodbye(session: Any) -> None:
    """Closes the session with a packet that says so."""
    session.close(wait=False)


def end(session: Any) -> None:
    session.close(wait=False, abort=True, reason=session.server.reason.TRANSPORT_ERROR)


def has_gone(environ: dict[str, Any]) -> bool:
    """Returns whether the client has closed the connection since it sent this request."""
    source = environ.get("eventlet.input")
    if source is None:
        return False
    try:
        return not source.get_socket().fd.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except OSError as error:
        return not isinstance(error, BlockingIOError)


def packets(body: bytes, at_most: int) -> list[Any]:
    """Decodes the packets of a post. Raises ValueError, LookupError or RecursionError when it holds none."""
    if not body:
        raise ValueError("nothing")

    class Post(Payload):
        max_decode_packets = at_most

    return list(Post(encoded_payload=body.decode()).packets)


def noop() -> Any:
    return Packet(NOOP)


def is_goodbye(packet: Any) -> bool:
    return bool(packet.packet_type == CLOSE)


def upgrade(session: Any, environ: dict[str, Any], start_response: Any) -> Any:
    return session._upgrade_websocket(environ, start_response)


def put_in(session: Any, receive: Any, close: Any, get: Any, post: Any) -> None:
    """Makes the library call these instead of the session's own methods."""
    session.receive, session.close = receive, close
    session.handle_get_request, session.handle_post_request = get, post


def waiting(session: Any) -> int:
    """Returns the number of packets that wait to be sent."""
    return int(session.queue.qsize())


def waiting_size(session: Any) -> int:
    """Returns the characters and bytes of the packets that wait to be sent."""
    packets = tuple(getattr(session.queue, "queue", ()))
    return sum(len(p.data) for p in packets if p is not None and isinstance(p.data, str | bytes))


# Pings


def pinged(target: Callable[..., Any]) -> Any:
    """Returns the session that a background task pings; None for other tasks."""
    session = getattr(target, "__self__", None)
    is_ping = getattr(target, "__name__", "") == "_send_ping" and hasattr(session, "last_ping")
    return session if is_ping else None


def ping(session: Any, now: float) -> None:
    session.last_ping = now
    session.send(Packet(PING))


# Handlers


def handlers(server: Any) -> tuple[Any, Any, Any]:
    """Returns Socket.IO's handlers of Engine.IO's connects, messages and disconnects."""
    found = server.eio.handlers
    return found["connect"], found["message"], found["disconnect"]


def engine_session(server: Any, sid: str) -> str:
    """Returns the id of the Engine.IO session under a socket."""
    return str(server.manager.eio_sid_from_sid(sid, "/"))


def observe_emits(manager: Any, emitted: Callable[[Any], None]) -> bool:
    """Calls ``emitted`` with each message of another emitter before the library handles it. False where the inside is
    different."""
    handle = getattr(manager, "_handle_emit", None)
    if handle is None:
        return False

    def handled(message: Any) -> Any:
        emitted(message)
        return handle(message)

    manager._handle_emit = handled
    return True


# WebSockets


def wrap(
    eio: Any, around: Callable[[Any, Any, Callable[[Any], Any]], Any], compression: bool
) -> Callable[[Any, Any], Iterable[bytes]]:
    """Calls ``around(session, ws, handler)`` instead of ``handler(ws)`` once a handshake is answered. A session with
    ``opening`` set has a WebSocket, or soon will. Returns a WSGI function that answers a handshake and closes the
    WebSocket at once."""
    base: Any = eio._async["websocket"]

    class WebSocket(base):
        def __init__(self, handler: Callable[[Any], Any], server: Any) -> None:
            self._session: Any = (session := getattr(handler, "__self__", None))
            super().__init__(lambda ws: around(session, ws, handler), server)

        def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
            if not compression:  # it costs 90 KB a client
                environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
            self._session.opening = True  # before the handshake is answered, which may take a while
            try:
                return super().__call__(environ, start_response)
            finally:
                self._session.opening = False

    eio._async = eio._async | {"websocket": WebSocket}
    return lambda environ, start_response: base(lambda ws: None, eio)(environ, start_response)


def is_opening(session: Any) -> bool:
    return bool(getattr(session, "opening", False))


def shut(ws: Any) -> None:
    with contextlib.suppress(OSError):  # it was closed already
        ws.socket.shutdown(socket.SHUT_RDWR)


def descriptor(ws: Any) -> int:
    """Returns the socket's descriptor, -1 once it is closed."""
    return int(ws.socket.fileno())


def lock(ws: Any) -> bool:
    """Keeps the library from writing; False when it is writing now."""
    return bool(ws._sendlock.acquire(blocking=False))


def unlock(ws: Any) -> None:
    ws._sendlock.release()


def writer(ws: Any, session: Any, wire: Any) -> tuple[Callable[[Any], int], Callable[[Any], int]] | None:
    """Returns two functions that write to the client without the library: unconditionally, and only while Engine.IO's
    writer is idle; else the second takes 0 bytes and sets ``wire.writer_busy``, unless ``wire.unsent`` is the reason.
    None where frames are compressed, for each client by itself. Raises AttributeError where the inside is different."""
    if ws.extensions:
        return None
    write = ws.socket.fd.send
    queued, getters, sending = session.queue.queue, session.queue.getters, ws._sendlock
    if sending.counter > 1:
        raise AttributeError("a send lock that lets several in")

    def send(data: Any) -> int:  # the path of every event: all that it reads is a local of the closure
        if session.closed:
            raise ConnectionError
        # Something is queued, or taken from the queue and not yet written, or a frame is partly sent by either.
        if (
            queued
            or len(getters) != 1
            or sending.counter != 1
            or session.upgrading
            or type(data) is not bytes
        ):
            wire.writer_busy = not wire.unsent
            return 0
        wire.writer_busy = False
        return write(data)  # type: ignore[no-any-return]

    return write, send
