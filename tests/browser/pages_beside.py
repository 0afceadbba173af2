"""Pages of the dashboard beside those of runs: workers, API keys and webhooks."""

from __future__ import annotations

from playwright.sync_api import Route, expect

from tests.api.reporters import Reporter
from tests.browser.scene import Scene
from tests.support.dashboard import Dashboard
from tests.support.keys import make


def api_keys(tab: Dashboard, scene: Scene) -> None:
    if "status page" not in [key["name"] for key in scene.user.get("keys")["keys"]]:
        make(scene.user, "report", "read", name="nightly backup")
        make(scene.user, "read", name="status page", expires_in=90 * 24 * 3600)
    tab.open("/settings/keys")
    expect(tab.page.get_by_role("listitem", name="status page")).to_be_visible()


def made_key(tab: Dashboard, scene: Scene) -> None:
    api_keys(tab, scene)
    tab.context.route("**/api/v2/keys", same_key)
    tab.page.get_by_label("Name").fill("build server")
    tab.click("Make a key")
    expect(tab.get("region", "New key")).to_be_visible()


def same_key(route: Route) -> None:
    """Makes none: the picture shall not differ from one run to the next."""
    if route.request.method != "POST":
        return route.fallback()
    made = {
        "id": "0",
        "name": "build server",
        "prefix": "trk_Zm9vYm",
        "scopes": ["report", "read"],
        "tenant": None,
    }
    times = {"created_at": "2026-11-29T10:00:00Z", "expires_at": None, "last_used_at": None}
    key = {"key": "trk_Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE", "owner": "ada@example.org"}
    return route.fulfill(status=201, json=made | times | key)


def webhooks(tab: Dashboard, scene: Scene) -> None:
    if not scene.user.get("webhooks")["webhooks"]:
        hook = {"url": "https://hooks.example.org/taskroom", "event_types": ["task_completed"]}
        scene.user.client.post("/api/v2/webhooks", json=hook)
    tab.open("/settings/webhooks")
    tab.click("Deliveries")
    expect(tab.page.get_by_role("listitem", name="https://hooks.example.org/taskroom")).to_be_visible()


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
    tab.context.route("**/api/v2/workers?*", _one_is_gone)
    tab.context.route("**/api/v2/queues?*", _one_is_paused)
    tab.open("/workers")
    expect(tab.page.get_by_role("listitem", name="celery@shop-2")).to_contain_text("gone since")


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
