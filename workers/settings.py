"""The configuration, read once for each process."""

from __future__ import annotations

from functools import cache

from app.config import Config


@cache
def settings() -> Config:
    """Raises ConfigurationError with one line that says what to set."""
    return Config.from_env()
