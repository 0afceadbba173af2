"""The attackers by name."""

from __future__ import annotations

from collections.abc import Callable

from bench.hostile import observed, reports, requests, sockets
from bench.hostile.target import Target

KINDS: dict[str, Callable[[Target], None]] = {
    "fragments": sockets.fragments,
    "pings": sockets.pings,
    "pipelining": requests.pipelining,
    "dripping headers": requests.dripping_headers,
    "huge JSON": requests.huge_json,
    "deep JSON": requests.deep_json,
    "worker batches": reports.worker_batches,
    "reported tasks": observed.reported_tasks,
    "many rooms": sockets.many_rooms,
    "rejoins": sockets.rejoins,
    "wrong passwords": requests.wrong_passwords,
    "large lists": requests.large_lists,
    "rare searches": requests.rare_searches,
    "slow downloads": requests.slow_downloads,
    "bad handshakes": requests.bad_handshakes,
    "half-open peers": sockets.half_open,
}
