"""One attacker: reads an Order, prints that it is ready, attacks after an input line, then prints the responses."""

from __future__ import annotations

import json
import sys

from bench import proc
from bench.hostile.kinds import KINDS
from bench.hostile.target import Order, Target


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
