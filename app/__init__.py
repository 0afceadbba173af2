"""Taskroom: live rooms for background tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.config import Config


def create_app(config: Config | None = None) -> Flask:
    """Composes one web process. Raises ConfigurationError when the environment lacks or refuses something.

    The factory is imported when it is called: workers and the supervisor import this package too, and need neither
    Flask nor eventlet.
    """
    from app import factory

    return factory.create_app(config)
