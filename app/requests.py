"""What was asked over HTTP, by route, and how long the answers took. Streams count until their first words."""

from __future__ import annotations

import time
from collections import Counter

from flask import Flask, Response, g, request

from app.histogram import Histogram

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Requests:
    """``answered`` counts by method, route and status: rules of ours and no addresses, which anybody could make up."""

    def __init__(self) -> None:
        self.answered: Counter[tuple[str, str, str]] = Counter()
        self.seconds = Histogram(SECONDS)

    def register(self, app: Flask) -> None:
        @app.before_request
        def begin() -> None:
            g.began = time.perf_counter()

        @app.after_request
        def end(response: Response) -> Response:
            method = request.method if request.method in METHODS else "other"
            route = request.url_rule.rule if request.url_rule else "none"
            self.answered[method, route, str(response.status_code)] += 1
            self.seconds.note(time.perf_counter() - g.began)
            return response
