"""Without a mouse, from the sign-in to leaving again."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.browser.conftest import Visit, Visitor
from tests.browser.test_runs import run_of
from tests.support.system import PASSWORD, User

FOCUSED = "element => element === document.activeElement"
MOST_STOPS = 60


def tab_to(tab: Visit, wanted: Locator) -> None:
    """Presses Tab until it has the focus, as somebody who looks for it would."""
    wanted.wait_for()
    for _ in range(MOST_STOPS):
        if wanted.evaluate(FOCUSED):
            return
        tab.page.keyboard.press("Tab")
    raise AssertionError(f"{wanted} cannot be reached with Tab")


def choose(tab: Visit, option: str) -> None:
    """In the list that has the focus. By arrows, for what is typed there counts together only within a second."""
    keys = tab.page.keyboard
    keys.press("Home")
    names = tab.form.get_by_role("option").all_inner_texts()
    for _ in range(names.index(option)):
        keys.press("ArrowDown")
    keys.press("Enter")


def press(tab: Visit, name: str | re.Pattern[str]) -> None:
    tab_to(tab, tab.get("button", name).first)
    tab.page.keyboard.press("Enter")


def test_everything_can_be_done_with_the_keyboard(visit: Visitor, user: User) -> None:
    tab = visit()
    keys = tab.page.keyboard
    tab.open("/")

    tab_to(tab, tab.page.get_by_label("Email"))
    keys.type(user.email)
    tab_to(tab, tab.page.get_by_label("Password"))
    keys.type(PASSWORD)
    keys.press("Enter")

    job = tab.form.get_by_role("combobox", name="Job")
    tab_to(tab, job)
    choose(tab, "Test endless")
    expect(job).to_have_text("Test endless")
    expect(job).to_be_focused()
    press(tab, "Start")
    task_id = run_of(tab)
    tab.says("live")

    search = tab.get("searchbox", "Search the whole log")
    expect(search).to_be_visible()
    tab.press("/")
    expect(search).to_be_focused()
    keys.type("nothing like it")
    for _ in ("the search", "its text", "the field"):
        keys.press("Escape")
    expect(search).not_to_be_focused()

    tab.press("?")
    dialog = tab.page.get_by_role("dialog", name="Shortcuts")
    expect(dialog).to_contain_text("search", ignore_case=True)
    keys.press("Escape")
    expect(dialog).to_have_count(0)

    press(tab, "Cancel")
    keys.press("Enter")
    tab.has_ended("✕")
    assert user.finished(task_id)["task"]["status"] == "REVOKED"

    tab_to(tab, tab.get("link", "Taskroom"))
    keys.press("Enter")
    row = tab.page.locator(f"main a[href='/runs/{task_id}']").first
    tab_to(tab, row)
    keys.press("Enter")
    assert run_of(tab) == task_id

    press(tab, re.compile(re.escape(user.email)))
    press(tab, "Sign out")
    expect(tab.page.get_by_label("Password")).to_be_visible()
