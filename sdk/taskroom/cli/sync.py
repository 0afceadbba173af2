"""``taskroom sync``: sends what waits on this machine because the server was away."""

from __future__ import annotations

import argparse
import logging

from taskroom._transport import sync
from taskroom.cli.faults import STATUS, Fault, say
from taskroom.cli.settings import settings


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--timeout",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="while it is away (default: %(default)s)",
    )
    parser.add_argument("--other-keys", action="store_true", help="also what was to be sent with other keys")


def call(given: argparse.Namespace) -> int:
    where = settings(given)
    if not given.timeout >= 0:
        raise Fault(f"--timeout is a number of seconds, not {given.timeout}")
    if where.spool is None:
        raise Fault("nothing is kept on this machine: TASKROOM_SPOOL says so")
    why = _Last()
    logging.getLogger("taskroom").addHandler(why)
    found = sync(where, timeout=given.timeout, other_keys=given.other_keys)
    if found.batches:
        print(f"{found.events:,} events in {found.batches:,} batches were sent to {where.url}")
    elif found.complete and not found.other_events:
        print("nothing waits to be sent")
    if found.other_events:
        others = f"{found.other_events:,} events wait for {where.url} that were said with other keys"
        print(f"{others}: taskroom sync --other-keys sends them with this one")
    if found.refused_events:
        say(f"{found.refused_events:,} events were refused: {found.refusal}")
    if found.given_up_events or found.torn_bytes or not found.complete:
        say(why.text or "not all was sent")
        return STATUS
    return STATUS if found.refused_events else 0


class _Last(logging.Handler):
    """Has the last warning of the transport."""

    text: str | None = None

    def emit(self, record: logging.LogRecord) -> None:
        self.text = record.getMessage()
