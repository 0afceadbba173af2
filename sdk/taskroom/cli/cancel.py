"""``taskroom cancel``: asks a run to end."""

from __future__ import annotations

import argparse

from taskroom.cli import ids
from taskroom.cli.api import Api
from taskroom.cli.settings import settings


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="ID", help=ids.HELP)


def call(given: argparse.Namespace) -> int:
    """Prints the status that the run has now: one that runs ends at its next report."""
    api = Api(settings(given))
    print(api.post(f"tasks/{ids.find(api, given.run)}/cancel")["status"])
    return 0
