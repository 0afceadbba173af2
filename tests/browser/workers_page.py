"""The page of workers in a state worth looking at: with those of a project, and with what needs an operator."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from playwright.sync_api import Route, expect

from tests.api.reporters import Reporter
from tests.browser.scene import Scene
from tests.support.dashboard import Dashboard


def workers(tab: Dashboard, scene: Scene) -> None:
    """With those of a project, of which one is gone with a task."""
    reporter = Reporter(scene.user)
    mail = reporter.started(title="Mail to 1,200 readers", job_type="shop.mails", worker="celery@shop-2/7")
    reporter.send(
        workers=[
            {"name": "celery@shop-1", "slots": 4, "queues": ["mails", "slow"], "memory_bytes": 312_000_000},
            {"name": "celery@shop-2", "slots": 4, "queues": ["mails"], "running": [mail]},
        ],
        queues=[
            {"name": "mails", "depth": 344, "oldest_wait_seconds": 130.0},
            {"name": "thumbnails", "depth": 12, "oldest_wait_seconds": 4_000.0},
        ],
    )
    mails = {"name": "digest", "job_type": "shop.digest", "schedule": "0 7 * * mon-fri"}
    thumbnails = {"name": "thumbnails", "job_type": "shop.thumbnails", "schedule": "every 5 min"}
    reporter.send(
        schedules=[
            mails | {"last_run_at": _at(-7), "last_task_id": mail, "next_run_at": _at(17)},
            thumbnails | {"last_error": "The broker does not answer", "next_run_at": _at(-1)},
        ]
    )
    tab.context.route("**/api/v2/workers?*", _one_is_gone)
    tab.context.route("**/api/v2/queues?*", _one_is_paused)
    tab.open("/workers")
    expect(tab.page.get_by_role("listitem", name="celery@shop-2")).to_contain_text("gone since")


def _at(hours: int) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


def _one_is_gone(route: Route) -> None:
    """After a day of work."""
    answer = route.fetch()
    body = answer.json()
    for row in body["workers"]:
        if row["name"] == "celery@shop-2":
            lost = [task | {"status": "FAILURE", "lost_at": row["seen_at"]} for task in row["tasks"]]
            row |= {"alive": False, "tasks": [], "busy": 0, "lost": row["lost"] or lost}
    route.fulfill(response=answer, json=body)


def _one_is_paused(route: Route) -> None:
    answer = route.fetch()
    body = answer.json()
    for row in body["queues"]:
        if row["name"] == "quick":
            row["paused"] = {"by": "ada@example.org", "since": row["seen_at"]}
    route.fulfill(response=answer, json=body)
