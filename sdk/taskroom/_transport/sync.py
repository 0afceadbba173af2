"""Sends what processes that are gone left in the spool: the command ``taskroom sync``."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from taskroom._transport.availability import Availability
from taskroom._transport.backlog import Backlog
from taskroom._transport.batches import Batch
from taskroom._transport.connection import Connection
from taskroom._transport.delivery import Delivery, Outcome
from taskroom._transport.listeners import Listeners, reason
from taskroom._transport.notices import Notices
from taskroom._transport.settings import Settings
from taskroom._transport.spool import Spool


@dataclass
class Synced:
    """``events`` are stored. ``refused_events`` the server did not take, of batches that it took else, and ``refusal``
    is why; ``given_up_events`` are of batches that it refused. ``complete`` is False when it did not take all within
    the time. ``other_events`` wait for it, and were said with other keys."""

    batches: int = 0
    events: int = 0
    refused_events: int = 0
    refusal: str | None = None
    given_up_events: int = 0
    torn_bytes: int = 0
    other_events: int = 0
    complete: bool = True


def sync(
    settings: Settings | None = None,
    *,
    timeout: float = 30.0,
    other_keys: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> Synced:
    """Sends the spool of this server and key, and waits for another process that is at it. It gives up when the server
    has taken nothing for ``timeout`` seconds.

    With ``other_keys`` also what was said with other keys of this server, as if it had been with this one. Raises
    ValueError for settings that cannot be used.
    """
    settings = settings or Settings.of()
    notices, found, listeners = Notices(), Synced(), Listeners()

    def heard(batch: Batch, answer: dict[str, Any]) -> None:
        refused = listeners.heard(
            batch, answer
        )  # nobody else has to hear: the runs of these batches are over
        events = batch.events_of(refused)
        if events:
            found.refused_events += events
            found.refusal = reason(list(refused.values())[-1])

    connection = Connection(settings)
    availability = Availability(settings.limits, time.monotonic)
    delivery = Delivery(connection.post, availability, heard, notices, settings.url)
    spool = Spool(settings, notices, other_keys=other_keys)
    backlog = Backlog(spool, notices)
    deadline = time.monotonic() + timeout
    try:
        while (batch := backlog.head(wait=True)) is not None:
            if delivery.deliver(batch, lambda: None) is not Outcome.LATER:
                backlog.settle()
                found.batches += 1
                found.events += batch.events
                deadline = time.monotonic() + timeout
            elif time.monotonic() + availability.wait() >= deadline:
                found.complete = False
                break
            else:
                sleep(availability.wait())
    finally:
        backlog.release()
        connection.close()
    found.given_up_events, found.torn_bytes = delivery.given_up_events, backlog.torn
    found.events -= found.refused_events + found.given_up_events
    found.other_events = 0 if other_keys else spool.events_of_other_keys()
    return found
