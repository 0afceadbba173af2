"""The attackers by name."""

from __future__ import annotations

from collections.abc import Callable

from bench.hostile import compressed, headers, observed, reports, requests, sockets, streams
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
    "compressed bodies": compressed.compressed_bodies,
    "long headers": headers.long_headers,
    "many rooms": sockets.many_rooms,
    "rejoins": sockets.rejoins,
    "own filters": streams.own_filters,
    "crowded ends": streams.crowded_ends,
    "wrong passwords": requests.wrong_passwords,
    "large lists": requests.large_lists,
    "rare searches": requests.rare_searches,
    "slow downloads": requests.slow_downloads,
    "bad handshakes": requests.bad_handshakes,
    "half-open peers": sockets.half_open,
}
