"""Tries at the start, over a pair of sockets, whether engineio and eventlet are inside as the adapter assumes."""

from __future__ import annotations

import logging
import struct
from typing import Any

from app import green

logger = logging.getLogger("taskroom.sockets")

SECONDS = 10.0  # it takes a few milliseconds


class Different(Exception):
    """Says what is different."""


def direct() -> bool:
    """Returns whether frames may be written directly; logs one warning that says why not."""
    if not green.patched():
        return False
    try:
        with green.limit(SECONDS, Different("no end of it")):
            _check()
    except Exception as error:  # whatever it is, viewers are served by the library
        logger.warning("this engineio looks different inside, viewers go by its ordinary emit: %r", error)
        return False
    return True


class _Wire:
    writer_busy, unsent = False, 0


def _check() -> None:
    import engineio
    import eventlet
    from engineio.packet import MESSAGE, Packet
    from engineio.socket import Socket
    from eventlet.green import socket
    from eventlet.websocket import RFC6455WebSocket

    from app.realtime.socketio import engineio_adapter

    near, far = socket.socketpair()
    server, messages = engineio.Server(async_mode="eventlet"), list[Any]()
    server.on("message", lambda _, data: messages.append(data))
    session = Socket(server, "check")
    ws = RFC6455WebSocket(near, {}, 13)
    serving = eventlet.spawn(session._websocket_handler, ws)

    def wait(what: str, condition: Any) -> None:
        while not condition():
            _expect("it goes on: " + what, not serving.dead)
            eventlet.sleep(0.001)

    def received(text: str) -> None:
        data = b""
        while len(data) < len(text) + 2:
            part = far.recv(len(text) + 2 - len(data))
            _expect("the WebSocket stays open", bool(part))
            data += part
        _expect(f"{text} is a frame", data == b"\x81%c%b" % (len(text), text.encode()))

    try:
        wait("the session counts as upgraded", lambda: session.upgraded and not session.upgrading)
        found = engineio_adapter.writer(ws, session, _Wire())
        _expect("frames may be written", found is not None)
        assert found is not None
        write, send = found
        frame = b"\x81\x054past"
        wait("its writer waits", lambda: send(frame) == len(frame))
        received("4past")
        session.send(Packet(MESSAGE, "library"))
        _expect("what is queued comes first", send(frame) == 0)
        received("4library")
        wait("its writer waits again", lambda: send(frame) == len(frame))
        received("4past")
        _expect("its lock can be taken", engineio_adapter.lock(ws))
        _expect("its lock keeps others out", send(frame) == 0)
        session.send(Packet(MESSAGE, "later"))
        wait("its writer takes from the queue", session.queue.empty)
        eventlet.sleep(0)
        write(b"\x81\x054ours")
        engineio_adapter.unlock(ws)
        received("4ours")
        received("4later")
        far.sendall(b"\x81\x87" + struct.pack("!I", 0) + b"4client")
        wait("a client is received", lambda: messages == ["client"])
        far.close()
        serving.wait()
        _expect("a session ends with its WebSocket", session.closed)
    finally:
        serving.kill()
        for end in (near, far):
            end.close()


def _expect(what: str, found: bool) -> None:
    if not found:
        raise Different(f"not so: {what}")
