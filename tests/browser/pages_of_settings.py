"""Pages of settings: API keys and webhooks."""

from __future__ import annotations

from playwright.sync_api import Route, expect

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
