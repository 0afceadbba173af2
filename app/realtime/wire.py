"""What both wires say besides events: control messages, and how a stream ended."""

from __future__ import annotations

import random
from typing import Any

from app.services import Services
from app.stream.viewer import Viewer


def end_message(parts: Services, viewer: Viewer) -> dict[str, Any]:
    """How the stream ended: the last event of a task says it."""
    room = viewer.room
    last = room.after(room.head - 1) or parts.store.after(room.stream, room.head - 1, 1)
    return {"stream": room.stream, "status": last[0].decoded().get("status") if last else None}


def retry_ms() -> int:
    """How long a cut client waits, spread so that thousands do not come back at the same moment."""
    return random.randint(1_000, 3_000)
