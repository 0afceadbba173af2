from __future__ import annotations

from types import SimpleNamespace

from flask import Flask
from sqlalchemy import create_engine

from app.api import health
from app.db.breaker import Breaker
from app.db.pool import engine_options, pooled
from app.stream.hub import Hub
from tests.api import patient
from tests.support.parts import Parts
from tests.support.system import System, User, wait_for


def test_a_process_that_can_serve_is_live_and_ready(system: System) -> None:
    live, ready = patient.get(f"{system.url}/livez"), patient.get(f"{system.url}/readyz")

    assert (live.status_code, live.json()) == (200, {"status": "ok"})
    assert ready.status_code == 200
    assert ready.json()["postgres"] == {"connected": True}
    assert ready.json().keys() == {"status", "postgres", "redis"}


def test_a_watched_room_connects_to_redis_and_that_is_ok(system: System, user: User) -> None:
    task_id = user.start("test_endless")
    with user.client.stream("GET", f"/api/v2/tasks/{task_id}/stream"):
        found = wait_for(
            "redis to be heard",
            lambda: body if (body := patient.get(f"{system.url}/readyz").json())["status"] == "ok" else None,
        )
        wait_for(
            "a sign of life from redis",
            lambda: patient.get(f"{system.url}/readyz").json()["redis"]["silent_seconds"] < 5,
        )
    assert found["redis"]["connected"]
    user.client.post(f"/api/v2/tasks/{task_id}/cancel")
    user.finished(task_id)


def test_a_session_that_stays_read_only_is_asked_once(database: str) -> None:
    """Postgres accepts writes again, but not over sessions that were opened before."""
    engine = create_engine(database.replace("postgresql:", "postgresql+psycopg2:", 1), **engine_options(1))
    read = pooled(engine, Breaker("Postgres"), autocommit=True)
    app = Flask(__name__)
    app.register_blueprint(health.blp)
    heard = SimpleNamespace(connected=True, stale=False, ended=False, silence=0.0)
    app.extensions["taskroom"] = Parts({Hub: SimpleNamespace(subscription=heard)}, read=read)
    with read() as connection, connection.cursor() as cur:
        cur.execute("SET default_transaction_read_only = on")

    first, second = (app.test_client().get("/readyz") for _ in range(2))

    assert (first.status_code, "it is read-only" in first.text) == (503, True)
    assert second.status_code == 200
    engine.dispose()
