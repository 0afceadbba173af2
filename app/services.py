"""What one web process is made of, composed in create_app and reached through ``services()``."""

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
    """What every room uses, by name; what one room owns, by its class: ``services()[Passwords]``. So this module
    imports none of the rooms above it."""

    config: Config
    transaction: Begin
    read: Connect  # for single statements
    store: Store
    starts: list[Callable[[], None]] = field(default_factory=list)  # the threads of a process that serves
    stops: list[Callable[[], None]] = field(default_factory=list)
    _parts: dict[type, object] = field(default_factory=dict)

    def add(self, *parts: object) -> None:
        self._parts |= {type(part): part for part in parts}

    def __getitem__(self, kind: type[Part]) -> Part:
        return cast(Part, self._parts[kind])

    def start(self) -> None:
        """In the order of composition; commands do not need it."""
        for start in self.starts:
            start()

    def stop(self) -> None:
        for stop in self.stops:
            stop()


def services() -> Services:
    """Those of the web process that the current request or command belongs to."""
    return cast(Services, current_app.extensions["taskroom"])
