"""``taskroom retry``: starts an ended run again, as a new one."""

from __future__ import annotations

import argparse
import sys

from taskroom.cli import ids
from taskroom.cli.api import Api
from taskroom.cli.faults import say
from taskroom.cli.settings import settings
from taskroom.cli.started_again import started_again
from taskroom.cli.watch import ENDINGS, watch


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = f"With --wait, {ENDINGS}"
    parser.add_argument("run", metavar="ID", help=ids.HELP)
    parser.add_argument("--wait", action="store_true", help="watch the new run until its end")


def call(given: argparse.Namespace) -> int:
    """Prints the id of the new run, alone; with --wait how it gets on. A run that others report is started by them:
    then there is no id yet, and --wait waits for it."""
    api = Api(settings(given))
    ended = ids.find(api, given.run)
    answer = api.post(f"tasks/{ended}/retry")
    run = answer["task_id"]
    if run == ended:
        asked = "who reports this run is asked to start it again"
        if not given.wait:
            say(f"{asked}; taskroom ls shows it once it has begun")
            return 0
        say(f"{asked}; waiting until it has begun")
        run = started_again(api, answer.get("retry_of", ended))
    if given.wait:
        print(api.page(run), file=sys.stderr)
        return watch(api, run)
    print(run)
    return 0
