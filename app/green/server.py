"""Serves HTTP on eventlet's loop, also without a proxy in front: clients that send slowly, without an end or without a
pause are limited. Imported after ``green.patch()``."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

import eventlet
import eventlet.hubs
import eventlet.wsgi
from eventlet.greenio import shutdown_safe

from app.green import TAKE_OVER
from app.green.arrivals import Arrivals
from app.green.body import Body
from app.green.listener import SEND_BUFFER, Listener, notice_silence
from app.green.outlet import Outlet
from app.green.turn import LoopTurn
from app.green.unsent import Unsent, whose

logger = logging.getLogger("taskroom.server")

MAX_CONNECTIONS = 20_000
BACKLOG = 4_096  # limited by the kernel's net.core.somaxconn
ACCEPTED_AT_ONCE = 32
# A client that takes nothing for so long, or a connection without another request, is dropped.
SOCKET_SECONDS = 60
HEAD_SECONDS = 20  # until the head of a connection's first request has come
LATE = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Protocol(eventlet.wsgi.HttpProtocol):  # type: ignore[misc]
    arrivals: Arrivals
    unsent: Unsent
    raw_requestline = b""
    _taken = _served = False
    environ: dict[str, Any]
    wfile: Any
    _head: Any = None  # the time-out while a request's head is awaited

    def setup(self) -> None:
        super().setup()
        self.environ = {}
        self.wfile = Outlet(self.wfile, self.connection, self.unsent, lambda: whose(self.environ))

    def handle_one_request(self) -> None:
        if self._served:  # other connections come between two requests of a client that sends many at once
            eventlet.sleep(0)
        self.raw_requestline = b""
        seconds = SOCKET_SECONDS if self._served else HEAD_SECONDS
        self._head = eventlet.Timeout(seconds, TimeoutError("a request that is late"))
        connection = self.connection
        self.arrivals.begin(self._address, id(self), lambda: shutdown_safe(connection))
        try:
            super().handle_one_request()
        except TimeoutError:
            if self._head is None:
                raise
            if self.raw_requestline:
                self.wfile.write(LATE)
            self.close_connection = True
        finally:
            self._arrived()
            self._served = True
            # The request, which refers to this object, is not kept while the next one is awaited, nor in a cycle.
            self.environ = {}
            self.headers = None

    def _arrived(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None
            self.arrivals.end(self._address, id(self))

    @property
    def _address(self) -> str:
        """Empty for a Unix socket, which only clients of this machine reach."""
        return str(self.client_address[0]) if isinstance(self.client_address, tuple) else ""

    def get_environ(self) -> dict[str, Any]:
        self._arrived()
        environ: dict[str, Any] = super().get_environ()
        body = Body(environ["eventlet.input"])
        # The server's own environ says 1.0 for all clients.
        return environ | {
            "SERVER_PROTOCOL": self.request_version,
            TAKE_OVER: self.take_over,
            "wsgi.input": body,
            "eventlet.input": body,
        }

    def handle_one_response(self) -> None:
        LoopTurn.give_way()
        self.server.log = FAILURES
        super().handle_one_response()
        if self.environ["eventlet.input"].late:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Logs nothing: the lines about unreadable requests would quote them, with their tickets, on stderr."""

    def take_over(self) -> socket.socket:
        given = self.connection.fd
        real = type(given)(given.family, given.type, given.proto, fileno=given.detach())
        self._taken = True
        eventlet.wsgi.WSGI_LOCAL.already_handled = True  # no closing chunk, no next request
        self.conn_state[1] = Given()  # closed by the server when this greenlet has ended
        return real  # type: ignore[no-any-return]

    def finish(self) -> None:
        if not self._taken:
            try:
                super().finish()
            finally:  # after an error it would be left open, and the connection with it
                self.rfile.close()
        del self.wfile  # it refers to this object


class FailureLog(eventlet.wsgi.LoggerNull):  # type: ignore[misc]
    """The library's log, used for one thing: errors while an answer was sent, which show nowhere else. A client that is
    gone or takes nothing is no error."""

    def info(self, msg: str, *args: Any, **kwargs: Any) -> None:
        error = sys.exc_info()[1]
        if isinstance(error, Exception) and not isinstance(error, OSError):
            logger.error("an answer failed while it was sent", exc_info=error)


FAILURES = FailureLog()


class Given:
    """Replaces a connection that was taken over, where the server would shut it down."""

    def shutdown(self, how: int) -> None: ...

    def close(self) -> None: ...


class Pool(eventlet.GreenPool):  # type: ignore[misc]
    """Lets other greenlets run after every ACCEPTED_AT_ONCE new connections: a crowd would be accepted in one turn.
    ``ended`` is called with what ended the server, which then waits for its connections, however long that takes."""

    def __init__(self, size: int, ended: Callable[[object], None]) -> None:
        super().__init__(size)
        self._ended, self._accepted = ended, 0

    def spawn(self, *args: Any, **kwargs: Any) -> Any:
        self._accepted += 1
        if self._accepted % ACCEPTED_AT_ONCE == 0:
            eventlet.sleep(0)
        return super().spawn(*args, **kwargs)

    def waitall(self) -> None:
        self._ended(sys.exc_info()[1] or "it accepts nothing any more")
        super().waitall()


def log_what_fails() -> None:
    """Logs failures on the loop that no greenlet waits for: the library's own lines on stderr would mix with other
    lines, and quote requests."""
    hub: Any = eventlet.hubs.get_hub()
    remove = hub.remove_descriptor

    def failed(error: Any) -> None:
        logger.error("something failed that nobody waits for", exc_info=error)

    def descriptor_failed(fileno: int, error: Any) -> None:
        logger.error("what waits for descriptor %d failed", fileno, exc_info=error)
        with contextlib.suppress(OSError, ValueError, KeyError):  # it may be closed already
            remove(fileno)

    hub.squelch_generic_exception = failed
    hub.squelch_timer_exception = lambda timer, error: failed(error)
    hub.squelch_exception = descriptor_failed


def serve(
    app: Any,
    host: str,
    port: int,
    drain_seconds: float,
    stopping: Callable[[], None],
    stalled_seconds: float = 30.0,
    arrivals: Arrivals | None = None,
    unsent: Unsent | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT; then ``stopping`` closes the viewers and requests may finish.

    Raises SystemExit, with one line, when it cannot listen and when it cannot serve any longer.
    """
    try:
        # eventlet.listen would set SO_REUSEPORT, which makes a double start silent.
        listener = eventlet.listen((host, port), backlog=BACKLOG, reuse_port=False)
    except OSError as error:
        raise SystemExit(
            f"taskroom: port {port} of {host} cannot be opened ({error.strerror}); choose another with PORT or HOST"
        ) from None
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    notice_silence(listener, stalled_seconds)
    log_what_fails()

    stop = eventlet.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.ready() or stop.send())
    pool = Pool(MAX_CONNECTIONS, lambda why: stop.ready() or stop.send(why))
    shared = {"arrivals": arrivals or Arrivals(), "unsent": unsent or Unsent()}
    protocol = type("Protocol", (Protocol,), shared)

    def run() -> None:
        with contextlib.suppress(Exception):  # the pool has passed on what ended it
            eventlet.wsgi.server(
                Listener(listener),
                app,
                log=logger,  # its own would bypass the filter that keeps secrets out of the log
                log_output=False,  # its lines would hold whole URLs with their tickets
                custom_pool=pool,
                protocol=protocol,
                debug=False,  # True sends tracebacks to clients
                socket_timeout=SOCKET_SECONDS,
                minimum_chunk_size=0,  # else small chunks, every event of a stream, are held back
            )

    server = eventlet.spawn(run)
    logger.info("serving on http://%s:%d as %d", host, port, os.getpid())
    ended = stop.wait()
    listener.close()
    server.kill()  # it shuts idle connections now, and each of the others after its answer
    stopping()
    with eventlet.Timeout(drain_seconds, False):
        pool.waitall()
    if left := pool.running():
        logger.warning("busy connections cut off after %g s: %d", drain_seconds, left)
    if ended is not None:  # the supervisor of the process is to see it
        raise SystemExit(f"taskroom: the server has ended: {ended}")
