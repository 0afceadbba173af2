"""The base class of the embedded servers, and their ports."""

from __future__ import annotations

import os
import socket
from random import SystemRandom

from app.up.errors import UpError
from app.up.home import Home
from app.up.process import Child

DEFAULT_PORTS = "20000-31999"

_assigned_ports: set[int] = set()  # a port may be assigned before its server binds it


class EmbeddedServer:
    """A server in ``home``. Its port stays the same as long as this object exists."""

    name: str
    url: str

    def __init__(self, home: Home) -> None:
        self.home = home
        self.port = free_port()

    def prepare(self) -> None:
        """Makes the data folder ready for the server. Raises UpError when the folder is not usable."""
        raise NotImplementedError

    @property
    def child(self) -> Child:
        """How to run the server, for the supervisor."""
        raise NotImplementedError


def port_range() -> range:
    """The ports to choose from: the setting ``EMBEDDED_PORTS``, as ``20000-31999``. Raises UpError when it is invalid.

    The default lies below the kernel's range for outgoing connections: while a server is down, any client could
    receive a port of that range, and then the server could never start again.
    """
    text = os.environ.get("EMBEDDED_PORTS") or DEFAULT_PORTS
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal() and 1024 <= int(first) <= int(last) <= 65_535):
        raise UpError(f"EMBEDDED_PORTS is {text!r}; set two ports from 1024 to 65535, as {DEFAULT_PORTS}")
    return range(int(first), int(last) + 1)


def free_port() -> int:
    """Returns a free loopback port that this function has not returned before in this process.

    The choice uses the system's randomness: two processes with the same random seed must not choose the same ports.
    """
    ports = port_range()
    for port in SystemRandom().sample(ports, len(ports)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            if port not in _assigned_ports:
                _assigned_ports.add(port)
                return port
    raise UpError(
        f"no free port from {ports[0]} to {ports[-1]} on 127.0.0.1; end the processes that use them"
    )
