"""The parameters of jobs: as JSON Schema, by which web processes check a start, and as marshmallow loads them to run.

The JSON Schema refuses nothing that marshmallow takes, but for texts in the place of numbers and truth values. What it
cannot say as marshmallow means it is left out of it, and refused when the job runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import jsonschema_rs
from apispec import APISpec
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, ValidationError, fields
from marshmallow.exceptions import SCHEMA

from app.errors import TaskroomError


class InvalidParams(TaskroomError):
    """The job's own schema refuses parameters that its JSON Schema takes; the message names each field."""


def json_schema(params: type[Schema]) -> dict[str, Any]:
    """Raises whatever the schema's fields raise, and ValueError when what they say is no JSON Schema."""
    schema: dict[str, Any] = _converter().schema2jsonschema(params())  # type: ignore[no-untyped-call]
    jsonschema_rs.validator_for(schema, offline=True)
    return schema


def loaded(params: type[Schema], given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of the job's function. Raises InvalidParams."""
    try:
        found: dict[str, Any] = params().load(dict(given))
    except ValidationError as error:
        raise InvalidParams("; ".join(_named(error.messages, "params"))) from None
    return found


def _named(messages: Any, name: str) -> Iterator[str]:
    """marshmallow's messages, each with the dotted name of its field."""
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _named(inner, name if key == SCHEMA else f"{name}.{key}")
    else:
        yield f"{name}: {' '.join(map(str, messages))}"


class _Converter(OpenAPIConverter):
    def field2property(self, field: fields.Field[Any]) -> dict[str, Any]:
        found = {k: v for k, v in super().field2property(field).items() if v is not None or k == "default"}
        if field.load_default in (dict, list):
            found.setdefault("default", field.load_default())
        if isinstance(field, fields.List):
            found.pop("enum", None)  # it is of the items
        if not all(_has_same_meaning(validator) for validator in field.validators):
            found.pop("pattern", None)
        return found


def _has_same_meaning(validator: Any) -> bool:
    """Whether a pattern of Python, if it has one, is one of JSON Schema too."""
    pattern = getattr(validator, "regex", None)
    if not isinstance(pattern, re.Pattern):
        return True
    try:
        jsonschema_rs.validator_for({"pattern": pattern.pattern})
    except ValueError:
        return False
    return pattern.flags == re.UNICODE


@cache
def _converter() -> _Converter:
    spec = APISpec("jobs", "1", "3.1.0")
    return _Converter("3.1.0", schema_name_resolver=lambda schema: None, spec=spec)
