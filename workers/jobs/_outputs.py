"""Files that knowledge_base leaves behind: where they lie, and which of them may go."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import time
from contextlib import suppress
from pathlib import Path

DAY_SECONDS = 86_400


def folder() -> Path:
    """Of this machine; made when it is not there. Raises OSError where somebody else has it."""
    home = os.environ.get("TASKROOM_HOME")
    if home:
        found = Path(home) / "data" / "knowledge_base"
        found.mkdir(parents=True, exist_ok=True)
        return found
    found = Path(tempfile.gettempdir()) / f"taskroom-knowledge-base-{os.getuid()}"
    found.mkdir(mode=0o700, exist_ok=True)
    if found.is_symlink() or found.stat().st_uid != os.getuid():
        raise PermissionError(f"{found} is another user's; set TASKROOM_HOME")
    return found


def name_for(root: Path, pattern: str, limit: int) -> str:
    """The same for the same run: its output replaces the one before."""
    slug = re.sub(r"[^A-Za-z0-9_]+", "-", root.name)[:60].strip("-") or "root"
    digest = hashlib.sha256(f"{root}\0{pattern}\0{limit}".encode("utf-8", "surrogatepass"))
    return f"{slug}-{digest.hexdigest()[:12]}.jsonl"


def sweep(found: Path, days: int, most: int) -> int:
    """Deletes what was written more than ``days`` ago, and the oldest beyond ``most`` bytes in all; 0 sets no limit.
    The newest stays. Returns how many went. Raises OSError."""
    files, now = [], time.time()
    for path in found.iterdir():
        with suppress(FileNotFoundError):  # another process sweeps too
            told = path.stat()
            # One that begins with a dot is being written, or was when its process died.
            if not path.name.startswith(".") or told.st_mtime < now - DAY_SECONDS:
                files.append((told.st_mtime, told.st_size, path))
    gone, size = 0, 0
    for n, (written, bytes_of_it, path) in enumerate(sorted(files, reverse=True)):
        size += bytes_of_it
        old = days and written < now - days * DAY_SECONDS
        if old or (n and most and size > most):
            path.unlink(missing_ok=True)
            gone += 1
    return gone
