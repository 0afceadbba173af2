"""One attacker: reads an Order, prints that it is ready, attacks after an input line, then prints the responses."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

from bench import proc
from bench.hostile import requests, sockets
from bench.hostile.target import Order, Target

KINDS: dict[str, Callable[[Target], None]] = {
    "fragments": sockets.fragments,
    "pings": sockets.pings,
    "pipelining": requests.pipelining,
    "dripping headers": requests.dripping_headers,
    "huge JSON": requests.huge_json,
    "deep JSON": requests.deep_json,
    "many rooms": sockets.many_rooms,
    "rejoins": sockets.rejoins,
    "wrong passwords": requests.wrong_passwords,
    "large lists": requests.large_lists,
    "rare searches": requests.rare_searches,
    "slow downloads": requests.slow_downloads,
    "bad handshakes": requests.bad_handshakes,
    "half-open peers": sockets.half_open,
}


def main() -> None:
    proc.raise_file_limit()
    order = Order.read(sys.stdin.readline())
    print("ready", flush=True)
    sys.stdin.readline()
    target = Target(order)
    KINDS[order.kind](target)
    print(json.dumps(target.answers), flush=True)


if __name__ == "__main__":
    main()
