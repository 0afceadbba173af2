"""Responses of errors as ``application/problem+json`` (RFC 9457): our errors, the framework's and unexpected ones."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import marshmallow as ma
from flask import Flask, Response, jsonify, request
from flask_limiter import RateLimitExceeded
from flask_smorest import Api
from werkzeug.exceptions import HTTPException

from app.auth import access_log
from app.db.breaker import BreakerOpen
from app.errors import Problem, Unavailable, Unprocessable, causes
from app.errors.frames import drop_frames
from app.errors.survived import survived
from app.http.attempts import too_many as refusal
from app.http.rate_limits import WINDOW_SECONDS, limiter
from app.observability.log_format import request_id

logger = logging.getLogger("taskroom.web")

CONTENT_TYPE = "application/problem+json"
_LOCATIONS = frozenset(
    {"json", "query", "headers", "form", "files", "path", "json_or_form", "cookies", "_schema"}
)

# Limits of the errors of a refused body: the response must not be larger than the request.
MOST_ERRORS = 100
ERRORS_SIZE = 16_000  # characters of the messages and of the names of their fields
LONGEST_NAME, LONGEST_ERROR = 200, 1_000
LEFT_OUT = "more"

# Werkzeug has older names than RFC 9110, whose names our errors have.
_RENAMED = {413: "Content Too Large", 422: Unprocessable.title}


class ProblemSchema(ma.Schema):
    """RFC 9457, with ``errors``: the messages of each refused field."""

    type = ma.fields.String()
    title = ma.fields.String()
    status = ma.fields.Integer()
    detail = ma.fields.String()
    errors = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.List(ma.fields.String()))


class ProblemApi(Api):
    """Makes the errors of flask-smorest RFC 9457."""

    ERROR_SCHEMA = ProblemSchema

    def _register_responses(self) -> None:
        """Documents errors with their content type: the base class documents them with that of other responses."""
        self.DEFAULT_RESPONSE_CONTENT_TYPE = CONTENT_TYPE
        super()._register_responses()
        del self.DEFAULT_RESPONSE_CONTENT_TYPE

    def handle_http_exception(self, error: HTTPException) -> Response:
        drop_frames(error)
        data = getattr(error, "data", None) or {}
        return problem_response(
            error.code or 500,
            _RENAMED.get(error.code or 500, error.name),
            error.description or "",
            fields(data["messages"]) if data.get("messages") else {},
            dict(error.get_headers()),
        )


def problem_of(error: Exception) -> Problem:
    """Returns what the caller is told of any error: the problem itself, 503 of what passes by itself, or 500."""
    if isinstance(error, Problem):
        return error
    if causes.of(error).is_temporary:
        return Unavailable(causes.client_message(error))
    return Problem(f"The request failed; the log has the error under {request_id.get()}")


def problem_response(
    status: int,
    title: str,
    detail: str,
    errors: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    extensions: Mapping[str, Any] | None = None,
) -> Response:
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    body |= extensions or {}
    if errors:
        body["errors"] = dict(errors)
        body["detail"] = f"Refused: {', '.join(errors)}"
    response = jsonify(body)
    response.status_code = status
    kept = {k: v for k, v in (headers or {}).items() if k.lower() not in ("content-type", "content-length")}
    response.headers.update(kept)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    response.content_type = CONTENT_TYPE
    return response


def fields(messages: Any, name: str = "") -> dict[str, list[str]]:
    """Returns marshmallow's nested messages by dotted field names, without the names of request parts such as
    ``json``.

    Number and size are limited; ``more`` holds the number of messages left out."""
    found: dict[str, list[str]] = {}
    size, every = 0, _flat(messages, name)
    for number, (field, message) in enumerate(every):
        text = _shortened(str(message), LONGEST_ERROR)
        size += len(field) + len(text)
        if number == MOST_ERRORS or size > ERRORS_SIZE:
            left_out = 1 + sum(1 for _ in every)
            found.setdefault(LEFT_OUT, []).append(f"{left_out:,} more were refused.")
            break
        found.setdefault(field, []).append(text)
    return found


def _flat(messages: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(messages, Mapping):
        for key, value in messages.items():
            own = key in _LOCATIONS if not name else key == ma.exceptions.SCHEMA
            inner = name if own else f"{name}.{key}" if name else str(key)
            yield from _flat(value, _shortened(inner, LONGEST_NAME))
        return
    if isinstance(messages, str) or not isinstance(messages, Iterable):
        messages = [messages]
    for message in messages:
        yield name or "body", message


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[:longest] + "…"


def register(app: Flask) -> None:
    @app.errorhandler(Problem)
    def problem(error: Problem) -> Response:
        drop_frames(error)
        access_log.refused(error)
        return problem_response(
            error.status, error.title, error.detail, error.errors, error.headers, error.extensions
        )

    @app.errorhandler(RateLimitExceeded)
    def too_many(error: RateLimitExceeded) -> Response:
        drop_frames(error)
        breached = limiter.current_limit
        return problem(refusal(breached.reset_at - time.time() if breached else WINDOW_SECONDS))

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        found = problem_of(error)
        if not isinstance(error.__cause__, BreakerOpen):  # the breaker has logged it, once for all requests
            survived(logger, error, "%d for %s", found.status, request.path)
        drop_frames(error)
        return problem(found)
