"""The Celery pools that tasks may run in, and what each of them needs.

A process of ``prefork`` or ``solo`` runs one task at a time, a process of ``threads`` or ``gevent`` runs several.
"""

from __future__ import annotations

import itertools
import os
from typing import Any

from celery.concurrency import get_implementation
from celery.signals import worker_init

_NAMES = {
    "celery.concurrency.prefork": "prefork",
    "celery.concurrency.solo": "solo",
    "celery.concurrency.thread": "threads",
    "celery.concurrency.gevent": "gevent",
}

_attempts = itertools.count(1)
_shared = False


def name_of(pool: Any) -> str | None:
    """The name of a pool, which Celery has as a class or an alias; None for one that runs no tasks of ours."""
    return _NAMES.get(get_implementation(pool).__module__)


def worker_name(hostname: str) -> str:
    """A name for whoever claims an attempt. No two attempts that run at the same time have the same one: it tells a
    claim that was committed unnoticed from one that another thread made."""
    name = f"{hostname}/{os.getpid()}"
    return f"{name}/{next(_attempts)}" if _shared else name


def shared() -> bool:
    """Whether this process runs several tasks at a time."""
    return _shared


@worker_init.connect
def _check(sender: Any = None, **_: Any) -> None:
    """Raises SystemExit with one line for a pool that runs no tasks of ours."""
    global _shared
    name = name_of(sender.pool_cls)
    if name is None:
        raise SystemExit(f"tasks do not run in this pool: use --pool {', '.join(_NAMES.values())}")
    if name == "gevent":
        from workers import greenlets

        greenlets.install()
    _shared = name in ("threads", "gevent")
