"""The storage that the settings choose."""

from __future__ import annotations

from pathlib import Path

from app.config import Config
from app.storage import Storage
from app.storage.files import FileStorage


def storage_of(config: Config) -> Storage | None:
    """Returns where outputs of runs are kept; None when no folder is set."""
    return FileStorage(Path(config.outputs)) if config.outputs else None
