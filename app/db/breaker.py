"""A circuit breaker: during an outage callers are refused at once, and one caller at a time tests the server.

Existing libraries do not fit: pybreaker holds its lock during each call, so that no two queries run at once, and
purgatory admits all callers at once when it tests the server.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from app.errors import causes
from app.errors.causes import Cause
from app.errors.survived import survived

logger = logging.getLogger("taskroom.breaker")

CLOSED, HALF_OPEN, OPEN = 0, 1, 2
Answer = TypeVar("Answer")
_MESSAGES = {
    Cause.UNAVAILABLE: ("is unavailable", "answers"),
    Cause.READ_ONLY: ("is read-only", "accepts writes"),
}


class BreakerOpen(Exception):
    """The breaker is open: the call is not made."""


@dataclass(frozen=True, slots=True)
class Call:
    began: float
    tests: bool  # whether this call tests the server for all callers


class Breaker:
    """Closed, until a failure opens it for ``seconds``; then half open: one caller tries, and what becomes of it closes
    or opens it again. Every call that ``enter`` let in ends with one of ``answered``, ``failed`` and ``left``.
    ``meanwhile`` says in the log what becomes of the callers of an open one.
    """

    def __init__(
        self,
        name: str,
        seconds: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        *,
        cause: Cause = Cause.UNAVAILABLE,
        meanwhile: str = "its callers are refused",
    ) -> None:
        self._name, self._seconds, self._clock = name, seconds, clock
        self.cause = cause  # the cause of errors that open the breaker
        self._outage, self._recovered = _MESSAGES[cause]
        self._meanwhile = meanwhile
        self._lock = threading.Lock()
        self._opened_at: float | None = None
        self._open_until = 0.0
        self._testing = False
        self._answered_at = -float("inf")
        self.openings = 0
        self.refused = 0

    @property
    def state(self) -> int:
        """CLOSED, HALF_OPEN (a caller tests the server, or the next one will) or OPEN."""
        if self._opened_at is None:
            return CLOSED
        return HALF_OPEN if self._testing or self._clock() >= self._open_until else OPEN

    def ask(self, question: Callable[[], Answer], otherwise: Callable[[], Answer]) -> Answer:
        """What the question answers; what ``otherwise`` does where that fails, or is not asked for now. A bug is logged
        and does not open the breaker."""
        try:
            call = self.enter()
        except BreakerOpen:
            return otherwise()
        try:
            answer = question()
        except Exception as error:
            if causes.of(error).is_temporary:
                self.failed(call, causes.first_line(error))
            else:
                self.left(call)
                survived(logger, error, "a question to %s failed", self._name)
            return otherwise()
        except BaseException:  # a call that never ends would keep the breaker open for good
            self.left(call)
            raise
        self.answered(call)
        return answer

    def enter(self) -> Call:
        """Admits a call, or raises Refused at once."""
        with self._lock:
            now = self._clock()
            tests = self._opened_at is not None
            if tests:
                if self._testing or now < self._open_until:
                    self.refused += 1
                    raise BreakerOpen(
                        f"{self._name} {self._outage}; one caller at a time tests whether it is back"
                    )
                self._testing = True
            return Call(now, tests)

    def answered(self, call: Call) -> None:
        """Ends a call that the server answered, also with an error: the breaker closes."""
        with self._lock:
            self._end(call)
            self._answered_at = now = self._clock()
            opened_at, self._opened_at = self._opened_at, None
        if opened_at is not None:
            logger.warning("%s %s, after %.1f s", self._name, f"{self._recovered} again", now - opened_at)

    def failed(self, call: Call, reason: str) -> bool:
        """Ends a call that got no answer. Returns False when the failure does not count: another caller got an answer
        since this call began, so the cause is this call, such as a slow query or a missing connection."""
        with self._lock:
            self._end(call)
            now = self._clock()
            if self._answered_at > call.began:
                return False
            opens = self._opened_at is None
            if opens:
                self._opened_at = now
                self.openings += 1
            self._open_until = now + self._seconds
        if opens:
            logger.warning(
                "%s %s, %s until it %s: %s",
                *(self._name, self._outage, self._meanwhile, self._recovered, reason),
            )
        return True

    def left(self, call: Call) -> None:
        """Ends a call without an outcome, because the caller was ended; the next caller tests the server."""
        with self._lock:
            self._end(call)

    def _end(self, call: Call) -> None:
        if call.tests:
            self._testing = False
