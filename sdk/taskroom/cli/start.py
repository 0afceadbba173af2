"""``taskroom start``: starts a job that Taskroom's own workers run."""

from __future__ import annotations

import argparse
import sys

from taskroom.cli.api import Api
from taskroom.cli.params import params
from taskroom.cli.settings import settings
from taskroom.cli.watch import ENDINGS, watch


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = f"With --wait, {ENDINGS}"
    parser.add_argument("type", metavar="TYPE", help="the job type")
    parser.add_argument(
        "params", nargs="*", metavar="NAME=VALUE", help="its parameters; a value may be JSON, as in limit=5"
    )
    parser.add_argument("--title", metavar="TEXT", help="what lists show of the run")
    parser.add_argument("--wait", action="store_true", help="watch it until its end")


def call(given: argparse.Namespace) -> int:
    """Prints the id of the run, alone; with --wait how it gets on."""
    api = Api(settings(given))
    body = {"job_type": given.type, "params": params(given.params)}
    if given.title is not None:
        body["title"] = given.title
    run = api.post("agent/start", body)["task_id"]
    if given.wait:
        print(api.page(run), file=sys.stderr)
        return watch(api, run)
    print(run)
    return 0
