"""Where a run reports to: a server over HTTP, the writer of Taskroom's own workers, or nowhere."""

from __future__ import annotations

from typing import Any, Literal, Optional, Protocol

Stop = Optional[Literal["cancelled", "superseded"]]
"""Why a run should stop; None as long as it should not."""


class Sink(Protocol):
    """Takes reports from any thread, and never waits for a network. Levels, names, counts and times are already as
    events hold them; a line of the log may have any length.

    ``stop`` is set by the sink's own thread. It is an attribute, because each report reads it.
    """

    stop: Stop

    def log(
        self,
        message: str,
        level: str,
        component: str | None,
        phase: str | None,
        timestamp: str | None = None,
        item_error: bool = False,
    ) -> None:
        """Takes a line of the log. ``item_error``: it is about an item that is counted as failed."""

    def event(self, type: str, fields: dict[str, Any]) -> None:
        """Takes a ``phase_update``, a ``phase_complete`` or a ``log_group``."""

    def status(
        self, phase: str | None, message: str | None, progress: float | None, eta_seconds: float | None
    ) -> None:
        """Takes the current phase. ``progress`` is from 0 to 100; None leaves it to the phases."""


class Nowhere:
    """The sink of a run that nobody watches."""

    stop: Stop = None

    def log(
        self,
        message: str,
        level: str,
        component: str | None,
        phase: str | None,
        timestamp: str | None = None,
        item_error: bool = False,
    ) -> None:
        """Drops the line."""

    def event(self, type: str, fields: dict[str, Any]) -> None:
        """Drops the event."""

    def status(
        self, phase: str | None, message: str | None, progress: float | None, eta_seconds: float | None
    ) -> None:
        """Drops the status."""
