"""Sends to viewers that are behind, and parks those whose wires take no more."""

from __future__ import annotations

import time

from app.stream.codec import Data
from app.stream.viewer import Viewer, offered


class Parking(set[Viewer]):
    """The viewers that wait until their wires take more. All calls come under the hub's lock."""

    __slots__ = ()

    def park(self, viewer: Viewer) -> None:
        """Leaves the viewer alone until its wire takes more."""
        if viewer.closed is None:
            self.add(viewer)
            viewer.wire.call_when_writable(viewer)  # type: ignore[union-attr]

    def send_remainder(self, viewer: Viewer) -> bool:
        """Sends the wire's unsent remainder; False when the viewer was parked, or has been sent its end frame."""
        wire = viewer.wire
        assert wire is not None
        unsent, sent = wire.unsent, wire.send_remainder()
        if wire.unsent < unsent:
            viewer.progress_at = time.monotonic()
        if not sent:
            self.park(viewer)
        elif viewer.end_begun:
            viewer.close("ended")
        return sent and not viewer.end_begun

    def send(self, viewer: Viewer, data: Data) -> bool:
        """Sends what is no batch; False when nothing of it was taken and the viewer was parked."""
        taken = self.offer(viewer, data)
        if taken == 0:
            self.park(viewer)
        elif taken < len(data):
            viewer.wire.hold_remainder(data[taken:])  # type: ignore[union-attr]
        return taken > 0

    def offer(self, viewer: Viewer, data: Data) -> int:
        """Returns how much of the data the viewer's wire took. Raises ConnectionError when the wire is gone."""
        taken = offered(viewer, data)
        if taken < 0:
            raise ConnectionError
        if taken:
            viewer.progress_at = time.monotonic()
        return taken
