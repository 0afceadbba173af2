"""A circuit breaker: while a part is away its callers are refused at once, and one at a time tries whether it is back.

Our own, for of the known ones pybreaker holds its lock through each call, which lets no two queries run side by
side, and purgatory lets everybody in at once when it tries again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from app.errors.causes import Cause

logger = logging.getLogger("taskroom.breaker")

CLOSED, HALF_OPEN, OPEN = 0, 1, 2
Answer = TypeVar("Answer")
WORDS = {Cause.UNAVAILABLE: ("is away", "answers"), Cause.READ_ONLY: ("is read only", "takes writes")}


class Refused(Exception):
    """Nobody calls for now."""


@dataclass(frozen=True, slots=True)
class Call:
    began: float
    tries: bool  # the one that finds out for all


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
        self.cause = cause  # what opens it
        self._gone, self._back = WORDS[cause]
        self._meanwhile = meanwhile
        self._lock = threading.Lock()
        self._opened_at: float | None = None
        self._open_until = 0.0
        self._tried = False
        self._answered_at = -float("inf")
        self.openings = 0
        self.refused = 0

    @property
    def state(self) -> int:
        """CLOSED, HALF_OPEN (one tries, or the next caller will) or OPEN."""
        if self._opened_at is None:
            return CLOSED
        return HALF_OPEN if self._tried or self._clock() >= self._open_until else OPEN

    def ask(
        self, question: Callable[[], Answer], otherwise: Callable[[], Answer], failure: type[Exception]
    ) -> Answer:
        """What the question answers; what ``otherwise`` does where that raises ``failure``, or is not asked for now."""
        try:
            call = self.enter()
        except Refused:
            return otherwise()
        try:
            answer = question()
        except failure as error:
            self.failed(call, str(error))
            return otherwise()
        except BaseException:  # a call that never ends would keep the breaker open for good
            self.left(call)
            raise
        self.answered(call)
        return answer

    def enter(self) -> Call:
        """Raises Refused, without having waited."""
        with self._lock:
            now = self._clock()
            tries = self._opened_at is not None
            if tries:
                if self._tried or now < self._open_until:
                    self.refused += 1
                    raise Refused(f"{self._name} {self._gone}; one caller at a time tries whether it is back")
                self._tried = True
            return Call(now, tries)

    def answered(self, call: Call) -> None:
        """It lives, whatever it said; so does it for everybody else."""
        with self._lock:
            self._end(call)
            self._answered_at = now = self._clock()
            opened_at, self._opened_at = self._opened_at, None
        if opened_at is not None:
            logger.warning("%s %s, after %.1f s", self._name, f"{self._back} again", now - opened_at)

    def failed(self, call: Call, why: str) -> bool:
        """It could not be reached, or said nothing in time. False when that does not count: somebody was answered since
        the call began, so it is this caller's own trouble, such as a slow query or the lack of one more connection."""
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
                *(self._name, self._gone, self._meanwhile, self._back, why),
            )
        return True

    def left(self, call: Call) -> None:
        """The caller was ended before it knew; the next one tries."""
        with self._lock:
            self._end(call)

    def _end(self, call: Call) -> None:
        if call.tries:
            self._tried = False
