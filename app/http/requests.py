"""The id of each request, and metrics of requests: how many by route, and how long the responses took."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response, g, request
from prometheus_client import Counter, Histogram
from werkzeug.wsgi import ClosingIterator

from app.observability.log_format import REQUEST_ID, request_id

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
VALID_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
HEADER = "X-Request-ID"

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


class RequestMetrics:
    """``answered`` counts by method, route and status. The route is our rule, not the URL: clients could invent any
    number of URLs. A stream's time ends with its headers."""

    def __init__(self) -> None:
        self.answered = Counter(
            "taskroom_http_requests", "Requests answered", ("method", "route", "status"), registry=None
        )
        self.seconds = Histogram(
            "taskroom_http_request_seconds", "Until the answer began", buckets=SECONDS, registry=None
        )

    def register(self, app: Flask) -> None:
        @app.before_request
        def begin() -> None:
            g.began = time.perf_counter()

        @app.after_request
        def end(response: Response) -> Response:
            method = request.method if request.method in METHODS else "other"
            route = request.url_rule.rule if request.url_rule else "none"
            self.answered.labels(method, route, response.status_code).inc()
            self.seconds.observe(time.perf_counter() - g.began)
            return response


def with_request_id(serve: Wsgi) -> Wsgi:
    """Sets the id of each request, for its log records and its response: the proxy's id when it is valid (it must not
    break a line of the log), else a new one."""

    def wrapped(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        given = environ.get("HTTP_X_REQUEST_ID", "")
        name = given if VALID_ID.fullmatch(given) else uuid.uuid4().hex

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            return start_response(status, [*headers, (HEADER, name)], *error)

        def forget() -> None:
            request_id.set(None)  # the next request on this connection has another id

        environ[REQUEST_ID] = name  # for the events of a socket, which come later
        request_id.set(name)
        try:
            body = serve(environ, start)
        except BaseException:
            forget()
            raise
        if not hasattr(body, "close"):  # complete already, or the server's marker for it
            forget()
            return body
        return ClosingIterator(body, forget)

    return wrapped
