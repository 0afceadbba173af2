"""Open connections to the broker: a new connection for each message would cost a handshake each time."""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from app.broker import SEND_SECONDS, BrokerDown
from app.errors import causes
from app.errors.survived import survived

logger = logging.getLogger("taskroom.dispatch")

IDLE_CONNECTIONS = 4  # kept open by a process; more are opened when more threads send at once
BROKER_ERRORS = (OperationalError, RedisError, OSError)

Result = TypeVar("Result")


class BrokerConnections:
    """Lends open connections, each for one message at a time. A connection that failed is discarded.

    ``connect`` opens a connection. Thread-safe; empty in a forked child.
    """

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._idle: deque[Any] = deque()
        os.register_at_fork(after_in_child=self._idle.clear)  # the connections are the parent's
        self.opened = 0

    def lend(self, use: Callable[[Any], Result]) -> Result:
        """Calls ``use`` with a connection and returns its result. Raises BrokerDown, whatever it was that failed: the
        caller has committed already, and sends again what the broker did not take."""
        began = time.monotonic()
        while True:
            connection, used = self._take()
            try:
                result = use(connection)
            except Exception as error:
                _discard(connection)
                # A restart of the broker closes idle connections: one more try. A broker that hangs gets no second try.
                if used and time.monotonic() - began < SEND_SECONDS / 2:
                    continue
                raw = error.__cause__ if isinstance(error, OperationalError) else error
                if raw is not None and not causes.of(raw).is_temporary:
                    survived(logger, raw, "a message could not be sent")
                raise BrokerDown(causes.first_line(error)) from error
            except BaseException:  # a timeout of the caller: the reply may still arrive over this connection
                _discard(connection)
                raise
            self._give_back(connection)
            return result

    def _take(self) -> tuple[Any, bool]:
        """Returns a connection, and whether it was used before."""
        with suppress(IndexError):
            return self._idle.pop(), True
        self.opened += 1
        return self._connect(), False

    def _give_back(self, connection: Any) -> None:
        if len(self._idle) < IDLE_CONNECTIONS:
            self._idle.append(connection)
        else:
            connection.close()


def _discard(connection: Any) -> None:
    with suppress(*BROKER_ERRORS):
        connection.close()
