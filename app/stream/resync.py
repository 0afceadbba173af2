"""The answer to a cursor that cannot be answered exactly: it names the gap instead of hiding it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resync:
    """Sent to the viewer before any event; the viewer goes on after ``cursor``."""

    stream: str
    reason: str  # beyond_head or pruned
    oldest: int  # the first sequence that is still kept
    head: int

    @property
    def cursor(self) -> int:
        return self.oldest - 1 if self.reason == "pruned" else self.head

    @classmethod
    def of(cls, stream: str, cursor: int, pruned_to: int, head: int) -> Resync | None:
        """Says why this cursor cannot be answered; None when it can."""
        if cursor > head:
            return cls(stream, "beyond_head", pruned_to + 1, head)
        return cls(stream, "pruned", pruned_to + 1, head) if cursor < pruned_to else None

    def message(self) -> dict[str, object]:
        """The fields that are sent to the client."""
        return {"stream": self.stream, "reason": self.reason, "oldest": self.oldest, "head": self.head}
