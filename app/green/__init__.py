"""All of eventlet: patching, serving (``server``), and the few places that must know a greenlet from a thread.

Another green server would replace this package. Whatever blocks the loop stalls every viewer.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import socket
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

from app.green.turn import LoopTurn

Result = TypeVar("Result")
logger = logging.getLogger("taskroom.server")

READY_AT_ONCE = 64  # sockets that one turn of the loop serves
WATCHED_SECONDS = 0.005  # for which a turn serves the sockets of a poller, one at least
TAKE_OVER = "taskroom.take_over"

RealSelector = selectors.DefaultSelector  # found before patching, which leaves only select()


def patch() -> None:
    """Makes the standard library and psycopg2 cooperative; called before anything else is imported."""
    look_up = socket.getaddrinfo
    # The library's own resolver is 220 modules, and it reads /etc/hosts and resolv.conf otherwise than the system.
    os.environ["EVENTLET_NO_GREENDNS"] = "yes"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import eventlet
    eventlet.monkey_patch()
    from eventlet.green import socket as green_socket

    def getaddrinfo(*args: Any, **kwargs: Any) -> Any:
        """Asks the system, in a real thread: the loop goes on until the name servers answer."""
        return offload(partial(look_up, *args, **kwargs))

    socket.getaddrinfo = green_socket.getaddrinfo = getaddrinfo


def patched() -> bool:
    if "eventlet" not in sys.modules:
        return False
    from eventlet.patcher import is_monkey_patched

    return bool(is_monkey_patched("socket"))


def offload(function: Callable[..., Result], *args: Any) -> Result:
    """Runs a long computation (a password hash) in a real thread, so that the loop goes on."""
    if not patched():
        return function(*args)
    from eventlet import tpool

    result: Result = tpool.execute(function, *args)
    return result


def real_threading() -> Any:
    """Returns the threading module with the system's own threads and locks, of which the loop knows nothing."""
    if not patched():
        import threading

        return threading
    from eventlet.patcher import original

    return original("threading")


def watch_turns(ended: Callable[[], None], began: Callable[[], None]) -> Callable[[], None]:
    """Calls ``ended`` before the loop waits for sockets and timers, ``began`` after it; returns a function that undoes
    this. Called in the loop's thread. Without a loop nothing is ever called."""
    if not patched():
        return lambda: None
    from eventlet.hubs import get_hub

    hub = get_hub()
    name = "do_poll" if hasattr(hub, "do_poll") else "_control"  # of kqueue
    wait, poll = hub.wait, getattr(hub, name)
    if hasattr(getattr(hub, "poll", None), "fileno"):  # epoll: the sockets left over come first the next time
        poll = partial(hub.poll.poll, maxevents=READY_AT_ONCE)

    def watched_wait(seconds: float | None = None) -> None:
        ended()
        LoopTurn.begin()  # the loop may have nothing to poll for
        wait(seconds)

    def watched_poll(*args: Any) -> Any:
        try:
            return poll(*args)
        finally:
            LoopTurn.begin()
            began()

    # On macOS the poll function is called for other things too, within a turn, which then counts from there.
    hub.wait = watched_wait
    setattr(hub, name, watched_poll)

    def undo() -> None:
        LoopTurn.forget()
        del hub.wait
        delattr(hub, name)

    return undo


@contextlib.contextmanager
def limit(seconds: float, error: Exception) -> Iterator[None]:
    """Raises ``error`` in the block after so many seconds, for library calls that have no time-out."""
    if not patched():
        yield
        return
    import eventlet

    with eventlet.Timeout(seconds, error):
        yield


def after_this(function: Callable[[], None]) -> None:
    """Calls the function when the current greenlet has ended, so after the answer that it is about to give."""
    import eventlet

    eventlet.getcurrent().link(lambda _: function())


def take_over(environ: dict[str, Any]) -> socket.socket:
    """Takes the request's socket from the server, which no longer writes to it nor closes it; the socket never blocks.

    Called as the last act of the response's body, when all that it yielded is sent.
    """
    taken: socket.socket = environ[TAKE_OVER]()
    return taken


class Poller:
    """Watches sockets that no greenlet waits for, in a selector that is one descriptor to the loop."""

    def __init__(self) -> None:
        self._selector = RealSelector()
        self._running = False

    def watch(self, fd: int, ready: Callable[[int], None], read: bool = True, write: bool = False) -> None:
        """Calls ``ready`` with selectors' mask whenever the descriptor can be read or written, as asked for."""
        events = (selectors.EVENT_READ if read else 0) | (selectors.EVENT_WRITE if write else 0)
        self.forget(fd)
        self._selector.register(fd, events, ready)
        if not self._running:
            self._running = True
            import eventlet

            eventlet.spawn(self._run)

    def forget(self, fd: int) -> None:
        """Stops watching; called before the socket is closed, for the next one that is opened gets the same number."""
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(fd)

    def _run(self) -> None:
        from eventlet.hubs import trampoline

        while True:
            trampoline(self._selector.fileno(), read=True)
            began = time.monotonic()
            for key, mask in self._selector.select(0):
                if time.monotonic() - began >= WATCHED_SECONDS:  # each may be sent half a megabyte
                    time.sleep(0)
                    began = time.monotonic()
                if self._selector.get_map().get(key.fd) is not key:
                    continue  # closed or replaced by an earlier one in this turn
                try:
                    key.data(mask)
                except Exception:  # one socket's fault must not leave all others unwatched
                    logger.exception("a socket's watcher failed")
                    self.forget(key.fd)


def has_gone(taken: socket.socket) -> bool:
    """Returns whether the client has closed the connection; data that it sends here is discarded."""
    try:
        return not taken.recv(4096)
    except BlockingIOError:
        return False
    except OSError:
        return True
