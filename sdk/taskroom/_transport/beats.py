"""What workers, queues and beats said of themselves last."""

from __future__ import annotations

from typing import Any

from taskroom._transport.encoding import encode_fields

MOST = 200  # of each kind, which the server takes at once

WORKERS, QUEUES, SCHEDULES = KINDS = "workers", "queues", "schedules"


class Beats:
    """Needs no lock. What a worker said before is of no use any more, and nothing of it is kept while the server is
    away."""

    def __init__(self) -> None:
        self._said = _nothing()

    def __bool__(self) -> bool:
        return any(self._said.values())

    def add(self, kind: str, fields: dict[str, Any]) -> None:
        """``kind`` is one of KINDS."""
        said, name = self._said[kind], str(fields.get("name"))
        if len(said) < MOST or name in said:
            said[name] = fields

    def take(self) -> dict[str, list[bytes]]:
        """The JSON of what was said since the last call, by kind."""
        said, self._said = self._said, _nothing()
        return {
            kind: [encode_fields(fields) for fields in list(of.values())] for kind, of in said.items() if of
        }


def _nothing() -> dict[str, dict[str, dict[str, Any]]]:
    return {kind: {} for kind in KINDS}
