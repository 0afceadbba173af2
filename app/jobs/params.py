"""Checks the parameters of a task by the JSON Schema that its job type declares, and fills in the defaults."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jsonschema_rs import ValidationError, ValidationErrorKind

from app.jobs.types import JobType

# With more values, only the first mistake is searched for: the library finds all mistakes before it yields one.
MOST_VALUES = 2_000
LARGEST = 2**63  # a larger float was a whole number that JSON cannot hold

_LIMITS = {
    "minimum": "Must be greater than or equal to {limit}.",
    "maximum": "Must be less than or equal to {limit}.",
    "exclusiveMinimum": "Must be greater than {limit}.",
    "exclusiveMaximum": "Must be less than {limit}.",
    "minLength": "Shorter than minimum length {limit}.",
    "maxLength": "Longer than maximum length {limit}.",
    "minItems": "Shorter than minimum length {limit}.",
    "maxItems": "Longer than maximum length {limit}.",
}


class ParamsRefused(Exception):
    """``messages`` are by dotted field names, such as ``steps.1.title``; "" means the parameters as a whole."""

    def __init__(self, messages: Mapping[str, list[str]]) -> None:
        super().__init__(", ".join(messages))
        self.messages = dict(messages)


def validated(job: JobType, params: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the parameters with the defaults filled in. Raises InvalidParams. 64 KB take some milliseconds."""
    messages: dict[str, list[str]] = {}
    for error in _errors(job, params):
        for place, message in _described(error):
            messages.setdefault(dotted(place), []).append(message)
    if messages:
        raise ParamsRefused(messages)
    filled: dict[str, Any] = _filled(job.params, params, ())
    return filled


def dotted(place: Iterable[str | int]) -> str:
    return ".".join(map(str, place))


def _errors(job: JobType, params: Any) -> Iterable[ValidationError]:
    if job.validator.is_valid(params):
        return ()
    if not _more_than(MOST_VALUES, params):
        return job.validator.iter_errors(params)
    try:
        job.validator.validate(params)
    except ValidationError as first:
        return (first.with_traceback(None),)  # its frames would refer to it, and keep the parameters
    return ()


def _more_than(most: int, value: Any) -> bool:
    """Returns whether the value contains more values than ``most``."""
    count, level = 1, [value]
    while level and count <= most:
        inner = [
            each.values() if isinstance(each, dict) else each
            for each in level
            if isinstance(each, dict | list)
        ]
        level = [part for parts in inner for part in parts]
        count += len(level)
    return count > most


def _described(error: ValidationError) -> Iterator[tuple[list[str | int], str]]:
    """Yields the fields of the error, each with a message."""
    place, kind = error.instance_path, error.kind
    match kind:
        case ValidationErrorKind.AdditionalProperties(unexpected):
            for name in unexpected:
                yield [*place, name], "Unknown field."
        case ValidationErrorKind.Required(name):
            yield [*place, name], "Missing data for required field."
        case ValidationErrorKind.Type(types):
            right = next((name for name in types if name != "null"), "null")
            yield place, "Field may not be null." if error.instance is None else f"Not a valid {right}."
        case ValidationErrorKind.Enum(options):
            names = [str(option) for option in options if option is not None]
            yield place, f"Must be one of: {', '.join(names)}."
        case _ if kind.name in _LIMITS:
            yield place, _LIMITS[kind.name].format(limit=kind.value)
        case _:
            yield place, error.message


def _filled(schema: Mapping[str, Any], value: Any, place: tuple[str | int, ...]) -> Any:
    """Returns a valid value with missing defaults added, in the order of the schema, and whole numbers as integers."""
    if isinstance(value, dict):
        known = schema.get("properties", {})
        rest = schema.get("additionalProperties")
        other = rest if isinstance(rest, Mapping) else {}
        given = {
            name: value.get(name, part.get("default"))
            for name, part in known.items()
            if name in value or "default" in part
        }
        return {
            name: _filled(known.get(name, other), part, (*place, name))
            for name, part in (given | value).items()
        }
    if isinstance(value, list):
        items = schema.get("items", {})
        return [_filled(items, part, (*place, number)) for number, part in enumerate(value)]
    if isinstance(value, float) and "integer" in (schema.get("type") or ()):
        if abs(value) >= LARGEST:
            raise ParamsRefused({dotted(place): ["Not a valid integer."]})
        return int(value)
    return value
