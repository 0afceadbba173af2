"""How this process appends to streams from anywhere in its code: a web process by its pool, a worker by its own."""

from __future__ import annotations

from collections.abc import Callable

from psycopg2.extensions import cursor as Cursor

from app.stream.store import Appended

Step = Callable[[Cursor], Appended]

_append: Callable[[Step], Appended] | None = None


def use(append: Callable[[Step], Appended]) -> None:
    """From here on ``append`` goes this way."""
    global _append
    _append = append


def append(step: Step) -> Appended:
    """Runs the step in a transaction and publishes after its commit. Raises StoreAway."""
    if _append is None:
        # A script, or a worker: made of the environment when first needed.
        from workers.runtime import runtime

        return runtime().append(step)
    return _append(step)
