"""The command palette: from every page to runs, jobs, pages and actions, with the keyboard alone or a finger."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.browser.conftest import NARROW, Visit, Visitor
from tests.support.held import Held
from tests.support.system import User

FIELD = "Search runs, jobs, pages and actions"


def field(tab: Visit) -> Locator:
    return tab.get("combobox", FIELD)


def marked(tab: Visit) -> Locator:
    """The option that Enter takes: a screen reader reads it by this attribute of the field."""
    expect(field(tab)).to_have_attribute("aria-activedescendant", re.compile("."))
    return tab.page.locator("dialog [role=option][aria-selected=true]")


def test_the_keyboard_alone_finds_a_run_acts_on_it_and_comes_back(tab: Visit, user: User, run: Held) -> None:
    body = {"job_type": "test_echo", "title": "Quarterly figures of Ålesund"}
    figures = user.client.post("/api/v2/agent/start", json=body).json()["task_id"]
    user.finished(figures)
    keys = tab.page.keyboard
    tab.open("/settings/keys")
    tab.says("live")

    keys.press("Control+k")
    expect(field(tab)).to_be_focused()
    keys.type("quart")
    expect(marked(tab)).to_contain_text("Quarterly figures of Ålesund")
    keys.press("Enter")
    expect(tab.page).to_have_url(re.compile(figures))
    expect(tab.page.locator("main h1 bdi")).to_have_text("Quarterly figures of Ålesund")

    # By the beginning of its id; a cancel has to be taken twice.
    keys.press("Control+k")
    keys.type(f"#{run.id[:8]}")
    expect(marked(tab)).to_contain_text(run.id[:8])
    keys.press("Enter")
    expect(tab.page).to_have_url(re.compile(run.id))
    expect(tab.get("button", "Cancel")).to_be_visible()
    keys.press("Control+k")
    # What was looked at last comes first, without the page that is shown.
    expect(marked(tab)).to_contain_text("Quarterly figures of Ålesund")
    keys.type("cancel this")
    expect(marked(tab)).to_have_text("Cancel this run")
    keys.press("Enter")
    expect(marked(tab)).to_contain_text("Cancel now?")
    expect(tab.page.get_by_role("dialog").get_by_role("status")).to_have_text(
        "Cancel now? Press Enter once more."
    )
    assert user.status(run.id)["task"]["status"] == "STARTED"
    keys.press("Enter")
    tab.shows("cancelled")
    assert user.status(run.id)["task"]["status"] == "REVOKED"

    # Escape closes it, and the focus is where it was.
    link = tab.get("link", "Taskroom")
    link.focus()
    keys.press("Control+k")
    keys.press("Escape")
    expect(field(tab)).to_have_count(0)
    expect(link).to_be_focused()

    keys.press("Control+k")
    keys.type("dark")
    keys.press("Enter")
    expect(tab.page.locator("html")).to_have_attribute("data-theme", "dark")
    keys.press("Control+k")
    keys.type("start a letter")
    keys.press("Enter")
    expect(tab.form.get_by_role("combobox", name="Job")).to_have_text("A letter")
    keys.press("Control+k")
    expect(field(tab)).to_have_count(0)


def test_a_finger_opens_it_from_the_header_and_searches_all_runs(visit: Visitor, user: User) -> None:
    for number in range(10):
        body = {"job_type": "test_echo", "title": f"Backup {number}"}
        user.finished(user.client.post("/api/v2/agent/start", json=body).json()["task_id"])
    tab = visit(user, viewport=NARROW, has_touch=True, is_mobile=True)
    tab.open("/")
    tab.says("live")

    tab.get("button", "Search or go to").tap()
    field(tab).fill("backup")
    runs = tab.page.get_by_role("group", name="Runs").get_by_role("option")
    expect(runs).to_have_count(9)  # eight runs, and the way to all of them
    tab.page.get_by_role("option", name="All runs with “backup”").tap()

    expect(tab.page).to_have_url(re.compile(r"q=backup"))
    expect(tab.page.get_by_text("10 runs", exact=True)).to_be_attached()
