"""Liveness, readiness and metrics of the process, for its operators."""

from __future__ import annotations

import secrets

from flask import Blueprint, Response, jsonify, request

from app.config import is_loopback
from app.db.pool import require_writable
from app.errors import Foreign, Unauthorized
from app.http.problems import problem_response
from app.observability.metrics import Metrics
from app.services import services
from app.stream.hub import Hub
from app.stream.store import DatabaseUnavailable

blp = Blueprint("health", __name__)

# Headers that proxies add.
PROXY_HEADERS = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP")


@blp.get("/livez")
def livez() -> Response:
    return jsonify({"status": "ok"})


@blp.get("/readyz")
def readyz() -> Response:
    """Ready means that Postgres has the tables and accepts writes. Without Redis events arrive later: the status is
    ``degraded``, not a failure."""
    parts = services()
    try:
        with parts.read() as conn:
            # It raises in the block, so that a session that stays read-only is not used again.
            require_writable(conn)
    except DatabaseUnavailable as error:
        why = f"Postgres: {error}"
        return problem_response(503, "Service Unavailable", why, headers={"Retry-After": "2"})
    subscription = parts[Hub].subscription
    connected = subscription.connected and not subscription.stale
    listening = not subscription.ended
    redis = {"connected": connected, "listening": listening, "silent_seconds": round(subscription.silence, 1)}
    status = "ok" if connected and listening else "degraded"
    return jsonify({"status": status, "postgres": {"connected": True}, "redis": redis})


@blp.get("/metrics")
def metrics() -> Response:
    """Returns the metrics of this process only; each process has its own."""
    _check_access()
    return Response(services()[Metrics].text(), content_type="text/plain; version=0.0.4; charset=utf-8")


def _check_access() -> None:
    """With METRICS_TOKEN, the request must have the token. Without METRICS_TOKEN, production refuses all requests, and
    embedded admits only direct ones of this machine: behind a proxy every client has a loopback address. Raises
    Unauthorized or Foreign."""
    config = services().config
    if config.metrics_token:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        given = token.strip() if scheme.lower() == "bearer" else ""
        if not secrets.compare_digest(given.encode("utf-8", "replace"), config.metrics_token.encode()):
            raise Unauthorized("Send METRICS_TOKEN as a bearer token")
        return
    proxied = any(name in request.headers for name in PROXY_HEADERS)
    if not config.embedded or proxied or not is_loopback(request.remote_addr or ""):
        raise Foreign("Set METRICS_TOKEN to see the metrics")
