"""What beat starts: deletes what has expired, so that no table grows without end."""

from __future__ import annotations

from app.tasks.expired import delete_expired
from workers.celery_app import celery
from workers.runtime import runtime


@celery.task(name="taskroom.housekeeping")
def housekeeping() -> None:
    with runtime().connect() as conn, conn.cursor() as cur:
        delete_expired(cur)
