"""Limits of one process: how many connections may be opened at once, and how many may be open."""

from __future__ import annotations

import threading

from app.errors import Full, TooMany
from app.http.admission import AdmissionQueue

# Together no more than the pool's connections to Postgres, for which joins would else wait out of order.
AT_ONCE, IDENTIFIED_AT_ONCE = 16, 4


class ConnectionLimits:
    """``per_user`` and ``in_all`` are how many connections may be open, each with one viewer or more; None sets no
    limit for a user. The setting of ``in_all`` is MAX_VIEWERS."""

    def __init__(self, per_user: int | None, in_all: int, at_once: int = AT_ONCE) -> None:
        self._per_user, self._in_all = per_user, in_all
        # Enclose the parts of a join that may ask Postgres: who it is, and after that what it may see. In neither does
        # it wait for anything else, such as another issuer.
        self.identifying = AdmissionQueue(IDENTIFIED_AT_ONCE)
        self.queue = AdmissionQueue(at_once)
        self._lock = threading.Lock()
        self._users: dict[str, int] = {}
        self.connections = 0
        self.closed = 0  # since the start

    @property
    def joining(self) -> int:
        """Joins that may ask Postgres now."""
        return self.identifying.admitted + self.queue.admitted

    @property
    def waiting(self) -> int:
        """Joins that wait for others to end."""
        return len(self.identifying) + len(self.queue)

    def admit(self, user_id: str) -> None:
        """Counts a connection until ``release``. Raises TooMany for the user's limit, Full for the process's."""
        with self._lock:
            mine = self._users.get(user_id, 0)
            if self._per_user is not None and mine >= self._per_user:
                raise TooMany(f"A user has {self._per_user} open streams at most")
            if self.connections >= self._in_all:
                raise Full("This process is full; try again")
            self._users[user_id] = mine + 1
            self.connections += 1

    def release(self, user_id: str) -> None:
        """Ends what one ``admit`` began."""
        with self._lock:
            self._users[user_id] -= 1  # first: a KeyError changes nothing
            self.connections -= 1
            self.closed += 1
            if not self._users[user_id]:
                del self._users[user_id]
