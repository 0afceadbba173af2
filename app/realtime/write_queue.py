"""The write queue of a connection that several viewers share: in what order they may write."""

from __future__ import annotations

from app.stream.viewer import Viewer


class WriteQueue:
    """The viewers that wait until the connection takes more, the next one first."""

    def __init__(self) -> None:
        self._waiting: dict[Viewer, None] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def wait(self, viewer: Viewer) -> None:
        self._waiting[viewer] = None

    def discard(self, viewer: Viewer) -> None:
        self._waiting.pop(viewer, None)

    def serve(self) -> None:
        """Lets one viewer after the other write, until one has to wait again: next time the others come first."""
        waiting, self._waiting = self._waiting, {}
        while waiting:
            viewer = next(iter(waiting))
            del waiting[viewer]
            viewer.ready()
            if viewer in self._waiting:
                self._waiting = waiting | self._waiting
                break
