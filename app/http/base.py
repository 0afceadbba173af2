"""What the resources share: a blueprint that refuses unknown parameters, and list pages."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import wraps
from typing import Any
from urllib.parse import urlencode

import marshmallow as ma
import orjson
from flask import Request, request
from flask_smorest import Blueprint as SmorestBlueprint
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import LengthRequired, UnsupportedMediaType

from app.auth import identity, permissions
from app.auth.principal import Principal
from app.errors import BadRequest, NotFound, Unprocessable
from app.green.unsent import Unsent
from app.http.concurrency import Shares
from app.services import services
from app.stream.event import MAX_SEQUENCE
from app.stream.pages import bounded
from app.stream.store import Head

# Bytes, where nothing else is said: parameters of a task, escaped threefold, and the rest.
BODY_LIMIT = 256 * 1024
MAX_DEPTH = 64
STRANGE_FIELDS = 50  # that an object may have beyond those we know: each of so few is named in the answer


class StrictParser(FlaskParser):
    """An unknown parameter is a mistake of the caller's; ignoring it would hide it."""

    DEFAULT_UNKNOWN_BY_LOCATION = FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION | {
        "query": ma.RAISE,
        "json": ma.RAISE,
    }

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        try:
            body = json_body()
        except ValueError as error:
            raise BadRequest("The body is no JSON", errors={"body": [f"Not valid JSON: {error}."]}) from None
        refuse_crowds(body, schema)
        return body

    def load_querystring(self, req: Request, schema: ma.Schema) -> Any:
        """A parameter left empty (``?level=&q=``) is one not given. Postgres takes no NUL, not even to search for."""
        given: dict[str, str] = {}  # no field takes a list: the first value counts
        for name, value in req.args.items(multi=True):
            if "\0" in name + value:
                raise ma.ValidationError({name: ["May not hold NUL."]})
            if value:
                given.setdefault(name, value)
        return given


class Blueprint(SmorestBlueprint):
    ARGUMENTS_PARSER = StrictParser()

    def arguments(self, schema: type[ma.Schema], **kwargs: Any) -> Any:
        """Makes the schema here: of a class webargs would make one for each request, copying every field."""
        return super().arguments(schema(), **kwargs)


class NoQuery(ma.Schema):
    """For calls that take no parameters: any is refused."""


class WholeField(ma.fields.Integer):
    """A whole number in digits: Python would also read ``1_0``, `` 1`` and the digits of other scripts."""

    def _validated(self, value: Any) -> Any:
        if isinstance(value, str) and not re.fullmatch("-?[0-9]{1,19}", value):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


class TimeField(ma.fields.AwareDateTime):
    """A time, as UTC; one that names no offset is UTC already."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=UTC, **kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> datetime:
        try:
            return super()._deserialize(value, *args, **kwargs).astimezone(UTC)
        except OverflowError:  # an offset that leads out of the years 1 to 9999
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE) from None


class ScopeField(ma.fields.String):
    """Whose tasks a list holds; ``permissions.scope_filter`` says who may ask for what."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(load_default="own", validate=ma.validate.OneOf(("own", "tenant")), **kwargs)


class ListField(ma.fields.List[Any]):
    """``least`` to ``most`` items. The length is looked at first: marshmallow would look at each item of a longer list
    and write a message about it."""

    def __init__(self, inner: ma.fields.Field[Any], least: int, most: int, **kwargs: Any) -> None:
        self._length = ma.validate.Length(least, most)
        super().__init__(inner, validate=self._length, **kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> list[Any]:
        if isinstance(value, list):
            self._length(value)
        return super()._deserialize(value, *args, **kwargs)


class SequenceField(WholeField):
    """A cursor: 0 (from the beginning) or a sequence."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=ma.validate.Range(0, MAX_SEQUENCE), **kwargs)


def json_body() -> Any:
    """The request's JSON; missing where there is no body. ValueError when it is not valid.

    Strict where Python's own parser is not: no NaN, no lone surrogates, no number beyond 64 bits kept
    as it is, and no nesting that would exhaust the stack of whatever walks the value later.
    """
    if "Transfer-Encoding" in request.headers:  # Flask would read such a body as empty
        raise LengthRequired("Send the body with a Content-Length, not in chunks")
    data = request.get_data()
    if not data:
        return ma.missing
    if not request.is_json:
        raise UnsupportedMediaType("Send the body as application/json")
    value = orjson.loads(data)
    level = [value]
    for _ in range(MAX_DEPTH):
        nested = (v.values() if isinstance(v, dict) else v for v in level if isinstance(v, dict | list))
        level = [inner for values in nested for inner in values]
        if not level:
            return value
    raise ValueError(f"nested deeper than {MAX_DEPTH} levels")


def refuse_crowds(value: Any, schema: ma.Schema) -> None:
    """Raises ValidationError for an object with many more fields than there are, before each of them is looked at."""
    if not isinstance(value, dict):
        return
    if len(value) > len(schema.fields) + STRANGE_FIELDS:
        raise ma.ValidationError(f"Has {len(value):,} fields, {len(schema.fields)} at most.")
    for name, field in schema.fields.items():
        if isinstance(field, ma.fields.Nested):
            try:
                refuse_crowds(value.get(name), field.schema)
            except ma.ValidationError as error:
                raise ma.ValidationError({name: error.messages}) from None


def permitted(check: Callable[[Principal], None]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Calls the view with the Principal first, when the check lets it pass, and when it is the user's turn and not
    too much waits for the user to take it; before anything of the request is read. 401 without one."""

    def decorator(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            principal = identity.current()
            check(principal)
            with services()[Shares].turn(principal.user_id):
                services()[Unsent].wait(principal.user_id)
                return view(principal, *args, **kwargs)

        return wrapped

    return decorator


signed_in = permitted(lambda principal: None)
acting = permitted(permissions.may_write)  # for calls that change something


def head_of(stream: str) -> Head:
    """Where the stream stands. Raises NotFound: it may go between the permission and this."""
    head = services().store.heads([stream]).get(stream)
    if head is None:
        raise NotFound("There is no such task")
    return head


def encode_cursor(*position: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def utc(text: str) -> datetime:
    """The time, as UTC; OverflowError for an offset that leads out of the years 1 to 9999."""
    return datetime.fromisoformat(text).astimezone(UTC)


def decode_cursor(cursor: str, *kinds: Callable[[str], Any]) -> list[str]:
    """What encode_cursor was given, each part as the text of its kind: anybody can forge a cursor, and
    Postgres would fail on what it cannot read. Raises Unprocessable, naming ``cursor``."""
    try:
        position = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return [str(kind(part)) for kind, part in zip(kinds, position, strict=True)]
    except (ValueError, TypeError, AttributeError, OverflowError, binascii.Error, RecursionError):
        raise Unprocessable("The cursor is not one of ours", errors={"cursor": ["Not a cursor."]}) from None


def page_of(found: Sequence[dict[str, Any]], limit: int) -> tuple[Sequence[dict[str, Any]], bool]:
    """Of rows that were asked for with one more than the limit: the page, which ends after a megabyte too, and whether
    there are more."""
    page = bounded(found[:limit], lambda row: len(orjson.dumps(row)))
    return page, len(page) < len(found)


def with_next(
    body: dict[str, Any], next_query: dict[str, Any] | None
) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Adds ``Link: rel="next"`` to a page that is not the last."""
    if next_query is None:
        return body, 200, {}
    query = urlencode({**request.args.to_dict(), **next_query})
    return body, 200, {"Link": f'<{request.path}?{query}>; rel="next"'}
