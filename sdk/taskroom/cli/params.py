"""Parameters as they are given to a command: ``name=value``, where a value that is JSON is what it says."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from taskroom.cli.faults import Fault


def params(pairs: Iterable[str]) -> dict[str, Any]:
    """The parameters by name. Raises Fault for what is no pair."""
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise Fault(f"{pair!r} is no parameter; give each as name=value")
        found[name] = _value(value)
    return found


def _value(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_number)
    except ValueError:
        return text


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
