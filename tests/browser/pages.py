"""Every page of the dashboard, in a state worth looking at."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.scene import Scene
from tests.support.dashboard import Dashboard

Opening = Callable[[Dashboard, Scene], None]


def login(tab: Dashboard, scene: Scene) -> None:
    tab.context.clear_cookies()
    tab.open("/login")
    expect(tab.page.get_by_label("Password")).to_be_visible()


def runs(tab: Dashboard, scene: Scene) -> None:
    tab.open("/")
    tab.says("live")
    expect(tab.page.locator(f"main a[href='/runs/{scene.running}']").first).to_be_visible()


def form(tab: Dashboard, scene: Scene) -> None:
    runs(tab, scene)
    tab.click("New run")
    tab.job.select_option("knowledge_base")


def running(tab: Dashboard, scene: Scene) -> None:
    tab.open(f"/runs/{scene.running}")
    tab.says("live")
    expect(tab.log.locator("a[href^='#L']").first).to_be_attached()  # a phone shows no numbers


def full_screen(tab: Dashboard, scene: Scene) -> None:
    running(tab, scene)
    tab.press("z")


def _at(which: str, address: str, shown: str) -> Opening:
    def open(tab: Dashboard, scene: Scene) -> None:
        tab.open(f"/runs/{getattr(scene, which)}{address}")
        tab.shows(shown)

    return open


def bell(tab: Dashboard, scene: Scene) -> None:
    runs(tab, scene)
    tab.bell.click()
    expect(tab.inbox.get_by_role("listitem").first).to_be_visible()


def shortcuts(tab: Dashboard, scene: Scene) -> None:
    running(tab, scene)
    tab.press("?")
    expect(tab.page.get_by_role("dialog", name="Shortcuts")).to_be_visible()


def docs(tab: Dashboard, scene: Scene) -> None:
    tab.open("/api/docs")
    tab.shows("/api/v2/agent/start")


def nowhere(tab: Dashboard, scene: Scene) -> None:
    tab.open("/runs/00000000-0000-4000-8000-000000000000")
    expect(tab.page.get_by_role("link", name="All runs")).to_be_visible()


def nothing(tab: Dashboard, scene: Scene) -> None:
    tab.open("/")
    tab.says("live")
    tab.shows("curl")


PAGES: dict[str, Opening] = {
    "login": login,
    "runs": runs,
    "runs-empty": nothing,
    "new-run": form,
    "run-running": running,
    "run-log": full_screen,
    "run-failed": _at("failed", "#error", "Traceback"),
    "run-result": _at("finished", "#result", "4.1.0"),
    "run-timeline": _at("finished", "#timeline", "publish"),
    "run-children": _at("parent", "#children", "Draw up the questions"),
    "run-waiting": _at("waiting", "", "Publish a major version"),
    "bell": bell,
    "shortcuts": shortcuts,
    "api-docs": docs,
    "not-found": nowhere,
}
