"""A stand-in for the services, with the few parts that a test needs."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any


class Parts(SimpleNamespace):
    """``named`` as attributes, ``by_class`` as ``services()[Class]``."""

    def __init__(self, by_class: Mapping[type, Any], **named: Any) -> None:
        super().__init__(**named)
        self._by_class = dict(by_class)

    def __getitem__(self, kind: type) -> Any:
        return self._by_class[kind]

    def __setitem__(self, kind: type, part: Any) -> None:
        self._by_class[kind] = part
