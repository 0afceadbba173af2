"""``taskroom outputs``: the files that a run has saved, and one of them."""

from __future__ import annotations

import argparse
import http.client
import shutil
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from taskroom.cli import ids
from taskroom.cli.api import Api
from taskroom.cli.faults import Fault
from taskroom.cli.settings import settings
from taskroom.cli.text import one_line


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="ID", help=ids.HELP)
    parser.add_argument("name", metavar="NAME", nargs="?", help="download this one")
    parser.add_argument("-o", "--output", metavar="FILE", help="where it goes; - is stdout")


def call(given: argparse.Namespace) -> int:
    """Prints size and name of each output; with a name downloads that one, by default to its name in this folder."""
    api = Api(settings(given))
    run = ids.find(api, given.run)
    if given.name is not None:
        _download(api, f"tasks/{run}/outputs/{quote(given.name, safe='')}", given.output or given.name)
        return 0
    for output in api.get(f"tasks/{run}/outputs")["outputs"]:
        print(f"{output['size']:>12,}  {one_line(output['name'])}")
    return 0


def _download(api: Api, path: str, target: str) -> None:
    """Downloads as a whole or not at all. Never writes over a file that is there."""
    with api.download(path) as response:
        if target == "-":
            _copy(response, sys.stdout.buffer, target)
            return
        try:
            file = Path(target).open("xb")  # noqa: SIM115
        except OSError as error:
            raise Fault(f"cannot write {target}: {error.strerror}; choose another file with -o") from None
        try:
            with file:
                _copy(response, file, target)
        except BaseException:
            Path(target).unlink(missing_ok=True)
            raise


def _copy(response: Any, file: Any, target: str) -> None:
    length = int(response.headers.get("Content-Length") or 0)
    try:
        shutil.copyfileobj(response, file)
    except (OSError, http.client.HTTPException) as error:
        raise Fault(f"the download of {target} broke off: {error}; try again") from None
    if target != "-" and file.tell() != length:
        raise Fault(
            f"the download of {target} broke off after {file.tell():,} of {length:,} bytes; try again"
        )
