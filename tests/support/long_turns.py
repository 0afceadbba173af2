"""Requests that hold up the loop of a web process, and one that only looks as if it did."""

from __future__ import annotations

import time
from typing import Any

from app import green
from app.services import services

SECONDS = 0.2


def put_in() -> None:
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
    """One call after the other that keeps the interpreter's lock while it lasts."""
    end = time.thread_time() + SECONDS
    while time.thread_time() < end:
        sum(range(3_000_000))
    return "computed"


def blocks() -> str:
    """What no greenlet knows of: the whole process waits."""
    green.real_threading().Event().wait(SECONDS)
    return "blocked"


def reads() -> str:
    """Computes over what it has read, which comes at the same time as what others read."""
    with services().read() as conn, conn.cursor() as cur:
        cur.execute(
            "SELECT pg_sleep(ceil(extract(epoch FROM clock_timestamp())) + 1 - extract(epoch FROM clock_timestamp()))"
        )
    return computes()


def waits() -> str:
    time.sleep(SECONDS)
    return "waited"
