"""The lines of the access log, as a collector of logs gets them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import orjson

from app.observability.log_format import formatter


class Line(NamedTuple):
    message: str
    request_id: str | None


class Trail(logging.Handler):
    """``text`` is all that was written; ``lines`` returns what is new in it."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(formatter(json=True))
        self.text = ""
        self._new: list[Line] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        fields = orjson.loads(text)
        self.text += text + "\n"
        self._new.append(Line(fields["message"], fields.get("request_id")))

    def lines(self) -> list[Line]:
        new, self._new = self._new, []
        return new


@contextmanager
def access_trail() -> Iterator[Trail]:
    trail, logger = Trail(), logging.getLogger("taskroom.access")
    level = logger.level
    logger.addHandler(trail)
    logger.setLevel(logging.INFO)
    try:
        yield trail
    finally:
        logger.removeHandler(trail)
        logger.setLevel(level)
