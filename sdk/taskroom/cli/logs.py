"""``taskroom logs``: the lines of a run, and with -f those that come."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from taskroom.cli import ids
from taskroom.cli.api import Api
from taskroom.cli.faults import Fault, say
from taskroom.cli.settings import settings
from taskroom.cli.sse import follow
from taskroom.cli.text import harmless, moment
from taskroom.values import LEVELS

PAGE = 1_000
UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
FIELDS = ("sequence", "timestamp", "level", "message", "component", "phase")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="ID", help=ids.HELP)
    parser.add_argument(
        "-f", "--follow", action="store_true", help="wait for further lines, until the run's end"
    )
    parser.add_argument(
        "--since",
        metavar="TIME",
        help="later ones: 30s, 10m, 2h, 1d, a time as 2026-01-31T12:00Z, or a sequence",
    )
    parser.add_argument(
        "--level", type=str.upper, choices=tuple(LEVELS), help="this level and more severe ones"
    )
    parser.add_argument("--phase", metavar="NAME", help="lines of this phase")
    parser.add_argument(
        "-t", "--timestamps", action="store_true", help="time, level and phase before each line"
    )
    parser.add_argument("--json", action="store_true", help="each line as a line of JSON")


def call(given: argparse.Namespace) -> int:
    api = Api(settings(given))
    since = _since(given.since)
    run = ids.find(api, given.run)
    show = Shown(given, terminal=sys.stdout.isatty())
    cursor = since if isinstance(since, int) else _first_since(api, run, since)
    for line in _lines(api, run, cursor, given):
        show(line)
    return 0


class Shown:
    """Prints lines. In a terminal they can do nothing to it."""

    def __init__(self, given: argparse.Namespace, terminal: bool) -> None:
        self._json, self._times, self._terminal = given.json, given.timestamps, terminal

    def __call__(self, line: Mapping[str, Any]) -> None:
        if self._json:
            text = json.dumps({name: line.get(name) for name in FIELDS})
        else:
            text = line["message"]
            if self._times:
                text = f"{line['timestamp']} {line['level']:<8} [{line.get('phase') or '-'}] {text}"
            if self._terminal:
                text = harmless(text)
        print(text, flush=self._terminal)


def _lines(api: Api, run: str, cursor: int, given: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yields the lines after the sequence ``cursor``, those that are kept and then those that come."""
    more = True
    while more:
        page = api.get(
            f"tasks/{run}/logs", since_sequence=cursor, limit=PAGE, level=given.level, phase=given.phase
        )
        _say_missing(page.get("resync"))
        yield from page["logs"]
        cursor, more = page["next_sequence"], page["has_more"]
    if not given.follow:
        return
    sys.stdout.flush()
    for message in follow(api, run, cursor, types="log", level=given.level):
        if message.type == "resync":
            _say_missing(message.data)
        elif message.type == "log" and given.phase in (None, message.data.get("phase")):
            yield message.data
            sys.stdout.flush()


def _say_missing(resync: Mapping[str, Any] | None) -> None:
    if resync and resync.get("reason") == "pruned":
        say("the lines before these are no longer kept")


def _since(text: str | None) -> int | datetime:
    """A sequence, or a time. Raises Fault."""
    if text is None:
        return 0
    if text.isdigit():
        return int(text)
    if re.fullmatch(r"\d+(\.\d+)?[smhd]", text):
        return datetime.now(timezone.utc) - timedelta(seconds=float(text[:-1]) * UNITS[text[-1]])
    try:
        return moment(text)
    except (ValueError, OverflowError):
        raise Fault(f"--since {text} is no time; give 10m, 2h, 2026-01-31T12:00Z or a sequence") from None


def _first_since(api: Api, run: str, since: datetime) -> int:
    """The sequence after which the lines are not older, found by halving: lines are about in the order of time."""
    low, high = 0, int(api.get(f"tasks/{run}/status")["sequence"])
    while low < high:
        middle = (low + high) // 2
        found = api.get(f"tasks/{run}/logs", since_sequence=middle, limit=1)["logs"]
        if found and moment(found[0]["timestamp"]) < since:
            low = max(int(found[0]["sequence"]), middle + 1)
        else:
            high = middle
    return low
