"""A run with steps: its outline, the log of a step beside it, approvals in a row, and what its head says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import NARROW, Visit, Visitor
from tests.support.system import User, wait_for

Step = dict[str, Any]
ASKS = {"title": "Publish the questions", "risk_level": "high", "estimated_cost": 2.5}


def echo(title: str, **more: Any) -> Step:
    return {"job_type": "test_echo", "title": title, "params": {"text": f"this is {title}"}, **more}


def fails(title: str, **more: Any) -> Step:
    return {"job_type": "test_fail", "title": title, "params": {"text": "out of paper"}, **more}


def steps(title: str, *within: Step, **more: Any) -> Step:
    return {"job_type": "orchestrate", "title": title, "params": {"steps": list(within)}, **more}


def grid(tab: Visit) -> Locator:
    return tab.page.get_by_role("treegrid", name="Steps")


def row(tab: Visit, name: str) -> Locator:
    return grid(tab).get_by_role("row").filter(has=tab.page.locator("b", has_text=re.compile(f"^{name}$")))


def drawn(tab: Visit) -> list[str]:
    """Level, mark and name of each row."""
    rows = grid(tab).locator("[data-row]").all()
    return [
        f"{row.get_attribute('aria-level')} {row.get_by_role('img').get_attribute('aria-label')}"
        f" {row.locator('b').inner_text()}"
        for row in rows
    ]


def has_rows(tab: Visit, *wanted: str) -> None:
    wait_for(f"these rows: {wanted}", lambda: drawn(tab) == list(wanted), 60)


def beside(tab: Visit, name: str) -> Locator:
    return tab.get("region", f"Log of {name}")


def facts(tab: Visit) -> Locator:
    return tab.page.locator("main .facts").first


def waiting(user: User, *given: Step, **more: Any) -> tuple[str, str]:
    """Starts an orchestration and waits until one of its steps asks; returns both."""
    task_id = user.start("orchestrate", steps=list(given), **more)

    def asking() -> str | None:
        rows = user.get(f"tasks/{task_id}/tree")["tasks"]
        return next((str(row["task_id"]) for row in rows if row["status"] == "WAITING"), None)

    return task_id, wait_for("its question", asking, 60)


def test_an_outline_of_three_levels_says_what_comes_next(tab: Visit, user: User) -> None:
    inner = steps("Inner", echo("deep"), echo("asks", approval=ASKS), echo("later"))
    task_id, _ = waiting(user, echo("first"), steps("Outer", inner, echo("outer later")), echo("last"))

    tab.open(f"/runs/{task_id}")

    has_rows(
        tab,
        "1 succeeded first",
        "1 running Outer",
        "2 running Inner",
        "3 succeeded deep",
        "3 waiting for approval asks",
        "3 not begun later",
        "2 not begun outer later",
        "1 not begun last",
    )
    expect(row(tab, "later").locator(".t-words")).to_have_text("next, after asks")
    expect(row(tab, "last").locator(".t-words")).to_have_text("next, after Outer")
    expect(row(tab, "asks").locator(".t-bar .asks")).to_be_visible()
    expect(facts(tab)).to_contain_text("1 of 3 steps")
    assert tab.page.locator("aside.side").is_hidden()
    user.client.post(f"/api/v2/tasks/{task_id}/cancel")
    has_rows(
        tab,
        "1 succeeded first",
        "1 cancelled Outer",
        "2 cancelled Inner",
        "3 succeeded deep",
        "3 cancelled asks",
        "3 not reached later",
        "2 not reached outer later",
        "1 not reached last",
    )


def test_a_run_that_succeeded_over_a_failed_step_says_so_everywhere(tab: Visit, user: User) -> None:
    task_id = user.start(
        "orchestrate", steps=[echo("first"), fails("print", on_failure="continue"), echo("last")]
    )
    user.finished(task_id)

    tab.open(f"/runs/{task_id}#children")

    has_rows(tab, "1 succeeded first", "1 failed print", "1 succeeded last")
    expect(facts(tab)).to_have_text(re.compile("^succeeded · 1 step failed"))
    expect(tab.page).to_have_title("✓ · 1 failed · orchestrate")
    expect(row(tab, "print").locator(".t-words")).to_contain_text("out of paper")
    expect(tab.get("tab", "Steps 3 · 1 failed")).to_be_visible()


def test_a_run_that_failed_opens_with_the_log_of_the_step_that_did(tab: Visit, user: User) -> None:
    harmless = fails("harmless", on_failure="continue")
    task_id = user.start("orchestrate", steps=[harmless, steps("Outer", fails("print")), echo("last")])
    user.finished(task_id)

    tab.open(f"/runs/{task_id}")

    has_rows(tab, "1 failed harmless", "1 failed Outer", "2 failed print", "1 not reached last")
    expect(row(tab, "last").locator(".t-words")).to_have_text("not reached: step 2 failed")
    expect(beside(tab, "print").get_by_role("heading", name="out of paper")).to_be_visible()
    expect(row(tab, "print")).to_have_attribute("aria-selected", "true")
    expect(facts(tab)).to_contain_text("1 not reached")


def test_a_run_that_was_cancelled_says_by_whom_above_its_tree(tab: Visit, user: User) -> None:
    task_id, _ = waiting(user, echo("first"), echo("asks", approval=ASKS))
    user.client.post(f"/api/v2/tasks/{task_id}/cancel")
    user.finished(task_id)

    tab.open(f"/runs/{task_id}")

    has_rows(tab, "1 succeeded first", "1 cancelled asks")
    why = tab.get("region", "Why it ended")
    expect(why.get_by_role("heading", name=f"Cancelled by {user.email}")).to_be_visible()
    why.get_by_role("button", name="Go to line").click()
    expect(tab.log.get_by_text(f"Cancel requested by {user.email}")).to_be_in_viewport()


def test_the_log_of_a_step_is_beside_and_in_the_address(
    tab: Visit, visit: Visitor, user: User, tmp_path: Path
) -> None:
    gates = [tmp_path / name for name in ("one", "two")]
    both = [{"job_type": "test_gated", "title": gate.name, "params": {"gate": str(gate)}} for gate in gates]
    task_id = user.start("orchestrate", steps=both, mode="parallel")
    tab.open(f"/runs/{task_id}")

    row(tab, "one").locator("b").click()

    expect(beside(tab, "one")).to_be_visible()
    expect(tab.page).to_have_url(re.compile(r"\?step=[0-9a-f-]{36}$"))
    tab.page.reload()
    expect(beside(tab, "one")).to_be_visible()
    row(tab, "two").locator("b").click()
    expect(beside(tab, "two")).to_be_visible()
    expect(beside(tab, "one")).to_have_count(0)
    sent = visit(user)
    sent.page.goto(tab.page.url)
    expect(beside(sent, "two").get_by_text("running", exact=True)).to_be_visible()
    for gate in gates:
        gate.touch()
    expect(beside(sent, "two").get_by_text("succeeded", exact=True)).to_be_visible()

    tab.press("Escape")

    expect(beside(tab, "two")).to_have_count(0)
    expect(tab.page).to_have_url(re.compile("#children$"))
    row(tab, "two").locator("b").click()
    row(tab, "two").locator("b").click()
    expect(beside(tab, "two")).to_have_count(0)


def test_a_line_of_a_step_has_an_address_beside_the_tree(tab: Visit, user: User) -> None:
    task_id = user.start(
        "orchestrate",
        steps=[{"job_type": "test_lines", "title": "lines", "params": {"lines": ["a", "b", "c"]}}],
    )
    user.finished(task_id)
    tab.open(f"/runs/{task_id}")
    row(tab, "lines").locator("b").click()

    beside(tab, "lines").locator("a.seq").nth(1).click()

    expect(tab.page).to_have_url(re.compile(r"\?step=[0-9a-f-]{36}#L\d+$"))
    tab.page.reload()
    expect(beside(tab, "lines").locator("a.seq").first).to_be_visible()
    tab.choose("Level", "Errors and worse", beside(tab, "lines"))
    expect(tab.page).to_have_url(re.compile("step=.*level=ERROR"))
    beside(tab, "lines").locator(".empty").get_by_role("button", name="Clear").click()
    expect(beside(tab, "lines").get_by_text("b", exact=True)).to_be_visible()


@pytest.mark.parametrize("approved", [True, False])
def test_an_approval_is_decided_in_its_row(tab: Visit, user: User, approved: bool) -> None:
    task_id, _ = waiting(user, echo("first"), echo("asks", approval=ASKS), echo("last"))
    tab.open(f"/runs/{task_id}")
    asked = row(tab, "asks").get_by_role("region", name="Approval needed: Publish the questions")
    expect(asked).to_contain_text("risk high estimated cost 2.50")

    if approved:
        asked.get_by_role("button", name="Approve").click()
        has_rows(tab, "1 succeeded first", "1 succeeded asks", "1 succeeded last")
    else:
        asked.get_by_role("button", name="Reject…").click()
        asked.get_by_label("Why it is rejected").fill("too dear")
        asked.get_by_label("Why it is rejected").press("Enter")
        has_rows(tab, "1 succeeded first", "1 cancelled asks", "1 not reached last")
        expect(row(tab, "asks").locator(".t-words")).to_have_text(f"Rejected by {user.email}: too dear")
        expect(row(tab, "last").locator(".t-words")).to_have_text("not reached: step 2 was ended")

    expect(asked).to_have_count(0)
    user.finished(task_id)


def test_what_is_decided_elsewhere_asks_no_longer(tab: Visit, user: User) -> None:
    task_id, step = waiting(user, echo("asks", approval=ASKS))
    tab.open(f"/runs/{task_id}")
    expect(tab.get("button", "Approve")).to_be_visible()

    user.client.post(f"/api/v2/tasks/{step}/approve")

    expect(tab.get("button", "Approve")).to_have_count(0)
    has_rows(tab, "1 succeeded asks")


def test_the_tree_is_used_with_the_keyboard(tab: Visit, user: User) -> None:
    task_id = user.start("orchestrate", steps=[steps("Outer", echo("deep")), echo("last")])
    user.finished(task_id)
    tab.open(f"/runs/{task_id}#children")
    has_rows(tab, "1 succeeded Outer", "2 succeeded deep", "1 succeeded last")
    keys = tab.page.keyboard
    row(tab, "Outer").focus()

    keys.press("ArrowLeft")
    has_rows(tab, "1 succeeded Outer", "1 succeeded last")
    keys.press("ArrowRight")
    keys.press("ArrowRight")
    expect(row(tab, "deep")).to_be_focused()
    keys.press("End")
    expect(row(tab, "last")).to_be_focused()
    keys.press("ArrowUp")
    keys.press("ArrowLeft")
    expect(row(tab, "Outer")).to_be_focused()
    keys.press("ArrowDown")
    keys.press("Space")
    expect(beside(tab, "deep")).to_be_visible()
    keys.press("Escape")
    expect(beside(tab, "deep")).to_have_count(0)
    expect(row(tab, "deep")).to_be_focused()
    keys.press("Enter")
    expect(tab.page.get_by_role("heading", name="deep")).to_be_visible()
    expect(tab.page.get_by_role("link", name="Outer")).to_be_visible()


def test_on_a_phone_the_log_lies_over_the_tree(visit: Visitor, user: User) -> None:
    task_id, _ = waiting(user, echo("first"), echo("asks", approval=ASKS))
    tab = visit(user, viewport=NARROW)
    tab.open(f"/runs/{task_id}")
    expect(tab.get("button", "Approve")).to_be_visible()
    assert not tab.run("document.documentElement.scrollWidth > innerWidth")

    row(tab, "first").locator("b").click()

    box = beside(tab, "first").bounding_box()
    assert box and (box["x"], box["y"], box["width"]) == (0, 0, NARROW["width"])
    tab.click("Close the log")
    expect(beside(tab, "first")).to_have_count(0)


def test_a_step_that_begins_while_one_looks_appears(tab: Visit, user: User, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    first = {"job_type": "test_gated", "title": "one", "params": {"gate": str(gate)}}
    task_id = user.start("orchestrate", steps=[first, echo("two")])
    tab.open(f"/runs/{task_id}")
    has_rows(tab, "1 running one", "1 not begun two")

    gate.touch()

    has_rows(tab, "1 succeeded one", "1 succeeded two")
