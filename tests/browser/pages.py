"""Every page of the dashboard, in a state worth looking at."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Route, expect

from tests.browser.list_pages import filters, retry, runs, selected, views
from tests.browser.pages_of_settings import api_keys, made_key, webhooks
from tests.browser.scene import Scene
from tests.browser.workers_page import workers
from tests.support.dashboard import Dashboard
from tests.support.shares import share

Opening = Callable[[Dashboard, Scene], None]


def login(tab: Dashboard, scene: Scene) -> None:
    tab.context.clear_cookies()
    tab.open("/login")
    expect(tab.page.get_by_label("Password")).to_be_visible()


def form(tab: Dashboard, scene: Scene) -> None:
    runs(tab, scene)
    tab.click("New run")
    tab.choose("Job", "Knowledge base", tab.form)


def steps_form(tab: Dashboard, scene: Scene) -> None:
    """The form of a run that is made of steps."""
    runs(tab, scene)
    tab.click("New run")
    tab.choose("Job", "Several steps", tab.form)
    tab.choose("Job", "Release", tab.form.get_by_role("listitem"))
    tab.click("Add a step")


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


def _page(address: str, shown: str) -> Opening:
    def open(tab: Dashboard, scene: Scene) -> None:
        tab.open(address)
        tab.shows(shown)

    return open


def step(tab: Dashboard, scene: Scene) -> None:
    """The log of a step beside the tree of its run."""
    tab.open(f"/runs/{scene.parent}")
    tab.page.get_by_role("treegrid").get_by_text("Two teachers read it", exact=True).click()
    expect(tab.get("region", "Log of Two teachers read it")).to_be_visible()


def bell(tab: Dashboard, scene: Scene) -> None:
    runs(tab, scene)
    tab.bell.click()
    expect(tab.inbox.get_by_role("listitem").first).to_be_visible()


def share_of(tab: Dashboard, run: str) -> None:
    """Opens the dialog that shares the run."""
    tab.open(f"/runs/{run}")
    tab.page.get_by_role("group", name="Actions").get_by_role("button", name="More").click()
    tab.click("Share")


def share_dialog(tab: Dashboard, scene: Scene) -> None:
    tab.context.route("**/share", _same_share)
    share_of(tab, scene.finished)
    tab.click("Make a link")
    expect(tab.get("region", "New link")).to_be_visible()


def _same_share(route: Route) -> None:
    """Makes none: the picture shall not differ from one run to the next."""
    token = "trs_Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE"
    link = f"https://rooms.example/embed/runs/2b0c3f0e-5d1e-4a7e-9b9e-2f4d3c1a0b55#token={token}"
    times = {"created_at": "2026-11-29T10:00:00Z", "expires_at": "2026-11-30T10:00:00Z"}
    made = {"id": "0", "created_by": "ada@example.org", "token": token, "url": link, "embed_url": link}
    return route.fulfill(status=201, json=made | times)


def embed(tab: Dashboard, scene: Scene) -> None:
    tab.open(f"/embed/runs/{scene.running}#token={share(scene.user, scene.running)['token']}")
    expect(tab.page.locator(".link.good")).to_be_visible()
    expect(tab.log.locator("a[href^='#L']").first).to_be_attached()


def _embed_at(which: str, name: str, shown: str) -> Opening:
    """A part of the page of a shared run."""

    def open(tab: Dashboard, scene: Scene) -> None:
        run = getattr(scene, which)
        tab.open(f"/embed/runs/{run}#token={share(scene.user, run)['token']}")
        tab.get("tab", re.compile(f"^{name}")).click()
        tab.shows(shown)

    return open


def shortcuts(tab: Dashboard, scene: Scene) -> None:
    running(tab, scene)
    tab.press("?")
    expect(tab.page.get_by_role("dialog", name="Shortcuts")).to_be_visible()


def palette(tab: Dashboard, scene: Scene) -> None:
    running(tab, scene)
    tab.page.keyboard.press("Control+k")
    tab.page.get_by_role("combobox", name="Search runs, jobs, pages and actions").fill("re")
    expect(tab.page.get_by_role("group", name="Runs").get_by_role("option").nth(2)).to_be_visible()


def nowhere(tab: Dashboard, scene: Scene) -> None:
    tab.open("/runs/00000000-0000-4000-8000-000000000000")
    expect(tab.page.get_by_role("link", name="All runs")).to_be_visible()


def again(tab: Dashboard, scene: Scene) -> None:
    """The form that starts a run again with changes."""
    tab.open(f"/runs/{scene.finished}")
    tab.click("Run again")
    tab.click("With changes")
    expect(tab.page.locator("[name='params.version']")).to_have_value("4.1.0")


def compare(tab: Dashboard, scene: Scene) -> None:
    tab.open(f"/runs/{scene.failed}/compare?with={scene.finished}")
    expect(tab.get("region", "Phases")).to_be_visible()


def compare_others(tab: Dashboard, scene: Scene) -> None:
    """Two runs of different jobs."""
    tab.open(f"/runs/{scene.failed}/compare?with={scene.packages}")
    tab.shows("Earlier runs of release")


def job(tab: Dashboard, scene: Scene) -> None:
    tab.open("/jobs/release")
    expect(tab.get("region", "Last runs")).to_be_visible()


def jobs(tab: Dashboard, scene: Scene) -> None:
    tab.open("/jobs")
    expect(tab.page.get_by_role("table").get_by_role("link", name="release", exact=True)).to_be_visible()


def nothing(tab: Dashboard, scene: Scene) -> None:
    tab.open("/")
    tab.says("live")
    tab.shows("Show these lines with a key")


PAGES: dict[str, Opening] = {
    "login": login,
    "runs": runs,
    "runs-empty": nothing,
    "runs-selected": selected,
    "runs-retry": retry,
    "runs-views": views,
    "runs-filters": filters,
    "new-run": form,
    "new-run-steps": steps_form,
    "run-running": running,
    "run-log": full_screen,
    "run-failed": _at("failed", "", "Copy for a ticket"),
    "run-result": _at("finished", "#result", "4.1.0"),
    "run-finished": _at("finished", "", "publish"),
    "run-children": _at("parent", "", "Pay the translator"),
    "run-step": step,
    "run-step-failed": _at("broken", "", "Build the book"),
    "run-chord": _at("chord", "#children", "Tell accounting"),
    "run-command": _at("command", "", "public.payments"),
    "run-waiting": _at("waiting", "", "Publish a major version"),
    "run-outputs": _at("packages", "#outputs", "A line of JSON for each file"),
    "run-again": again,
    "run-compare": compare,
    "run-compare-others": compare_others,
    "job": job,
    "jobs": jobs,
    "run-shared": share_dialog,
    "workers": workers,
    "embed": embed,
    "embed-steps": _embed_at("parent", "Steps", "Pay the translator"),
    "embed-outputs": _embed_at("packages", "Outputs", "jsonl"),
    "bell": bell,
    "shortcuts": shortcuts,
    "palette": palette,
    "api-keys": api_keys,
    "trail": _page("/trail", "signed in"),
    "settings-notifications": _page("/settings/notifications", "Like all jobs"),
    "settings-webhooks": webhooks,
    "api-key-made": made_key,
    "api-docs": _page("/api/docs", "/api/v2/agent/start"),
    "not-found": nowhere,
}
