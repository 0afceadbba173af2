"""Errors of typed JSON, by the names of fields as elsewhere in the API."""

from __future__ import annotations

import re

from msgspec import ValidationError

from app.http.problems import fields

_AT = " - at `$"
_FIELD = re.compile(r"Object (missing required|contains unknown) field `(.*)`\Z", re.DOTALL)
MISSING = "Missing data for required field."
_MESSAGES = {
    "missing required": MISSING,
    "contains unknown": "Unknown field.",
}


def errors_of(error: ValidationError) -> dict[str, list[str]]:
    """Returns the message of the error by the dotted name of its field, such as ``events.3.message``."""
    message, at, path = str(error).rpartition(_AT)
    if not at:
        message, path = path, ""
    name = re.sub(r"\[(\d+)\]", r".\1", path.rstrip("`")).replace("[...]", "").strip(".")
    if found := _FIELD.match(message):
        name, message = f"{name}.{found[2]}".strip("."), _MESSAGES[found[1]]
    return fields({name or "body": [message]})
