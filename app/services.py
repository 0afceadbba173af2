"""The parts of one web process, composed in create_app, and accessible by ``services()``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, cast

from flask import current_app

from app.config import Config
from app.stream.store import Connect, Store
from app.stream.transaction import Begin

Part = TypeVar("Part")


@dataclass(slots=True)
class Services:
    """Fields are the parts that every package uses. Other parts are accessible by their class,
    ``services()[Passwords]``, so that this module imports no package above it."""

    config: Config
    transaction: Begin
    read: Connect  # for single statements that only read
    write: Connect  # for single statements that write; refused at once while Postgres is read-only
    store: Store
    starts: list[Callable[[], None]] = field(default_factory=list)  # starts threads
    stops: list[Callable[[], None]] = field(default_factory=list)
    _parts: dict[type, object] = field(default_factory=dict)

    def add(self, *parts: object) -> None:
        self._parts |= {type(part): part for part in parts}

    def __getitem__(self, kind: type[Part]) -> Part:
        return cast(Part, self._parts[kind])

    def start(self) -> None:
        """Starts the threads, in the order of composition. Commands need none."""
        for start in self.starts:
            start()

    def stop(self) -> None:
        for stop in self.stops:
            stop()


def services() -> Services:
    """Returns the parts of the web process of the current request or command."""
    return cast(Services, current_app.extensions["taskroom"])
