"""Greenlets of gevent inherit the current run."""

from __future__ import annotations

from contextvars import copy_context
from typing import Any

from taskroom import context

_installed = False


def install() -> None:
    """Changes how gevent, which must be installed, starts greenlets in this process."""
    global _installed
    if not _installed:
        import gevent

        gevent.Greenlet.add_spawn_callback(_inherit)
        _installed = True


def _inherit(greenlet: Any) -> None:
    """Hands on the context of the code that spawns the greenlet: by itself it would begin with an empty one."""
    if context.find() is not None:
        greenlet.gr_context = copy_context()
