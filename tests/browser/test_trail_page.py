"""The trail, the choices of notifications and the bell: who did what is found, exported and led to."""

from __future__ import annotations

import re

import orjson
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.browser.scene import start
from tests.support.bulk import done
from tests.support.system import User

APPROVAL = {"title": "Delete the old ones", "risk_level": "critical", "estimated_cost": 0.0}


def waits(user: User, title: str) -> str:
    body = {"job_type": "test_echo", "title": title, "params": {}, "approval": APPROVAL}
    answer = user.client.post("/api/v2/agent/start", json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["task_id"])


def test_what_is_decided_in_the_bell_is_found_in_the_trail(visit: Visitor, user: User) -> None:
    rejected, approved = waits(user, "Nightly import"), waits(user, "Weekly export")
    tab = visit(user)
    tab.open("/")
    tab.says("live")

    tab.bell.click()
    item = tab.inbox.get_by_role("listitem").filter(has_text="Nightly import")
    item.get_by_role("button", name="Reject…").click()
    item.get_by_role("textbox", name="Why it is rejected").fill("not on a Friday")
    item.get_by_role("button", name="Reject now").click()
    expect(item).to_contain_text("was cancelled")
    expect(item.get_by_role("button", name="Reject…")).to_have_count(0)
    other = tab.inbox.get_by_role("listitem").filter(has_text="Weekly export")
    approve = other.get_by_role("button", name=re.compile("^Approve"))
    approve.click()
    assert user.status(approved)["task"]["status"] == "WAITING", "a critical risk asks"
    approve.click()
    expect(other).not_to_contain_text("waits for it")
    user.finished(approved)
    assert user.status(rejected)["task"]["status"] == "REVOKED"

    tab.open("/trail?action=approvals")
    rows = tab.page.get_by_role("main").get_by_role("listitem")
    expect(rows).to_have_count(2)
    expect(rows.last).to_contain_text("You rejected Nightly import")
    expect(rows.last).to_contain_text("not on a Friday")
    tab.page.get_by_role("searchbox", name="Search the trail").fill("weekly")
    expect(rows).to_have_count(1)
    expect(tab.page).to_have_url(re.compile(r"/trail\?action=approvals&q=weekly$"))
    with tab.page.expect_download() as download:
        tab.page.get_by_role("link", name="Export", exact=True).click()
    lines = [orjson.loads(line) for line in download.value.path().read_bytes().splitlines()]
    assert [(line["action"], line["target"]) for line in lines] == [("approve", approved)]
    rows.get_by_role("link", name="Weekly export").click()
    expect(tab.page).to_have_url(re.compile(f"/runs/{approved}$"))


def test_a_bulk_action_is_one_entry_that_shows_each_run_on_demand(visit: Visitor, user: User) -> None:
    failed = [start(user, f"Night batch {n}", "test_fail") for n in range(52)]
    for task_id in failed:
        user.finished(task_id)
    bulk = done(user, "retry", ids=[*failed, user.start("test_outside")])["bulk"]
    tab = visit(user)
    tab.open("/trail?action=runs")
    rows = tab.page.get_by_role("main").get_by_role("listitem")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("You retried 52 runs · 1 refused")
    expect(rows.get_by_role("link", name="52 runs", exact=True)).to_have_attribute("href", f"/runs/{bulk}")

    tab.click("Show each run")
    each = rows.first.get_by_role("listitem")
    expect(each).to_have_count(50)
    tab.click("Show older")
    expect(each).to_have_count(52)
    expect(each.filter(has_text="Night batch 51")).to_contain_text("You ran again Night batch 51")
    assert bulk not in rows.first.inner_text() and failed[0] not in rows.first.inner_text(), "names, no ids"
    tab.click("Hide each run")
    expect(each).to_have_count(0)

    tab.page.get_by_role("searchbox", name="Search the trail").fill("night batch 51")
    expect(rows).to_have_count(1)
    rows.get_by_role("link", name="the new run").click()
    expect(tab.page.get_by_role("heading", name="Night batch 51")).to_be_visible()


def test_a_choice_is_kept_and_obeyed(visit: Visitor, user: User) -> None:
    user.finished(user.start("test_echo", text="one"))
    tab = visit(user)
    tab.open("/settings/notifications")

    tab.choose("test_echo", "Nothing")
    tab.shows("Saved.")

    assert user.get("notifications/choices")["job_types"] == {"test_echo": "none"}
    tab.page.reload()
    expect(tab.page.get_by_role("combobox", name="test_echo")).to_have_text("Nothing")
    tab.get("link", "Webhooks").click()
    expect(tab.page).to_have_title("Webhooks · Taskroom")
