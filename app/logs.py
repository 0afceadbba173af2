"""How the web process logs: one line a record on stderr, and nothing that would let a reader in."""

from __future__ import annotations

import logging
import re

# A token, and what stands in a query: exceptions and the server quote requests.
_SECRETS = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*|(?<=[?&])[^\s\"']+")


class Discreet(logging.Formatter):
    """Whoever logs, of whatever library: a net below the care that is taken elsewhere."""

    def format(self, record: logging.LogRecord) -> str:
        return _SECRETS.sub("…", super().format(record))


def configure_logging() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(Discreet("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    # Tickets stand in queries; these would log them. A server of Socket.IO that has no level adds its own handler.
    for name in (
        "engineio",
        "engineio.server",
        "socketio",
        "socketio.server",
        "httpx",
        "werkzeug",
        "alembic",
    ):
        logging.getLogger(name).setLevel(logging.WARNING)
