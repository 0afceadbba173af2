"""Many runs of the list: selected with pointer and keys, cancelled at once, and their filter kept as a view."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.scene import start
from tests.support.system import System, User, wait_for


def test_runs_are_selected_with_pointer_and_keys_and_cancelled_at_once(tab: Visit, user: User) -> None:
    ids = [start(user, f"Part {n}", "test_outside", text="x") for n in range(6)]
    tab.open("/?job_type=test_outside")
    page, bar = tab.page, tab.page.get_by_role("group", name="Selected runs")
    boxes = [page.get_by_role("checkbox", name=f"Select Part {n}", exact=True) for n in range(6)]

    page.locator("main ol a.row").first.hover()
    boxes[5].check()
    boxes[3].click(modifiers=["Shift"])
    expect(bar).to_contain_text("3 selected")
    page.keyboard.press("Escape")
    expect(bar).to_have_count(0)

    page.locator("main ol a.row").first.focus()
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(bar).to_contain_text("2 selected")
    expect(boxes[4]).to_be_checked()
    bar.get_by_role("button", name="Select all 6 matching").click()
    expect(bar).to_contain_text("All 6 selected")
    bar.get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog", name="Cancel 6 runs").get_by_role("button", name="Cancel 6 runs").click()

    page.get_by_role("link", name="Cancelling 6 runs", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Cancel my test_outside runs")
    tab.has_ended()
    expect(page.get_by_text("succeeded · 6 cancelled", exact=True)).to_be_visible()
    expect(page.get_by_text(f"Part 0 ({ids[0]}): cancelled")).to_be_visible()
    assert {user.status(task_id)["task"]["status"] for task_id in ids} == {"REVOKED"}
    tab.open("/?job_type=bulk_action")
    expect(page.locator("main ol a.row")).to_contain_text("6 cancelled")
    page.get_by_role("button", name=re.compile("^Notifications")).click()
    notices = page.get_by_role("dialog", name="Notifications").get_by_role("listitem")
    expect(notices.filter(has_text="Cancel my test_outside runs has finished")).to_contain_text("6 cancelled")


def test_a_view_is_saved_opened_renamed_and_removed(tab: Visit, user: User, system: System) -> None:
    user.finished(start(user, "Broken", "test_fail", text="x"))
    tab.open("/?status=FAILURE")
    page = tab.page
    page.get_by_role("button", name="Views", exact=True).click()
    page.get_by_role("button", name="Save this view…").click()
    page.get_by_role("textbox", name="Name").fill("Needs a look")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="View: Needs a look")).to_be_visible()

    tab.open("/")
    page.get_by_role("button", name="Views", exact=True).click()
    page.get_by_role("link", name="Needs a look", exact=True).click()
    expect(page).to_have_url(re.compile(r"/\?status=FAILURE$"))
    page.get_by_role("button", name="View: Needs a look").click()
    page.get_by_role("button", name="Rename…").click()
    page.get_by_role("textbox", name="Name").fill("Failures")
    page.get_by_role("dialog").get_by_role("button", name="Rename", exact=True).click()
    page.get_by_role("button", name="View: Failures").click()
    page.get_by_role("button", name="Remove", exact=True).click()
    page.get_by_role("button", name="Remove now", exact=True).click()

    expect(page.get_by_role("button", name="Views", exact=True)).to_be_visible()
    wait_for("the view to be gone", lambda: user.get("views")["views"] == [])
