"""Which parameters are secret: what a reader of a task gets instead of them.

A parameter is secret by its schema (``format: password`` or ``writeOnly``) or by its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

MASK = "[redacted]"  # in place of a secret, as the package ``taskroom`` writes it

_NAME = re.compile(
    r"(^|[_-])(password|passphrase|token|secret|authorization|api[_-]?key|credentials?)$", re.IGNORECASE
)
_HUMP = re.compile(r"([a-z\d])(?=[A-Z])")  # of a name like accessToken


def without_secrets(value: Any, schema: Any = None) -> Any:
    """Returns the value with MASK in place of each secret. What holds no secret, such as null, "" and booleans, stays.
    Shares the parts that have no secret with ``value``."""
    schema = schema if isinstance(schema, Mapping) else {}
    if isinstance(value, list):
        return _of_list(value, schema.get("items"))
    if not isinstance(value, dict):
        return value
    known, others = schema.get("properties") or {}, schema.get("additionalProperties")
    parts = {name: _of_part(name, part, known.get(name, others)) for name, part in value.items()}
    return parts if any(parts[name] is not part for name, part in value.items()) else value


def masked_places(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yields the places of values that are MASK."""
    if value == MASK:
        yield place
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield from masked_places(part, (*place, name))


def _of_list(value: list[Any], schema: Any) -> list[Any]:
    parts = [
        MASK if _is_declared(schema) and _hides(part) else without_secrets(part, schema) for part in value
    ]
    return parts if any(one is not part for one, part in zip(parts, value, strict=True)) else value


def _of_part(name: str, part: Any, schema: Any) -> Any:
    if (_is_declared(schema) or _NAME.search(_HUMP.sub(r"\1_", name))) and _hides(part):
        return MASK
    return without_secrets(part, schema)


def _is_declared(schema: Any) -> bool:
    return isinstance(schema, Mapping) and (
        schema.get("format") == "password" or schema.get("writeOnly") is True
    )


def _hides(part: Any) -> bool:
    return part is not None and part != "" and not isinstance(part, bool)
