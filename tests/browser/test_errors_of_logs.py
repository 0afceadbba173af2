"""The errors of a log, one after the other."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.support.system import User


def test_e_visits_each_error_those_of_items_too_and_says_which(tab: Visit, user: User) -> None:
    task_id = user.start("test_bad_items", count=2_000, every=500)
    user.finished(task_id)
    lines = [event for event in user.events(task_id) if event["type"] == "log"]
    errors = [e["sequence"] for e in lines if e["data"]["level"] == "ERROR" or e["data"].get("item_error")]
    assert len(errors) == 5
    tab.open(f"/runs/{task_id}")
    tab.press("g g")
    expect(tab.log.get_by_text("checked 1", exact=True)).to_be_visible()

    for number, sequence in enumerate(errors, 1):
        tab.press("e")
        expect(tab.log.locator(".log-message")).to_have_text(f"{number} of 5")
        expect(tab.log.locator(f'a[href="#L{sequence}"]')).to_be_in_viewport()
    tab.press("e")
    expect(tab.log.locator(".log-message")).to_have_text("1 of 5 · Went on from the start")
    tab.press("E")
    expect(tab.log.locator(".log-message")).to_have_text("5 of 5 · Went on from the end")
