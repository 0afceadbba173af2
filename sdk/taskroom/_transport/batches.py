"""A batch: the bytes of one request, which are sent unchanged until the server has answered."""

from __future__ import annotations

import gzip
import json
import uuid
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from taskroom._transport.beats import KINDS

LEVEL = 3  # of compression: level 6 takes twice the time and saves a tenth of the bytes


class BrokenBatch(ValueError):
    """The bytes are no batch."""


@dataclass(frozen=True)
class Batch:
    """``body`` is gzip, of JSON that begins with the writer and the number of the batch. The server stores a batch of
    this writer and number once."""

    writer: str
    number: int
    events: int
    body: bytes

    @classmethod
    def of(cls, writer: str, number: int, events: int, rest: bytes) -> Batch:
        """``rest`` is the JSON after the number, up to its end."""
        head = b'{"writer":"%s","batch":%d,' % (writer.encode(), number)
        # Without a time in it the same batch has always the same bytes.
        return cls(writer, number, events, gzip.compress(head + rest, LEVEL, mtime=0))

    @property
    def size(self) -> int:
        """Bytes of its JSON, as the end of the gzip says."""
        return int.from_bytes(self.body[-4:], "little")

    @cached_property
    def attempts(self) -> dict[str, str | None]:
        """The attempt of each task of the batch."""
        return {row["task_id"]: row.get("attempt") for row in self._content()["tasks"]}

    def events_of(self, task_ids: Collection[str]) -> int:
        """How many of its events are of these tasks."""
        return sum(len(row["events"]) for row in self._content()["tasks"] if row["task_id"] in task_ids)

    def alone(self) -> Batch:
        """The same batch under a writer that has no other. It is named after this batch, so that the server knows a
        repeat of it, whichever process sends that."""
        return Batch.of(_name(self, ""), 1, self.events, _rest(self._content()))

    def halves(self) -> list[Batch]:
        """The batch in two, each under a writer of its own as in ``alone``; none when it cannot be divided."""
        content = self._content()
        rows = content.pop("tasks")
        if len(rows) > 1:
            middle = len(rows) // 2
            parts = [rows[:middle], rows[middle:]]
        elif rows and len(rows[0]["events"]) > 1:
            events = rows[0]["events"]
            middle = len(events) // 2
            parts = [[{**rows[0], "events": some}] for some in (events[:middle], events[middle:])]
        elif rows and content.keys() & set(KINDS):
            parts = [rows]  # without the heartbeats, of which the next come anyway
        else:
            return []
        return [
            Batch.of(_name(self, f".{n}"), 1, sum(len(row["events"]) for row in part), _rest({"tasks": part}))
            for n, part in enumerate(parts)
        ]

    def _content(self) -> dict[str, Any]:
        try:
            content = json.loads(gzip.decompress(self.body))
            for row in content["tasks"]:
                _ = row["task_id"], row["events"]
        except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
            raise BrokenBatch(str(error)) from error
        del content["writer"], content["batch"]
        return dict(content)


def _name(batch: Batch, which: str) -> str:
    return str(uuid.uuid5(uuid.UUID(batch.writer), f"{batch.number}{which}"))


def _rest(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()[1:]
