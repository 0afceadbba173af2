"""The form that starts a run keeps what was typed, hides secrets, and knows dates; lists open with the keyboard."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.browser.conftest import Visit
from tests.support.system import User


def field(tab: Visit, name: str) -> Locator:
    return tab.page.locator(f"[name='params.{name}']")


def opened(tab: Visit) -> Locator:
    tab.click("New run")
    dialog = tab.page.get_by_role("dialog", name="New run")
    tab.choose("Job", "A letter", tab.form)
    return dialog


def test_escape_loses_nothing_but_secrets_and_a_start_forgets_all(tab: Visit, user: User) -> None:
    user.finished(user.start("test_echo"))
    tab.open("/")
    dialog = opened(tab)
    expect(dialog.get_by_text("* is required")).to_be_visible()
    expect(dialog.locator("label", has=field(tab, "to")).get_by_title("required")).to_be_visible()
    expect(dialog.get_by_title("required")).to_have_count(1)
    field(tab, "to").fill("ada@example.org")
    field(tab, "password").fill("hush hush")
    assert field(tab, "password").get_attribute("type") == "password"
    field(tab, "day").fill("2026-12-24")
    field(tab, "at").fill("2026-12-24T18:30")

    tab.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    tab.page.reload()
    opened(tab)

    expect(field(tab, "to")).to_have_value("ada@example.org")
    expect(field(tab, "password")).to_have_value("")
    expect(field(tab, "day")).to_have_value("2026-12-24")
    field(tab, "password").fill("hush hush")
    tab.click("Start")
    tab.has_ended()
    (newest, _) = user.get("tasks")["tasks"]
    assert user.status(newest["task_id"])["task"]["result"] == {
        "to": "ada@example.org",
        "day": "2026-12-24",
        "at": "2026-12-24T18:30:00+00:00",  # the zone of the browser is UTC
        "known": 9,
    }
    tab.get("tab", "Parameters").click()
    tab.shows("••••••")
    expect(tab.page.get_by_text("hush hush")).to_have_count(0)

    tab.open("/")
    opened(tab)
    expect(field(tab, "to")).to_have_value("")


def test_the_list_is_filtered_by_job_with_the_keyboard(tab: Visit, user: User) -> None:
    for job in ("test_echo", "test_lines"):
        user.finished(user.start(job))
    tab.open("/")
    rows = tab.page.locator("main a.row")
    expect(rows).to_have_count(2)
    choice = tab.get("combobox", "Job")
    choice.focus()
    keys = tab.page.keyboard

    keys.press("Enter")
    expect(choice).to_have_attribute("aria-expanded", "true")
    keys.press("Escape")
    expect(choice).to_have_attribute("aria-expanded", "false")
    expect(rows).to_have_count(2)
    keys.type("test_li")
    expect(tab.page.locator(".choice-list:popover-open .active")).to_have_text("test_lines")
    keys.press("Enter")

    expect(tab.page).to_have_url(re.compile("job_type=test_lines"))
    expect(rows).to_have_count(1)
    expect(choice).to_have_text("test_lines")
    expect(choice).to_be_focused()
