"""The bell in two tabs of one browser: both agree, whichever was read."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visit, Visitor
from tests.support.system import System, User


def counted(tab: Visit, count: int) -> None:
    name = re.compile(rf"^Notifications\D*\b{count}\b" if count else r"^Notifications\D*$")
    expect(tab.page.get_by_role("button", name=name)).to_be_visible()


def test_two_tabs_count_alike_and_each_once(visit: Visitor, user: User, system: System) -> None:
    first = visit(user)
    second = visit(beside=first)
    for tab in (first, second):
        tab.open("/")
        tab.says("live")
    before = user.get("notifications/unread-count")["unread_count"]
    counted(first, before)

    for text in ("one", "two"):
        user.finished(user.start("test_echo", text=text))
    unread = user.get("notifications/unread-count")["unread_count"]
    assert unread == before + 2
    for tab in (first, second):
        counted(tab, unread)

    second.bell.click()
    listed = second.inbox.get_by_role("listitem")
    expect(listed).to_have_count(unread)
    listed.first.get_by_role("button", name=re.compile("^Mark as read")).click()
    for tab in (first, second):
        counted(tab, unread - 1)

    second.click("Mark all read")
    for tab in (first, second):
        counted(tab, 0)
    assert user.get("notifications/unread-count")["unread_count"] == 0
    first.page.reload()
    counted(first, 0)
