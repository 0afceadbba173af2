"""Which Taskroom a command asks."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from taskroom.cli.faults import Fault
from taskroom.server import KEY, URL

if TYPE_CHECKING:
    from taskroom._transport import Settings

PAGE = "/settings/keys"


def missing(url: str | None) -> str | None:
    """What to set, and where to find it; None when all is set."""
    url = url or os.environ.get(URL)
    if not url:
        return (
            f"set {URL} to the address of your Taskroom, such as https://rooms.example.org, "
            f"and {KEY} to a key of its page API keys ({PAGE})"
        )
    if not os.environ.get(KEY):
        return f"set {KEY} to a key of the page API keys: {url.rstrip('/')}{PAGE}"
    return None


def settings(arguments: argparse.Namespace) -> Settings:
    """The server and the key of the arguments and the environment. Raises Fault."""
    if why := missing(arguments.url):
        raise Fault(why)
    from taskroom._transport import Settings  # not for ``missing``: a command must start soon

    try:
        return Settings.of(arguments.url)
    except ValueError as error:
        raise Fault(str(error)) from None
