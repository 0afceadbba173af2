"""How the web process logs: one line a record on stderr, and no address of a request with its query."""

from __future__ import annotations

import logging


def configure_logging() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # Tickets stand in queries; these would log them.
    for name in ("engineio", "socketio", "httpx", "werkzeug", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
