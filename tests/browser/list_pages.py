"""The list of runs in states worth looking at."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.scene import Scene
from tests.support.dashboard import Dashboard


def runs(tab: Dashboard, scene: Scene) -> None:
    tab.open("/")
    tab.says("live")
    expect(tab.page.locator(f"main a[href='/runs/{scene.running}']").first).to_be_visible()


def selected(tab: Dashboard, scene: Scene) -> None:
    """Two runs of the list, with what can be done with them."""
    runs(tab, scene)
    boxes = tab.page.get_by_role("checkbox", name=re.compile("^Select "))
    for n in range(2):
        boxes.nth(n).focus()
        tab.page.keyboard.press("Space")
    expect(tab.get("group", "Selected runs")).to_contain_text("2 selected")


def retry(tab: Dashboard, scene: Scene) -> None:
    """The question before all runs of a filter are started again."""
    selected(tab, scene)
    tab.get("button", re.compile("^Select all")).click()
    tab.get("group", "Selected runs").get_by_role("button", name="Retry", exact=True).click()
    expect(tab.page.get_by_role("checkbox", name=re.compile("^Also the"))).to_be_visible()


def filters(tab: Dashboard, scene: Scene) -> None:
    """The sheet of the filters, on a phone; a wide window has them in the list."""
    tab.open("/?errors=true&time=7d")
    tab.says("live")
    opens = tab.get("button", re.compile("^Filters"))
    if opens.is_visible():
        opens.click()
        expect(tab.page.get_by_role("dialog", name="Filters")).to_be_visible()


def views(tab: Dashboard, scene: Scene) -> None:
    """The menu of saved views, one of which is shown."""
    if not scene.user.get("views")["views"]:
        for name, filters in {"Failed": {"status": "FAILURE"}, "Slow imports": {"q": "import"}}.items():
            scene.user.client.post("/api/v2/views", json={"name": name, "filters": filters})
    tab.open("/?status=FAILURE")
    tab.click("View: Failed")
    expect(tab.page.get_by_role("link", name="Slow imports", exact=True)).to_be_visible()
