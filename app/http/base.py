"""Shared by all resources: the blueprint, which refuses unknown parameters, fields and list pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any, cast
from urllib.parse import urlencode

import marshmallow as ma
from flask import Request, request
from flask_smorest import Blueprint as SmorestBlueprint
from webargs.flaskparser import FlaskParser

from app.auth import identity, permissions
from app.auth.principal import SESSION, Principal
from app.errors import BadRequest, NotFound
from app.green.unsent import Unsent
from app.http.concurrency import UserConcurrency
from app.http.json_body import json_body
from app.http.scopes import View, declared
from app.services import services
from app.stream.event import MAX_SEQUENCE
from app.stream.store import Head

# Bytes, unless a resource has another limit: the parameters of a task, three times as long by escapes, and the rest.
BODY_LIMIT = 256 * 1024
UNKNOWN_FIELDS = 50  # allowed unknown fields of an object: the response names each of them


class StrictParser(FlaskParser):
    """Refuses unknown parameters: ignoring them would hide a mistake of the caller."""

    DEFAULT_UNKNOWN_BY_LOCATION = FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION | {
        "query": ma.RAISE,
        "json": ma.RAISE,
    }

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        try:
            body = json_body()
        except ValueError as error:
            raise BadRequest("The body is not JSON", errors={"body": [f"Not valid JSON: {error}."]}) from None
        refuse_many_fields(body, schema)
        return body

    def load_querystring(self, req: Request, schema: ma.Schema) -> Any:
        """Ignores empty parameters (``?level=&q=``). Refuses NUL: Postgres accepts none, not even in a search."""
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
        """Creates the schema once: from a class, webargs would create one for each request and copy every field."""
        return super().arguments(schema(), **kwargs)

    def add_url_rule(
        self, rule: str, endpoint: str | None = None, view_func: View | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """Refuses a view that does not say who may call it. Raises TypeError."""
        if not hasattr(view_func, "scope"):
            raise TypeError(f"The view of {rule} declares no scope: decorate it with permitted or declared")
        super().add_url_rule(rule, endpoint, view_func, *args, **kwargs)


class NoQuery(ma.Schema):
    """For calls without parameters: refuses all."""


_NO_QUERY = Blueprint("no_query", __name__).arguments(NoQuery, location="query", as_kwargs=True)


def without_parameters(view: View) -> View:
    """Refuses all parameters of the address for a view that declares none."""
    declarations = getattr(view, "_apidoc", {}).get("arguments", {}).get("parameters", ())
    reads_query = any(each["in"] == "query" for each in declarations)
    return view if reads_query else cast(View, _NO_QUERY(view))


class WholeField(ma.fields.Integer):
    """A whole number in ASCII digits: Python also accepts ``1_0``, `` 1`` and the digits of other scripts."""

    def _validated(self, value: Any) -> Any:
        if isinstance(value, str) and not re.fullmatch("-?[0-9]{1,19}", value):
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


class TimeField(ma.fields.AwareDateTime):
    """A time, converted to UTC; a time without an offset is UTC."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(default_timezone=UTC, **kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> datetime:
        try:
            return super()._deserialize(value, *args, **kwargs).astimezone(UTC)
        except OverflowError:  # an offset that leads out of the years 1 to 9999
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE) from None


class ScopeField(ma.fields.String):
    """The scope of a list; ``permissions.scope_filter`` checks it. ``mine`` is another word for ``own``; some lists
    have a scope of all tenants too."""

    def __init__(self, *, with_all: bool = False, **kwargs: Any) -> None:
        scopes = ("own", "mine", "tenant", *(["all"] if with_all else []))
        super().__init__(load_default="own", validate=ma.validate.OneOf(scopes), **kwargs)

    def deserialize(self, *args: Any, **kwargs: Any) -> Any:
        scope = super().deserialize(*args, **kwargs)
        return "own" if scope == "mine" else scope


class ListField(ma.fields.List[Any]):
    """``least`` to ``most`` items. Checks the length first: marshmallow would check each item of a longer list and make
    a message for each."""

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


def refuse_many_fields(value: Any, schema: ma.Schema) -> None:
    """Raises ValidationError for an object with many more fields than the schema, before each field is checked."""
    if not isinstance(value, dict):
        return
    if len(value) > len(schema.fields) + UNKNOWN_FIELDS:
        raise ma.ValidationError(f"Has {len(value):,} fields, {len(schema.fields)} at most.")
    for name, field in schema.fields.items():
        if isinstance(field, ma.fields.Nested):
            try:
                refuse_many_fields(value.get(name), field.schema)
            except ma.ValidationError as error:
                raise ma.ValidationError({name: error.messages}) from None


def permitted(
    scope: str, check: Callable[[Principal], None] = lambda principal: None, shared: bool = False
) -> Callable[[View], View]:
    """Calls the view with the Principal as first argument. Before it reads the request, it checks the principal
    (401 without one, 403 for an API key without the scope and for a share token unless ``shared``; ``check`` may
    raise), and waits for a slot of the user, and until the user has read enough of its earlier responses. A view that
    declares no parameters of the address refuses all."""

    def decorator(view: View) -> View:
        view = without_parameters(view)

        @wraps(view)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            principal = identity.current(scope, shared=shared)
            check(principal)
            with services()[UserConcurrency].slot(principal.user_id):
                services()[Unsent].wait(principal.user_id)
                return view(principal, *args, **kwargs)

        return declared(scope, shared)(wrapped)

    return decorator


reading = permitted("read")
reading_shared = permitted("read", shared=True)  # the view asks permissions which task it reads
starting = permitted("start", permissions.may_write)
acting = permitted("act")  # the view checks the right to the task
signed_in = permitted(SESSION)


def require_head(stream: str) -> Head:
    """Returns the head of the stream. Raises NotFound: the task may be deleted after the check of its permission."""
    head = services().store.heads([stream]).get(stream)
    if head is None:
        raise NotFound("There is no such task")
    return head


def with_next(
    body: dict[str, Any], next_query: dict[str, Any] | None
) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Adds the header ``Link: rel="next"`` unless the page is the last."""
    if next_query is None:
        return body, 200, {}
    query = urlencode({**request.args.to_dict(), **next_query})
    return body, 200, {"Link": f'<{request.path}?{query}>; rel="next"'}
