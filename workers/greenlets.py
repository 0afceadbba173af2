"""What the pool gevent needs: greenlets inherit the current run, and wait for Postgres without stopping all others."""

from __future__ import annotations

from typing import Any

import gevent.monkey
import psycopg2
from gevent.socket import wait_read, wait_write
from psycopg2.extensions import POLL_OK, POLL_READ, set_wait_callback

from taskroom import greenlets

# Beyond every limit of the server and of a connection attempt. libpq keeps no limits of its own in this mode.
SILENCE_SECONDS = 30.0


def install() -> None:
    """Raises SystemExit with one line when Celery has not patched the standard library."""
    if not gevent.monkey.is_module_patched("threading"):
        raise SystemExit("the pool gevent must be named on the command line: celery … worker --pool gevent")
    set_wait_callback(_wait)  # gevent patches Python's sockets, and libpq is C
    greenlets.install()


def _wait(connection: Any) -> None:
    """Waits until the connection has its answer. Raises OperationalError, which closes it, after SILENCE_SECONDS."""
    while (state := connection.poll()) != POLL_OK:
        wait = wait_read if state == POLL_READ else wait_write
        silence = psycopg2.OperationalError(f"no answer in {SILENCE_SECONDS:.0f} s")
        wait(connection.fileno(), timeout=SILENCE_SECONDS, timeout_exc=silence)
