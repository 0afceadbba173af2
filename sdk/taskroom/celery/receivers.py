"""Receivers of Celery's signals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def connect(signal: Any, receiver: Callable[..., None]) -> None:
    """Connects a method of a part for as long as the process lives. Celery 5.3 knows methods by their functions alone,
    and would leave out those of a second application."""
    owner: Any = getattr(receiver, "__self__", None)
    signal.connect(receiver, weak=False, dispatch_uid=f"taskroom-{id(owner)}-{receiver.__name__}")
