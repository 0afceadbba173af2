"""The scenarios by name, in the order of the runs and of the table."""

from __future__ import annotations

from collections.abc import Callable

from bench.contest import Contest
from bench.figures import Figure
from bench.scenarios import (
    dashboard,
    hostile,
    ingest,
    instrument,
    life,
    lists,
    proxied,
    rooms,
    scale,
    team,
    trouble,
    users,
)

Scenario = Callable[[Contest], list[Figure]]

SCENARIOS: dict[str, Scenario] = {
    "busy-sse": rooms.busy_sse,
    "busy-socketio": rooms.busy_socketio,
    "quiet-sse": rooms.quiet_sse,
    "quiet-socketio": rooms.quiet_socketio,
    "one-viewer": scale.one_viewer,
    "ten-thousand": scale.ten_thousand,
    "memory": rooms.memory,
    "thousand-tasks": scale.thousand_tasks,
    "worker": life.worker,
    "reconnect": trouble.reconnect,
    "join-storm": trouble.join_storm,
    "proxied": proxied.proxied,
    "rings": scale.rings,
    "stalled": trouble.stalled,
    "life": life.life,
    "instrument": instrument.instrument,
    "users": users.users,
    "one-user": users.one_user,
    "lists": lists.lists,
    "team": team.team,
    "ingest": ingest.ingest,
    "dashboard": dashboard.dashboard,
    "hostile": hostile.hostile,
}
