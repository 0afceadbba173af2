"""All of eventlet: patching, serving, and the few places that must know a greenlet from a thread.

Another green server would replace this file. Anything that blocks the loop stalls every viewer.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import signal
import socket
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

Result = TypeVar("Result")
logger = logging.getLogger("taskroom.server")

MAX_CONNECTIONS = 20_000
BACKLOG = 1_024
# A client that takes nothing for so long, or an idle keep-alive connection, is dropped.
SOCKET_SECONDS = 60
DRAIN_SECONDS = 3.0


def patch() -> None:
    """Makes the standard library and psycopg2 cooperative; before anything else is imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import eventlet
    eventlet.monkey_patch()


def patched() -> bool:
    if "eventlet" not in sys.modules:
        return False
    from eventlet.patcher import is_monkey_patched

    return bool(is_monkey_patched("socket"))


def offload(function: Callable[..., Result], *args: Any) -> Result:
    """Runs what computes for long (a password hash) in a real thread, so that the loop goes on."""
    if not patched():
        return function(*args)
    from eventlet import tpool

    result: Result = tpool.execute(function, *args)
    return result


@contextlib.contextmanager
def limit(seconds: float, error: Exception) -> Iterator[None]:
    """Raises ``error`` in the block after so many seconds: some waits below us know no time-out."""
    if not patched():
        yield
        return
    import eventlet

    with eventlet.Timeout(seconds, error):
        yield


def after_this(function: Callable[[], None]) -> None:
    """Calls the function when the current greenlet has ended: after the answer it is about to give."""
    import eventlet

    eventlet.getcurrent().link(lambda _: function())


def serve(app: Any, host: str, port: int, stopping: Callable[[], None]) -> None:
    """Serves until SIGTERM or SIGINT; then ``stopping`` closes the viewers and requests may finish.

    SystemExit with one line when the port is in use.
    """
    import eventlet
    import eventlet.wsgi

    try:
        # eventlet.listen would set SO_REUSEPORT, which makes a double start silent.
        listener = eventlet.listen((host, port), backlog=BACKLOG, reuse_port=False)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise SystemExit(f"port {port} is in use; choose another with PORT") from None
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    class Protocol(eventlet.wsgi.HttpProtocol):  # type: ignore[misc]
        """Tells the application which HTTP the client speaks; the server's own says 1.0 to everyone."""

        def get_environ(self) -> dict[str, Any]:
            environ: dict[str, Any] = super().get_environ()
            return environ | {"SERVER_PROTOCOL": self.request_version}

    stop = eventlet.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.ready() or stop.send())
    pool = eventlet.GreenPool(MAX_CONNECTIONS)
    server = eventlet.spawn(
        eventlet.wsgi.server,
        listener,
        app,
        log_output=False,  # its lines would hold whole addresses, tickets among them
        custom_pool=pool,
        protocol=Protocol,
        debug=False,  # True sends tracebacks to clients
        socket_timeout=SOCKET_SECONDS,
        minimum_chunk_size=0,  # else small chunks, every event of a stream, are held back
    )
    logger.info("serving on http://%s:%d as %d", host, port, os.getpid())
    stop.wait()
    listener.close()
    stopping()
    with eventlet.Timeout(DRAIN_SECONDS, False):
        pool.waitall()
    server.kill()
