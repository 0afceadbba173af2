"""For whoever keeps the process running: does it live, can it serve, and how is it."""

from __future__ import annotations

import ipaddress
import secrets

from flask import Blueprint, Response, jsonify, request

from app.db.pool import is_read_only
from app.errors import NotFound, Unauthorized
from app.http.problems import problem_response
from app.observability.metrics import Metrics
from app.services import services
from app.stream.hub import Hub
from app.stream.store import DatabaseUnavailable

blp = Blueprint("health", __name__)

# What proxies add to what they pass on.
PASSED_ON = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP")


@blp.get("/livez")
def livez() -> Response:
    return jsonify({"status": "ok"})


@blp.get("/readyz")
def readyz() -> Response:
    """Ready needs Postgres, its tables, and that it takes writes. Without Redis everything works, only later: that is
    said, not refused."""
    parts = services()
    try:
        with parts.read() as conn, conn.cursor() as cur:
            read_only = is_read_only(cur)
    except DatabaseUnavailable as error:
        return _not_ready(str(error))
    if read_only:  # another process may reach the one that takes writes
        return _not_ready("it is read-only")
    subscription = parts[Hub].subscription
    heard = subscription.connected and not subscription.stale
    listening = not subscription.ended
    redis = {"connected": heard, "listening": listening, "silent_seconds": round(subscription.silence, 1)}
    status = "ok" if heard and listening else "degraded"
    return jsonify({"status": status, "postgres": {"connected": True}, "redis": redis})


def _not_ready(why: str) -> Response:
    return problem_response(503, "Service Unavailable", f"Postgres: {why}", headers={"Retry-After": "2"})


@blp.get("/metrics")
def metrics() -> Response:
    """Of this process alone: with several, each is asked by itself."""
    _check_access()
    return Response(services()[Metrics].text(), content_type="text/plain; version=0.0.4; charset=utf-8")


def _check_access() -> None:
    """With METRICS_TOKEN, who shows it. Without one nobody in production, and embedded only who sits at this machine
    with no proxy between: behind one that ends TLS the whole world has a private address. Raises Unauthorized or
    NotFound."""
    config = services().config
    if config.metrics_token:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        given = token.strip() if scheme.lower() == "bearer" else ""
        if not secrets.compare_digest(given.encode("utf-8", "replace"), config.metrics_token.encode()):
            raise Unauthorized("Show METRICS_TOKEN as a bearer token")
        return
    passed_on = any(name in request.headers for name in PASSED_ON)
    if not config.embedded or passed_on or not _is_local(request.remote_addr):
        raise NotFound("Set METRICS_TOKEN to see the metrics")


def _is_local(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False
