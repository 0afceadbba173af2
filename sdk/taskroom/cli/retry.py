"""``taskroom retry``: starts an ended run again, as a new one, with the same parameters or with some changed."""

from __future__ import annotations

import argparse
import sys

from taskroom.cli import ids
from taskroom.cli.api import Api
from taskroom.cli.faults import Fault, say
from taskroom.cli.params import params
from taskroom.cli.settings import settings
from taskroom.cli.started_again import started_again
from taskroom.cli.watch import ENDINGS, watch


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = f"With --wait, {ENDINGS}"
    parser.add_argument("run", metavar="ID", help=ids.HELP)
    parser.add_argument(
        "params", nargs="*", metavar="NAME=VALUE", help="parameters that change; then the new run is yours"
    )
    parser.add_argument("--wait", action="store_true", help="watch the new run until its end")


def call(given: argparse.Namespace) -> int:
    """Prints the id of the new run, alone; with --wait how it gets on. A run that others report is started by them:
    then there is no id yet, and --wait waits for it."""
    api = Api(settings(given))
    ended = ids.find(api, given.run)
    if given.params:
        return _show(api, given, _changed(api, ended, given.params))
    answer = api.post(f"tasks/{ended}/retry")
    run = answer["task_id"]
    if run == ended:
        asked = "who reports this run is asked to start it again"
        if not given.wait:
            say(f"{asked}; taskroom ls shows it once it has begun")
            return 0
        say(f"{asked}; waiting until it has begun")
        run = started_again(api, answer.get("retry_of", ended))
    return _show(api, given, run)


def _changed(api: Api, ended: str, pairs: list[str]) -> str:
    """Starts a run with the parameters of the ended one, some of them changed; returns its id. Raises Fault."""
    task = api.get(f"tasks/{ended}/status")["task"]
    if task["observed"]:
        raise Fault("who reports this run starts it again as it was; leave the parameters out")
    body = {name: task[name] for name in ("job_type", "title", "intent")}
    changed = {**(task["params"] or {}), **params(pairs)}
    return str(api.post("agent/start", {**body, "params": changed, "again_of": ended})["task_id"])


def _show(api: Api, given: argparse.Namespace, run: str) -> int:
    if given.wait:
        print(api.page(run), file=sys.stderr)
        return watch(api, run)
    print(run)
    return 0
