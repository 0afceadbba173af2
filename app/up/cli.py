"""``script/cli``: ``app.cli`` with the environment of the ``script/up`` that runs in the same home."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from app import cli
from app.up.errors import UpError
from app.up.home import Home
from app.up.settings import CHECKOUT


def main() -> None:
    arguments = cli.parse(sys.argv[1:], "script/cli")  # first, so that --help works while nothing runs
    root = Path(os.environ.get("TASKROOM_HOME") or CHECKOUT / ".taskroom")
    try:
        os.environ.update(Home.environment_in(root))
    except UpError as error:
        raise SystemExit(f"taskroom: {error}") from None
    cli.run(arguments)


if __name__ == "__main__":
    main()
