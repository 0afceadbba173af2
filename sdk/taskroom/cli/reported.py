"""What ``taskroom run`` and ``taskroom pipe`` share: how the run begins, and the wait for the server at its end."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import uuid
from typing import Any

from taskroom.cli.faults import Fault, say
from taskroom.cli.params import params
from taskroom.cli.reporter import About
from taskroom.cli.reporting import Reporting, Unreported
from taskroom.cli.settings import missing
from taskroom.cli.signals import Received, Signals
from taskroom.limits import TITLE_LIMIT, TYPE_LIMIT
from taskroom.server import KEY, URL, outer_run
from taskroom.texts import clean, cut
from taskroom.values import name as name_of

LEASE_SECONDS = 900  # a killed taskroom is reported at once; this is for a machine that is gone
SHORTEST_LEASE, LONGEST_LEASE = 5, 86_400  # that a server takes
LINGER_SECONDS = 1.2
LONGEST_LINGER = 86_400.0
GOING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Adds those of any command that is reported."""
    parser.add_argument("--title", metavar="TEXT", help="what lists show of it (default: its name)")
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter to show; may be given again",
    )
    parser.add_argument(
        "--lease", type=int, default=LEASE_SECONDS, metavar="SECONDS",
        help="the run is lost when the server hears nothing for so long; 0: never (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--linger", type=float, default=LINGER_SECONDS, metavar="SECONDS",
        help="how long to wait at the end until the server has everything (default: %(default)s); what it has not "
        "then is sent in the background, or with taskroom sync",
    )  # fmt: skip
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing of Taskroom itself")


def begin(given: argparse.Namespace, name: str) -> tuple[Unreported, str | None]:
    """Begins the run. Returns it and its id, which is None when it is reported nowhere: that stops no command. Raises
    Fault for options that cannot be."""
    if given.lease and not SHORTEST_LEASE <= given.lease <= LONGEST_LEASE:
        raise Fault(f"--lease is 0, or from {SHORTEST_LEASE} to {LONGEST_LEASE:,} seconds, not {given.lease}")
    if not 0 <= given.linger <= LONGEST_LINGER:
        raise Fault(f"--linger is from 0 to {LONGEST_LINGER:,.0f} seconds, not {given.linger}")
    why = missing(given.url)
    task: dict[str, Any] = {
        "job_type": name_of(name)[:TYPE_LIMIT],
        "params": params(given.param),
        "parent_id": outer_run(),
        "worker": f"{socket.gethostname()}/{os.getpid()}",
        "lease_seconds": given.lease,
    }
    if given.title is not None:
        task["title"] = cut(clean(given.title), TITLE_LIMIT)
    url = (given.url or os.environ.get(URL, "")).rstrip("/")
    about = About(str(uuid.uuid4()), task, url, os.environ.get(KEY, ""))
    if why is None:
        try:
            run = Reporting(about)
        except OSError as error:
            why = f"no process can be started for that: {error.strerror}"
    if why is not None:
        if not given.quiet:
            say(f"this run is reported nowhere: {why}")
        return Unreported(), None
    if not given.quiet and sys.stderr is not None and sys.stderr.isatty():
        say(f"{url}/runs/{about.id}")
    return run, about.id


def wait(run: Unreported, signals: Signals, given: argparse.Namespace) -> None:
    """Waits until the server has the run, not for ever, and not after Ctrl-C. Says what became of it."""
    going = False

    def take(received: Received) -> None:
        nonlocal going
        going = received.number in GOING

    signals.wait(lambda: run.over or going, take, given.linger)
    if run.note and not given.quiet:
        say(run.note)
