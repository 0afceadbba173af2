"""Messages of other emitters through Redis into rooms where they reach no client: they are counted and logged, for the
emitters get no error."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from app.realtime.socketio import engineio_adapter

logger = logging.getLogger("taskroom.sockets")

# The rooms of these streams are the hub's, where every event has a sequence.
STREAMS = ("task:", "user:", "broadcast")


class ForeignEmits:
    """``manager`` is the library's, which receives them. They are all counted, and the first is logged."""

    def __init__(self, manager: Any) -> None:
        self.dropped = 0  # since the start
        if not engineio_adapter.observe_emits(manager, self.emitted):
            logger.warning(
                "this socketio looks different inside: what others emit into streams is not counted"
            )

    def emitted(self, message: Mapping[str, Any]) -> None:
        room = message.get("room")
        rooms = [room] if isinstance(room, str) else room if isinstance(room, Iterable) else ()
        for name in rooms:
            if isinstance(name, str) and name.startswith(STREAMS):
                self.dropped += 1
                if self.dropped == 1:
                    logger.warning(
                        "an emitter sends %r to %r, where it reaches no client: events of a stream have a sequence. "
                        "Publish it (docs/bus.md) or send it to another room; more of them are only counted",
                        *(str(text)[:100] for text in (message.get("event"), name)),
                    )
