"""The end of a session: its tokens are refused and what it has open is closed, in every web process."""

from __future__ import annotations

from collections.abc import Callable

from app.auth.revocations import Revocations
from app.stream.hub import Hub
from app.stream.publisher import Publisher


class SignOut:
    """``closers`` close what a session has open besides its viewers; each gets the id of the session."""

    def __init__(self, revocations: Revocations, hub: Hub, publisher: Publisher) -> None:
        self._revocations, self._hub, self._publisher = revocations, hub, publisher
        self.closers: list[Callable[[str], None]] = []

    def everywhere(self, session_id: str) -> None:
        """Here, and through Redis in the other processes. One that Redis does not reach reads of it in Postgres."""
        self.here(session_id)
        self._publisher.control(session_id)

    def here(self, session_id: str) -> None:
        self._revocations.add(session_id)  # first: what opens after the closing must be refused
        self._hub.close_viewers("signed_out", session_id)
        for close in self.closers:
            close(session_id)
