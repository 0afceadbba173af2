"""A listener of the subscription that remembers what it heard."""

from __future__ import annotations

from collections.abc import Sequence

from app.stream.event import Event


class RecordingListener:
    """Remembers what the subscription told."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, list[int], bool]] = []
        self.confirmations: list[str] = []
        self.controls: list[str] = []
        self.reconnections = 0
        self.kind_batches: list[tuple[str, list[int]]] = []
        self.openings = 0
        self.fault: Exception | None = None

    def received(self, stream: str, events: Sequence[Event], closes: bool) -> None:
        if self.fault:
            fault, self.fault = self.fault, None
            raise fault
        self.batches.append((stream, [e.sequence for e in events], closes))

    def confirmed(self, stream: str) -> None:
        self.confirmations.append(stream)

    def control_received(self, message: str) -> None:
        self.controls.append(message)

    def reconnected(self) -> None:
        self.reconnections += 1

    def kind_received(self, stream: str, events: Sequence[Event]) -> None:
        self.kind_batches.append((stream, [e.sequence for e in events]))

    def kind_confirmed(self) -> None:
        self.openings += 1
