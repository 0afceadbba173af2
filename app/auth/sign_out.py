"""Ends a session in every web process: refuses its tokens and closes its connections."""

from __future__ import annotations

from collections.abc import Callable

from app.auth.revocations import Revocations
from app.stream.hub import Hub
from app.stream.publisher import Publisher


class SignOut:
    """``closers`` close the other connections of a session, beside its viewers; each gets the session's id."""

    def __init__(self, revocations: Revocations, hub: Hub, publisher: Publisher) -> None:
        self._revocations, self._hub, self._publisher = revocations, hub, publisher
        self.closers: list[Callable[[str], None]] = []

    def everywhere(self, session_id: str) -> None:
        """Ends the session here, and through Redis in the other processes. A process without Redis reads it in
        Postgres."""
        self.here(session_id)
        self._publisher.control(session_id)

    def here(self, session_id: str) -> None:
        self._revocations.add(session_id)  # first: connections that open after the closing must be refused
        self._hub.close_viewers("signed_out", session_id)
        for close in self.closers:
            close(session_id)
