"""Connections to the broker that are kept open: one for each message would be a handshake for each."""

from __future__ import annotations

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

IDLE_CONNECTIONS = 4  # that a process keeps to send over; more are opened when as many send at once
BROKER_ERRORS = (OperationalError, RedisError, OSError)

Answer = TypeVar("Answer")


class Connections:
    """Open connections to the broker, each lent for one message at a time. One that failed is not used again.

    ``connect`` opens one; safe for any threads, and empty again in a forked child.
    """

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._idle: deque[Any] = deque()
        os.register_at_fork(after_in_child=self._idle.clear)  # they are the parent's
        self.opened = 0

    def lend(self, use: Callable[[Any], Answer]) -> Answer:
        """What ``use`` returns, given one of the open connections. Raises BrokerDown."""
        began = time.monotonic()
        while True:
            connection, used = self._take()
            try:
                answer = use(connection)
            except Exception as error:
                _discard(connection)
                if not (isinstance(error, BROKER_ERRORS) or causes.of(error).is_temporary):
                    raise
                # The broker may have been started anew since it was last used. A broker that hangs is not asked twice.
                if used and time.monotonic() - began < SEND_SECONDS / 2:
                    continue
                raise BrokerDown(causes.first_line(error)) from error
            except (
                BaseException
            ):  # the caller waits no longer, and the answer may still come over this connection
                _discard(connection)
                raise
            self._give_back(connection)
            return answer

    def _take(self) -> tuple[Any, bool]:
        """A connection, and whether it was used before."""
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
