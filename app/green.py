"""All of eventlet: patching, serving, and the few places that must know a greenlet from a thread.

Another green server would replace this file. Anything that blocks the loop stalls every viewer.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import selectors
import signal
import socket
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

from app.turn import Turn

Result = TypeVar("Result")
logger = logging.getLogger("taskroom.server")

MAX_CONNECTIONS = 20_000
BACKLOG = 4_096  # cut at the kernel's net.core.somaxconn
ACCEPTED_AT_ONCE = 32
READY_AT_ONCE = 64  # sockets that one turn of the loop serves
# A client that takes nothing for so long, or an idle keep-alive connection, is dropped.
SOCKET_SECONDS = 60
# Else the kernel hides a reader that stalled behind four megabytes.
SEND_BUFFER = 256 * 1024
TAKE_OVER = "taskroom.take_over"

RealSelector = selectors.DefaultSelector  # patching leaves none but select() to be found later


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


def real_threading() -> Any:
    """The module whose threads and locks are the system's own: what they wait for the loop does not know."""
    if not patched():
        import threading

        return threading
    from eventlet.patcher import original

    return original("threading")


def watch_turns(ended: Callable[[], None], began: Callable[[], None]) -> Callable[[], None]:
    """Calls ``ended`` before the loop waits for sockets and timers, ``began`` when it has; returns what undoes that.
    To be called in the loop's thread. Without a loop nothing is ever called."""
    if not patched():
        return lambda: None
    from eventlet.hubs import get_hub

    hub = get_hub()
    name = "do_poll" if hasattr(hub, "do_poll") else "_control"  # of kqueue
    wait, poll = hub.wait, getattr(hub, name)
    if hasattr(getattr(hub, "poll", None), "fileno"):  # epoll: who is left over comes first the next time
        poll = partial(hub.poll.poll, maxevents=READY_AT_ONCE)

    def watched_wait(seconds: float | None = None) -> None:
        ended()
        Turn.begin()  # it may have nothing to poll for
        wait(seconds)

    def watched_poll(*args: Any) -> Any:
        try:
            return poll(*args)
        finally:
            Turn.begin()
            began()

    # On macOS it is asked for other things too, inside a turn, which then counts from there.
    hub.wait = watched_wait
    setattr(hub, name, watched_poll)

    def undo() -> None:
        Turn.forget()
        del hub.wait
        delattr(hub, name)

    return undo


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


def take_over(environ: dict[str, Any]) -> socket.socket:
    """The request's socket, which the server neither writes to nor closes any more; it never blocks.

    To be called from the response's body when all that was yielded is sent, and as its last act.
    """
    taken: socket.socket = environ[TAKE_OVER]()
    return taken


class Poller:
    """Watches sockets that no greenlet waits for: in a selector of their own, one descriptor to the loop."""

    def __init__(self) -> None:
        self._selector = RealSelector()
        self._running = False

    def watch(self, fd: int, ready: Callable[[int], None], read: bool = True, write: bool = False) -> None:
        """Calls ``ready`` with selectors' mask whenever the descriptor can be read from or written to, as asked."""
        events = (selectors.EVENT_READ if read else 0) | (selectors.EVENT_WRITE if write else 0)
        self.forget(fd)
        self._selector.register(fd, events, ready)
        if not self._running:
            self._running = True
            import eventlet

            eventlet.spawn(self._run)

    def forget(self, fd: int) -> None:
        """Before its socket is closed: the number is given to the next one that is opened."""
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(fd)

    def _run(self) -> None:
        from eventlet.hubs import trampoline

        while True:
            trampoline(self._selector.fileno(), read=True)
            for key, mask in self._selector.select(0):
                if self._selector.get_map().get(key.fd) is not key:
                    continue  # closed or given away by one that came before it in this turn
                try:
                    key.data(mask)
                except Exception:  # one socket's trouble must not leave all others unwatched
                    logger.exception("a socket's watcher failed")
                    self.forget(key.fd)


def has_gone(taken: socket.socket) -> bool:
    """Whether the client has closed. It has nothing to say here: what it says all the same is of no interest."""
    try:
        return not taken.recv(4096)
    except BlockingIOError:
        return False
    except OSError:
        return True


def serve(
    app: Any,
    host: str,
    port: int,
    drain_seconds: float,
    stopping: Callable[[], None],
    stalled_seconds: float = 30.0,
) -> None:
    """Serves until SIGTERM or SIGINT; then ``stopping`` closes the viewers and requests may finish.

    SystemExit with one line when the port is in use, and when it cannot serve any longer.
    """
    import eventlet
    import eventlet.wsgi

    # Not above: this file is imported before it has patched.
    from app.listening import Listener, notice_silence

    try:
        # eventlet.listen would set SO_REUSEPORT, which makes a double start silent.
        listener = eventlet.listen((host, port), backlog=BACKLOG, reuse_port=False)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise SystemExit(f"port {port} is in use; choose another with PORT") from None
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    notice_silence(listener, stalled_seconds)

    class Protocol(eventlet.wsgi.HttpProtocol):  # type: ignore[misc]
        taken = False

        def get_environ(self) -> dict[str, Any]:
            environ: dict[str, Any] = super().get_environ()
            # The server's own says 1.0 to everyone.
            return environ | {"SERVER_PROTOCOL": self.request_version, TAKE_OVER: self.take_over}

        def handle_one_response(self) -> None:
            Turn.give_way()
            super().handle_one_response()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: what it says of a request that cannot be read quotes it, with its ticket, on stderr."""

        def take_over(self) -> socket.socket:
            given = self.connection.fd
            real = type(given)(given.family, given.type, given.proto, fileno=given.detach())
            self.taken = True
            eventlet.wsgi.WSGI_LOCAL.already_handled = True  # no closing chunk, no next request
            self.conn_state[1] = Given()  # closed by the server when this greenlet has ended
            return real  # type: ignore[no-any-return]

        def finish(self) -> None:
            if not self.taken:
                super().finish()

    class Pool(eventlet.GreenPool):  # type: ignore[misc]
        """Lets the others run between two handfuls of new connections: a crowd would be accepted in one turn."""

        accepted = 0

        def spawn(self, *args: Any, **kwargs: Any) -> Any:
            self.accepted += 1
            if self.accepted % ACCEPTED_AT_ONCE == 0:
                eventlet.sleep(0)
            return super().spawn(*args, **kwargs)

        def waitall(self) -> None:
            """The server's last act, whatever ended it; it may take as long as there are connections."""
            if not stop.ready():
                stop.send(sys.exc_info()[1] or "it accepts nothing any more")
            super().waitall()

    class Given:
        """Stands where the server expects a connection to shut down."""

        def shutdown(self, how: int) -> None: ...

        def close(self) -> None: ...

    stop = eventlet.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.ready() or stop.send())
    pool = Pool(MAX_CONNECTIONS)

    def run() -> None:
        with contextlib.suppress(Exception):  # what ended it the pool has passed on
            eventlet.wsgi.server(
                Listener(listener),
                app,
                log=logger,  # its own would write past what keeps secrets out of the log
                log_output=False,  # its lines would hold whole addresses, tickets among them
                custom_pool=pool,
                protocol=Protocol,
                debug=False,  # True sends tracebacks to clients
                socket_timeout=SOCKET_SECONDS,
                minimum_chunk_size=0,  # else small chunks, every event of a stream, are held back
            )

    server = eventlet.spawn(run)
    logger.info("serving on http://%s:%d as %d", host, port, os.getpid())
    ended = stop.wait()
    listener.close()
    server.kill()  # it shuts connections without a request, and each of the others after its answer
    stopping()
    with eventlet.Timeout(drain_seconds, False):
        pool.waitall()
    if left := pool.running():
        logger.warning("busy connections cut off after %g s: %d", drain_seconds, left)
    if ended is not None:  # whoever keeps the process running is to see it
        raise SystemExit(f"taskroom: the server has ended: {ended}")
