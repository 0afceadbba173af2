"""Limits of one process: how many viewers may join at once, and how many there may be in all."""

from __future__ import annotations

import threading

from app.errors import Full, TooMany
from app.http.admission import AdmissionQueue

AT_ONCE = 16  # fewer than the pool's connections to Postgres, for which joins would else wait out of order


class Joins:
    """``per_user`` and ``in_all`` are how many viewers there may be; None sets no limit for a user."""

    def __init__(self, per_user: int | None, in_all: int, at_once: int = AT_ONCE) -> None:
        self._per_user, self._in_all = per_user, in_all
        self.queue = AdmissionQueue(at_once)  # encloses the part of a join that may ask Postgres
        self._lock = threading.Lock()
        self._viewers: dict[str, int] = {}
        self.viewers = 0
        self.left = 0  # since the start

    def admit(self, user_id: str) -> None:
        """Counts a viewer until ``leave``. Raises TooMany for the user's limit, Full for the process's."""
        with self._lock:
            mine = self._viewers.get(user_id, 0)
            if self._per_user is not None and mine >= self._per_user:
                raise TooMany(f"A user has {self._per_user} open streams at most")
            if self.viewers >= self._in_all:
                raise Full("This process is full; try again")
            self._viewers[user_id] = mine + 1
            self.viewers += 1

    def leave(self, user_id: str) -> None:
        """Ends what one ``admit`` began."""
        with self._lock:
            self._viewers[user_id] -= 1  # first: a KeyError changes nothing
            self.viewers -= 1
            self.left += 1
            if not self._viewers[user_id]:
                del self._viewers[user_id]
