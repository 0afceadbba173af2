"""Requests that block the loop of a web process, and one that only waits."""

from __future__ import annotations

import time
from typing import Any

from app import green
from app.services import services

SECONDS = 0.2


def install() -> None:
    import wsgi

    make = wsgi.create_app

    def made(config: Any) -> Any:
        app = make(config)
        for view in (computes, in_a_library, blocks, waits, reads):
            app.add_url_rule(f"/long/{view.__name__}", view_func=view)
        return app

    wsgi.create_app = made


def computes() -> str:
    end = time.thread_time() + SECONDS
    while time.thread_time() < end:
        pass
    return "computed"


def in_a_library() -> str:
    """Calls a function again and again that keeps the interpreter's lock."""
    end = time.thread_time() + SECONDS
    while time.thread_time() < end:
        sum(range(3_000_000))
    return "computed"


def blocks() -> str:
    """Blocks the operating-system thread, so the whole process waits."""
    green.real_threading().Event().wait(SECONDS)
    return "blocked"


def reads() -> str:
    """Computes after a query that returns at the same time as those of other requests."""
    with services().read() as conn, conn.cursor() as cur:
        cur.execute(
            "SELECT pg_sleep(ceil(extract(epoch FROM clock_timestamp())) + 1 - extract(epoch FROM clock_timestamp()))"
        )
    return computes()


def waits() -> str:
    time.sleep(SECONDS)
    return "waited"
