"""For whoever keeps the process running: does it live, can it serve, and how is it."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from app.problems import answer
from app.services import services
from app.stream.store import StoreAway

blp = Blueprint("health", __name__)


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
            cur.execute(
                "SELECT current_setting('transaction_read_only') = 'on', EXISTS (SELECT FROM streams)"
            )
            ((read_only, _),) = cur.fetchall()
    except StoreAway as error:
        return _not_ready(str(error))
    if read_only:  # another process may reach the one that takes writes
        return _not_ready("it is read only")
    subscription = parts.hub.subscription
    heard = subscription.connected and not subscription.stale
    redis = {"connected": heard, "silent_seconds": round(subscription.silence, 1)}
    status = "ok" if heard else "degraded"
    return jsonify({"status": status, "postgres": {"connected": True}, "redis": redis})


def _not_ready(why: str) -> Response:
    return answer(503, "Service Unavailable", f"Postgres: {why}", headers={"Retry-After": "2"})


@blp.get("/metrics")
def metrics() -> Response:
    """Of this process alone: with several, each is asked by itself."""
    return Response(services().metrics.text(), content_type="text/plain; version=0.0.4; charset=utf-8")
