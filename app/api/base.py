"""What the resources share: a blueprint that refuses unknown parameters, and list pages."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

import marshmallow as ma
from flask import Response, request
from flask_smorest import Blueprint as SmorestBlueprint
from webargs.flaskparser import FlaskParser

from app import auth
from app.errors import Unprocessable

MAX_SEQUENCE = 2**62


class StrictParser(FlaskParser):  # type: ignore[misc]
    """An unknown parameter is a mistake of the caller's; ignoring it would hide it."""

    DEFAULT_UNKNOWN_BY_LOCATION = FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION | {
        "query": ma.RAISE,
        "json": ma.RAISE,
    }


class Blueprint(SmorestBlueprint):  # type: ignore[misc]
    ARGUMENTS_PARSER = StrictParser()


class NoQuery(ma.Schema):
    """For calls that take no parameters: any is refused."""


class SequenceField(ma.fields.Integer):
    """A cursor: 0 (from the beginning) or a sequence."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=ma.validate.Range(0, MAX_SEQUENCE), **kwargs)


def signed_in(view: Callable[..., Any]) -> Callable[..., Any]:
    """Calls the view with the Principal first. 401 without one."""

    @wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return view(auth.current(), *args, **kwargs)

    return wrapped


def acting(view: Callable[..., Any]) -> Callable[..., Any]:
    """As signed_in, for calls that change something."""

    @wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        principal = auth.current()
        auth.may_write(principal)
        return view(principal, *args, **kwargs)

    return wrapped


def encode_cursor(*position: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, kinds: tuple[type, ...]) -> list[Any]:
    """What encode_cursor was given. Raises Unprocessable, naming ``cursor``."""
    try:
        position = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if [type(p) for p in position] != list(kinds):
            raise ValueError
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise Unprocessable("The cursor is not one of ours", errors={"cursor": ["Not a cursor."]}) from None
    return list(position)


def with_next(
    body: dict[str, Any], next_query: dict[str, Any] | None
) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Adds ``Link: rel="next"`` to a page that is not the last."""
    if next_query is None:
        return body, 200, {}
    query = urlencode({**request.args.to_dict(), **next_query})
    return body, 200, {"Link": f'<{request.path}?{query}>; rel="next"'}


def no_content_type(response: Response, content_type: str) -> Response:
    """Sets a content type exactly: ``mimetype`` would add a charset."""
    response.headers["Content-Type"] = content_type
    return response
