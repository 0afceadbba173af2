"""For whoever keeps the process running: does it live, can it serve, and how is it."""

from __future__ import annotations

import psycopg2
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
    """Ready needs Postgres and its tables. Without Redis everything works, only later: that is said, not refused."""
    parts = services()
    try:
        with parts.read() as conn, conn.cursor() as cur:
            cur.execute("SELECT 1 FROM streams LIMIT 1")
    except (StoreAway, psycopg2.ProgrammingError) as error:
        detail = str(error).partition("\n")[0]
        return answer(503, "Service Unavailable", f"Postgres: {detail}", headers={"Retry-After": "2"})
    subscription = parts.hub.subscription
    heard = subscription.connected and not subscription.stale
    listening = not subscription.ended
    redis = {"connected": heard, "listening": listening, "silent_seconds": round(subscription.silence, 1)}
    status = "ok" if heard and listening else "degraded"
    return jsonify({"status": status, "postgres": {"connected": True}, "redis": redis})


@blp.get("/metrics")
def metrics() -> Response:
    """Of this process alone: with several, each is asked by itself."""
    return Response(services().metrics.text(), content_type="text/plain; version=0.0.4; charset=utf-8")
