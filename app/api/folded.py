"""Makes sense of a part of a batch with values of a wrong kind: they become texts or are left out, and are named."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import orjson
from msgspec import Struct

from app.tasks.observed.part import Part
from app.tasks.reported import Error, ReportedEvent

MOST_NAMED = 50  # fields of a part
MOST_BYTES = 32_768  # of a part: folding takes many times the memory and the time of decoding
EVENTS: Mapping[Any, type[Struct]] = {kind.__struct_config__.tag: kind for kind in get_args(ReportedEvent)}
KINDS: tuple[type[Struct], ...] = (Error, *EVENTS.values())
HINTS: Mapping[type[Struct], Mapping[str, Any]] = {kind: get_type_hints(kind) for kind in KINDS}
_AHEAD = get_type_hints(Part)["ahead"]
UNKNOWN = "Unknown field, which is left out."
AS_TEXT = "Not of its kind; its text is taken."
LEFT_OUT = "Not of its kind, and left out."


class FoldedPart(Part, kw_only=True):
    """A part of which something was folded; ``warnings`` says what, by the names of its fields."""

    warnings: dict[str, list[str]]


def folded(value: Any) -> FoldedPart | None:
    """Returns a decoded part as far as it makes sense; None when nothing can be folded. Raises ValidationError when the
    rest makes none: ids, times and limits of the part itself are not guessed."""
    if not isinstance(value, dict):
        return None
    said = dict[str, list[str]]()
    part = {name: each for name, each in value.items() if name in Part.__struct_fields__}
    for name in value.keys() - part.keys():
        _say(said, name, UNKNOWN)
    for name in ("attempt", "title", "queue", "worker", "owner"):
        if isinstance(part.get(name), int | float | bool):
            part[name] = _text(part[name])
            _say(said, name, AS_TEXT)
    if not _fits(part.get("ahead"), _AHEAD):
        part["ahead"] = None
        _say(said, "ahead", LEFT_OUT)
    events = part.get("events")
    if isinstance(events, list):
        part["events"] = [_event(each, f"events.{n}", said) for n, each in enumerate(events)]
    if not said:
        return None
    decoded = msgspec.json.decode(orjson.dumps(part), type=Part)
    return FoldedPart(**{name: getattr(decoded, name) for name in Part.__struct_fields__}, warnings=said)


def _event(event: Any, at: str, said: dict[str, list[str]]) -> Any:
    kind = EVENTS.get(str(event.get("type"))) if isinstance(event, dict) else None
    if kind is None:
        return event
    return {"type": event["type"], **_fields({k: v for k, v in event.items() if k != "type"}, kind, at, said)}


def _fields(given: dict[str, Any], kind: type[Struct], at: str, said: dict[str, list[str]]) -> dict[str, Any]:
    hints, found = HINTS[kind], dict[str, Any]()
    required = {field.name for field in msgspec.structs.fields(kind) if field.required}
    for name, value in given.items():
        if name not in kind.__struct_fields__:
            _say(said, f"{at}.{name}", UNKNOWN)
        elif name in ("result", "status") or _fits(value, hints[name]):
            found[name] = value
        elif name == "error":
            found[name] = _error(value, f"{at}.error", said)
        elif _takes_text(hints[name]) and (value is not None or name in required):
            found[name] = "" if value is None else _text(value)
            _say(said, f"{at}.{name}", AS_TEXT)
        else:
            _say(said, f"{at}.{name}", LEFT_OUT)
    return found


def _error(value: Any, at: str, said: dict[str, list[str]]) -> dict[str, Any]:
    if isinstance(value, dict):
        return _fields(value, Error, at, said)
    _say(said, at, AS_TEXT)
    return {"message": _text(value)}


def _fits(value: Any, hint: Any) -> bool:
    try:
        msgspec.convert(value, hint)
    except msgspec.ValidationError:
        return False
    return True


def _takes_text(hint: Any) -> bool:
    return hint is str or (get_origin(hint) in (Union, types.UnionType) and str in get_args(hint))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _say(said: dict[str, list[str]], name: str, what: str) -> None:
    if len(said) < MOST_NAMED:
        said[name] = [what]
