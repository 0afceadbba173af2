"""On a phone: the pages of the team in a bar at the lower edge, the filters in a sheet, and figures side by side."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.browser.scene import start
from tests.browser.test_every_page import OVER
from tests.support.system import User

WIDTHS = (320, 360, 375)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_pages_and_the_filters_are_within_reach(visit: Visitor, user: User, width: int) -> None:
    failed = start(user, "Broken", "test_fail")
    for task_id in (failed, start(user, "Fine", "test_echo")):
        user.finished(task_id)
    tab = visit(user, viewport={"width": width, "height": 640}, has_touch=True, is_mobile=True)
    tab.open("/")
    rows = tab.page.locator("a.row")
    expect(rows).to_have_count(2)
    search = tab.page.get_by_role("searchbox", name="Search runs").bounding_box()
    assert search and search["width"] >= width - 130, "beside it is nothing but the button for a new run"

    tab.get("button", "Filters").tap()
    sheet = tab.page.get_by_role("dialog", name="Filters")
    sheet.get_by_role("button", name="With errors").tap()
    tab.choose("Job", "test_fail", sheet)
    expect(sheet.get_by_role("combobox", name="Job")).to_have_text("test_fail")
    assert tab.run(OVER) <= 0
    sheet.get_by_role("button", name="Show the runs").tap()
    expect(sheet).to_have_count(0)
    expect(rows).to_have_count(1)
    opened = tab.get("button", "Filters 2")
    expect(opened).to_be_focused()
    opened.press("Enter")
    sheet.get_by_role("link", name="Clear them").press("Enter")
    expect(sheet.get_by_role("link", name="Clear them")).to_have_count(0)
    tab.page.keyboard.press("Escape")
    expect(rows).to_have_count(2)

    bar = tab.page.get_by_role("navigation", name="Pages")
    expect(bar.get_by_role("link", name="Runs", exact=True)).to_have_attribute("aria-current", "page")
    bar.get_by_role("link", name="Workers", exact=True).tap()
    expect(tab.page).to_have_title("Workers · Taskroom")
    expect(tab.page.locator(".fleet-figures > div")).to_have_count(3)
    tops = tab.page.locator(".fleet-figures > div").evaluate_all("all => all.map(one => one.offsetTop)")
    assert len(tops) == 3 and len(set(tops)) == 1, "in one row"
    bar.get_by_role("link", name="Trail", exact=True).press("Enter")
    expect(tab.page).to_have_title("Trail · Taskroom")
    expect(tab.page.get_by_role("main").get_by_text(re.compile("signed in")).first).to_be_visible()
    assert tab.run(OVER) <= 0

    bar.get_by_role("link", name="Runs", exact=True).tap()
    rows.first.tap()
    tab.has_ended("[✓✕]")
    expect(bar).to_have_count(0)  # the log needs the space
