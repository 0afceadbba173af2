"""Looks up the addresses of names with a deadline. The system's own look-up has none: it ends when the name servers of
the name's owner answer, or after half a minute of their silence."""

from __future__ import annotations

import errno
import queue
import socket
import threading
import time
from collections.abc import Callable
from ipaddress import ip_address

from app.errors import TaskroomError, causes
from app.errors.causes import Cause
from app.outgoing.url_policy import Ip

LOOKUPS = 256  # at a time; one that its caller waits for no longer keeps its place until it ends

Resolve = Callable[[str, int, float], list[Ip]]
"""Returns all addresses of a name and port until a deadline, as ``Resolver`` does."""


class NoAddress(TaskroomError):
    """The name has no address, or none in time; the message says which."""


def system_addresses(host: str, port: int) -> list[Ip]:
    """Returns all addresses of the name. Raises NoAddress; OSError when this process has no file or memory left."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        if causes.of(error) is Cause.OUT_OF_RESOURCES:
            raise
        raise NoAddress(f"{host} has no address: {error}") from None
    return list(dict.fromkeys(ip_address(sockaddr[0]) for *_, sockaddr in found))


class Resolver:
    """Looks up names in threads of its own, which end with their look-ups and keep no process alive."""

    def __init__(
        self, addresses: Callable[[str, int], list[Ip]] = system_addresses, lookups: int = LOOKUPS
    ) -> None:
        self._addresses, self._free = addresses, threading.BoundedSemaphore(lookups)

    def __call__(self, host: str, port: int, deadline: float) -> list[Ip]:
        """Returns all addresses of the name. Raises NoAddress, at the ``deadline`` (by ``time.monotonic``) too; another
        error when this process is out of look-ups, threads, files or memory, which is no failure of the name."""
        if not self._free.acquire(blocking=False):
            raise OSError(errno.ENOBUFS, "too many names are being looked up")
        found: queue.SimpleQueue[list[Ip] | BaseException] = queue.SimpleQueue()

        def look_up() -> None:
            try:
                found.put(self._addresses(host, port))
            except BaseException as error:
                found.put(error)
            finally:
                self._free.release()

        try:
            threading.Thread(target=look_up, name="taskroom-resolver", daemon=True).start()
        except BaseException:
            self._free.release()
            raise
        try:
            result = found.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise NoAddress(f"{host} was not looked up in time") from None
        if isinstance(result, BaseException):
            raise result
        return result
