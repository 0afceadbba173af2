"""``taskroom watch``: how a run gets on, until its end. The exit status is the run's."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Protocol

from taskroom.cli import ids
from taskroom.cli.api import Api
from taskroom.cli.faults import Fault, say
from taskroom.cli.fold import ENDS, State
from taskroom.cli.plain import Plain
from taskroom.cli.settings import settings
from taskroom.cli.sse import follow
from taskroom.cli.text import one_line

TYPES = "task_status,phase_update,phase_complete"
ENDINGS = f"exit status: {', '.join(f'{status} {code}' for status, code in ENDS.items())}"


class Display(Protocol):
    """Shows a state, and what changes it."""

    def begin(self, state: State) -> None: ...

    def changed(self, type: str, state: State, event: dict[str, object]) -> None: ...

    def end(self, state: State) -> None: ...


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = ENDINGS
    parser.add_argument("run", metavar="ID", help=ids.HELP)
    parser.add_argument(
        "--json", action="store_true", help="every event as a line of JSON, from the first on"
    )


def call(given: argparse.Namespace) -> int:
    api = Api(settings(given))
    run = ids.find(api, given.run)
    return events(api, run) if given.json else watch(api, run)


def watch(api: Api, run: str) -> int:
    """Shows the run until its end. Returns the exit status."""
    state = State(api.get(f"tasks/{run}/status"))
    display = _display()
    display.begin(state)
    try:
        while not state.has_ended:
            for message in follow(api, run, state.sequence, types=TYPES):
                if message.type == "resync":  # what changed the state is not kept any more
                    break
                if "sequence" in message.data:
                    state.apply(message.type, message.data)
                    display.changed(message.type, state, message.data)
            if not state.has_ended:
                state = State(api.get(f"tasks/{run}/status"))
                display.begin(state)
    finally:
        display.end(state)
    for line in _failures_below(api, run):
        print(line)
    return ENDS[state.task["status"]]


def _failures_below(api: Api, run: str) -> Iterator[str]:
    """Yields what failed below a run that has ended, as the body of a chord: the run's own status does not tell."""
    try:
        below = api.get("tasks", parent_id=run, limit=1).get("below") or {}
    except Fault as fault:  # the exit status is the run's all the same
        say(f"cannot tell what failed below the run: {fault}")
        return
    if below.get("failed"):
        tasks = "task" if below["failed"] == 1 else "tasks"
        yield f"{'' if below['complete'] else 'at least '}{below['failed']:,} {tasks} below failed:"
    for failure in below.get("failures", ()):
        yield "  ".join(one_line(failure[name]) for name in ("task_id", "title", "message"))


def events(api: Api, run: str) -> int:
    """Prints all events. Returns the exit status of the run."""
    status = None
    for message in follow(api, run, 0):
        if "sequence" in message.data or message.type == "resync":
            print(json.dumps({"type": message.type, **message.data}), flush=True)
        if message.type == "task_status":
            status = message.data["status"]
    if status not in ENDS:  # what said so is no longer kept
        status = api.get(f"tasks/{run}/status")["task"]["status"]
    return ENDS[status]


def _display() -> Display:
    if sys.stdout.isatty():
        try:
            from taskroom.cli.bars import Bars
        except ImportError:  # rich is not installed
            pass
        else:
            return Bars()
    return Plain()
