"""As much of JSON Schema as the project's documents use, read strictly: an unknown keyword is a mistake."""

from __future__ import annotations

from typing import Any

TYPES = {"string", "integer", "number", "boolean", "object", "array", "null"}
NUMBERS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
COUNTS = {"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"}
FREE = {"default", "description", "title", "format", "pattern", "example", "const", "readOnly", "writeOnly"}
NESTED = {"items", "additionalProperties", "not"}
LISTS = {"anyOf", "oneOf", "allOf"}


def faults(schema: Any, at: str = "#") -> list[str]:
    """What is wrong with this JSON Schema, each with its place; [] when nothing is."""
    if isinstance(schema, bool):
        return []
    if not isinstance(schema, dict):
        return [f"{at}: {schema!r} is no schema"]
    found: list[str] = []
    for word, value in schema.items():
        here = f"{at}/{word}"
        if word == "type":
            right = set([value] if isinstance(value, str) else value) <= TYPES
        elif word in NUMBERS:
            right = isinstance(value, int | float) and not isinstance(value, bool)
        elif word in COUNTS:
            right = isinstance(value, int) and value >= 0
        elif word in ("enum", "required"):
            right = isinstance(value, list) and len(value) == len({repr(v) for v in value})
        elif word == "$ref":
            right = isinstance(value, str)
        elif word == "properties":
            right = isinstance(value, dict)
            found += [fault for name in value for fault in faults(value[name], f"{here}/{name}")]
        elif word in NESTED:
            right = True
            found += faults(value, here)
        elif word in LISTS:
            right = isinstance(value, list) and bool(value)
            found += [fault for inner in value for fault in faults(inner, here)]
        else:
            right = word in FREE
        if not right:
            found.append(f"{here}: {value!r}")
    return found
