"""What one web process is made of, built in create_app and reached through ``services()``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from flask import current_app

from app.auth.owners import Owners
from app.auth.passwords import Passwords
from app.auth.revocations import Revocations
from app.auth.tokens import Claims
from app.config import Config
from app.green.unsent import Unsent
from app.http.attempts import Attempts
from app.http.concurrency import Downloads, Reports, Shares
from app.observability.gc_tuning import Leftovers
from app.observability.metrics import Metrics
from app.realtime.joins import Joins
from app.realtime.presence import Presence
from app.realtime.sse_connection import SseWires
from app.realtime.strangers import Strangers
from app.stream.broker import Publisher
from app.stream.hub import Hub
from app.stream.store import Connect, Store
from app.stream.transaction import Begin
from app.tasks.dispatch import Dispatcher
from app.tasks.rounds import Rounds
from app.webhooks.poller import Courier


@dataclass(slots=True)
class Services:
    config: Config
    transaction: Begin
    read: Connect  # for single statements
    store: Store
    hub: Hub
    publisher: Publisher
    dispatcher: Dispatcher
    rounds: Rounds
    revocations: Revocations
    courier: Courier
    claims: Claims
    owners: Owners
    joins: Joins
    strangers: Strangers
    attempts: Attempts
    passwords: Passwords
    shares: Shares
    reports: Reports
    downloads: Downloads
    unsent: Unsent
    metrics: Metrics
    leftovers: Leftovers
    streams: SseWires
    presence: Presence
    session_enders: list[Callable[[str], None]] = field(default_factory=list)
    # Each sends away what the hub does not know of.
    drainers: list[Callable[[], None]] = field(default_factory=list)

    def start(self) -> None:
        """Starts the threads of a serving process; commands do not need them."""
        self.metrics.start()
        self.leftovers.start()
        self.revocations.start()
        self.hub.start()
        self.presence.start()
        self.rounds.start()
        self.courier.start()

    def stop(self) -> None:
        self.courier.stop()
        self.rounds.stop()
        self.hub.stop()
        self.presence.stop()
        for drain in self.drainers:
            drain()
        self.revocations.stop()
        self.leftovers.stop()
        self.metrics.stop()

    def session_ended(self, session_id: str) -> None:
        """Refuses the session's tokens from here on and closes what it has open in this process; the others
        hear of it through Redis or read of it."""
        self.revocations.add(session_id)  # first: what opens after the closing must be refused
        self.hub.close_viewers("signed_out", session_id)
        for end in self.session_enders:
            end(session_id)


def services() -> Services:
    return cast(Services, current_app.extensions["taskroom"])
