"""The tree of what another application runs: chords, chains and large groups."""

from __future__ import annotations

import uuid

from playwright.sync_api import expect

from tests.api.reporters import DONE, STARTED, Reporter, new_task, part, status
from tests.browser.conftest import Visit
from tests.browser.reported import failed_chord
from tests.browser.test_trees import drawn, facts, grid, has_rows, row
from tests.support.system import User


def test_a_chord_of_another_application_shows_the_body_that_failed(tab: Visit, user: User) -> None:
    group = failed_chord(user)
    user.finished(group)

    tab.open(f"/runs/{group}#children")

    has_rows(
        tab,
        "1 succeeded Report of the north",
        "1 succeeded Report of the south",
        "1 succeeded Report of the west",
        "2 failed Chord body: shop.report.total",
        "3 succeeded Tell accounting",
    )
    expect(facts(tab)).to_contain_text("1 task below failed")
    expect(tab.page).to_have_title("✓ · 1 failed · group")
    expect(row(tab, "Report of the north").locator(".t-bar .runs")).to_be_visible()


def test_a_chain_of_ten_is_shown_to_its_end(tab: Visit, user: User) -> None:
    chain = [new_task(STARTED, DONE, title="part 1")]
    for n in range(2, 10):
        chain.append(new_task(STARTED, DONE, title=f"part {n}", parent_id=chain[-1]["task_id"]))
    error = {"type": "ValueError", "message": "no box is large enough"}
    chain.append(
        new_task(STARTED, status("FAILURE", error=error), title="part 10", parent_id=chain[-1]["task_id"])
    )
    Reporter(user).accepted(*chain)

    tab.open(f"/runs/{chain[0]['task_id']}#children")

    has_rows(tab, *(f"{n - 1} succeeded part {n}" for n in range(2, 10)), "9 failed part 10")
    expect(row(tab, "part 10").locator(".t-words")).to_have_text("ValueError: no box is large enough")


def test_parts_of_a_chain_that_were_not_sent_say_what_they_come_after(tab: Visit, user: User) -> None:
    first, second, reporter = new_task(STARTED, title="Fetch"), str(uuid.uuid4()), Reporter(user)
    last = {"step": 2, "job_type": "shop.mail", "count": 3}
    first["ahead"] = [{"step": 1, "job_type": "shop.pack", "task_id": second}, last]
    reporter.accepted(first)

    tab.open(f"/runs/{first['task_id']}#children")

    has_rows(tab, "1 not begun shop.pack", "1 not begun 3 × shop.mail")
    expect(tab.get("tab", "What follows")).to_be_visible()
    expect(row(tab, "shop.pack").locator(".t-words")).to_have_text("next, after Fetch")
    expect(row(tab, "3 × shop.mail").locator(".t-words")).to_have_text("after shop.pack")
    child = new_task(STARTED, task_id=second, title="Pack", parent_id=first["task_id"], ahead=[last])
    reporter.accepted(child, part(first["task_id"], DONE))
    has_rows(tab, "1 running Pack", "2 not begun 3 × shop.mail")

    reporter.accepted(part(second, status("FAILURE", error={"type": "OSError", "message": "no box"})))

    has_rows(tab, "1 failed Pack", "2 not reached 3 × shop.mail")
    expect(row(tab, "3 × shop.mail").locator(".t-words")).to_have_text("not reached: Pack failed")


def test_hundreds_of_members_come_page_by_page_and_the_failed_ones_alone(tab: Visit, user: User) -> None:
    group, failed = str(uuid.uuid4()), status("FAILURE", error={"type": "OSError", "message": "no room"})
    members = [
        new_task(STARTED, failed if n % 50 == 0 else DONE, title=f"picture {n}", group_id=group)
        for n in range(1, 251)
    ]
    reporter = Reporter(user)
    for n in range(0, 250, 50):
        reporter.accepted(*members[n : n + 50])
    tab.open(f"/runs/{group}#children")
    rows = grid(tab).locator("[data-row]")
    expect(rows).to_have_count(101)

    tab.click("Show more")
    expect(rows).to_have_count(201)
    tab.click("Show more")
    expect(rows).to_have_count(250)
    expect(facts(tab)).to_contain_text("5 tasks below failed")

    tab.click("Only failed")
    expect(rows).to_have_count(5)
    assert {line.split()[1] for line in drawn(tab)} == {"failed"}
