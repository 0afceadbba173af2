"""Every error as ``application/problem+json`` (RFC 9457): ours, the framework's, and the unforeseen."""

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

from app.db.breaker import Refused
from app.errors import Problem, Unavailable, Unprocessable, causes
from app.http.attempts import too_many as refusal
from app.http.rate_limits import WINDOW_SECONDS, limiter
from app.observability.log_format import request_id

logger = logging.getLogger("taskroom.web")

CONTENT_TYPE = "application/problem+json"
_PLACES = frozenset(
    {"json", "query", "headers", "form", "files", "path", "json_or_form", "cookies", "_schema"}
)

# What is said of a refused body, however much of it was wrong: an answer must not be larger than what it answers.
MOST_ERRORS = 100  # messages
ERRORS_SIZE = 16_000  # characters of them and of their fields' names
LONGEST_NAME, LONGEST_ERROR = 200, 1_000
LEFT_OUT = "more"

# Werkzeug's names are older than RFC 9110's, which our own problems use.
_RENAMED = {413: "Content Too Large", 422: Unprocessable.title}


class ProblemSchema(ma.Schema):
    """RFC 9457, and ``errors``: the messages for each field that was refused."""

    type = ma.fields.String()
    title = ma.fields.String()
    status = ma.fields.Integer()
    detail = ma.fields.String()
    errors = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.List(ma.fields.String()))


class ProblemApi(Api):
    """flask-smorest, whose own errors are not RFC 9457."""

    ERROR_SCHEMA = ProblemSchema

    def _register_responses(self) -> None:
        """The base documents errors with the content type of its other answers."""
        self.DEFAULT_RESPONSE_CONTENT_TYPE = CONTENT_TYPE
        super()._register_responses()
        del self.DEFAULT_RESPONSE_CONTENT_TYPE

    def handle_http_exception(self, error: HTTPException) -> Response:
        data = getattr(error, "data", None) or {}
        return answer(
            error.code or 500,
            _RENAMED.get(error.code or 500, error.name),
            error.description or "",
            fields(data["messages"]) if data.get("messages") else {},
            dict(error.get_headers()),
        )


def answer(
    status: int,
    title: str,
    detail: str,
    errors: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": detail}
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
    """marshmallow's nested messages as one flat map of dotted names; what it has of places is dropped.

    Bounded in number and size; how many were left out is said under ``more``."""
    found: dict[str, list[str]] = {}
    size, every = 0, _flat(messages, name)
    for told, (field, message) in enumerate(every):
        text = _cut(str(message), LONGEST_ERROR)
        size += len(field) + len(text)
        if told == MOST_ERRORS or size > ERRORS_SIZE:
            left_out = 1 + sum(1 for _ in every)
            found.setdefault(LEFT_OUT, []).append(f"{left_out:,} more were refused.")
            break
        found.setdefault(field, []).append(text)
    return found


def _flat(messages: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(messages, Mapping):
        for key, value in messages.items():
            of_itself = key in _PLACES if not name else key == ma.exceptions.SCHEMA
            inner = name if of_itself else f"{name}.{key}" if name else str(key)
            yield from _flat(value, _cut(inner, LONGEST_NAME))
        return
    if isinstance(messages, str) or not isinstance(messages, Iterable):
        messages = [messages]
    for message in messages:
        yield name or "body", message


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[:longest] + "…"


def register(app: Flask) -> None:
    @app.errorhandler(Problem)
    def problem(error: Problem) -> Response:
        return answer(error.status, error.title, error.detail, error.errors, error.headers)

    @app.errorhandler(RateLimitExceeded)
    def too_many(error: RateLimitExceeded) -> Response:
        breached = limiter.current_limit
        return problem(refusal(breached.reset_at - time.time() if breached else WINDOW_SECONDS))

    @app.errorhandler(Exception)
    def unforeseen(error: Exception) -> Response:
        cause = causes.of(error)
        if cause.is_temporary:
            if not isinstance(error.__cause__, Refused):  # the breaker has said it, once for all
                logger.warning("503 for %s: %s", request.path, causes.first_line(error))
            return problem(Unavailable(causes.client_message(error)))
        logger.exception("500 for %s", request.path)
        return answer(
            500, Problem.title, f"Something failed here; the log tells what, under {request_id.get()}"
        )
