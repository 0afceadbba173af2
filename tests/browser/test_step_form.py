"""The form of a run that is made of steps: each has the fields of its own job, and nothing that was typed is lost."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.browser.conftest import Visit
from tests.support.system import User


def opened(tab: Visit) -> Locator:
    tab.click("New run")
    dialog = tab.page.get_by_role("dialog", name="New run")
    expect(tab.form).to_be_visible()
    return dialog


def step(tab: Visit, number: int) -> Locator:
    return tab.form.get_by_role("listitem", name=re.compile(f"^Step {number}: "))


def names(tab: Visit, *expected: str) -> None:
    expect(tab.form.locator(".step-name bdi")).to_have_text(list(expected))


def test_steps_are_made_moved_kept_as_a_draft_and_started(tab: Visit, user: User) -> None:
    user.finished(user.start("test_echo"))
    tab.open("/")
    dialog = opened(tab)
    tab.choose("Job", "Several steps", tab.form)

    tab.choose("Job", "A letter", step(tab, 1))
    for name, text in (("to", "ada@example.org"), ("password", "hush hush")):
        step(tab, 1).locator(f"[name='params.steps.0.params.{name}']").fill(text)
    tab.click("Add a step")
    tab.choose("Job", "A parcel", step(tab, 2))
    step(tab, 2).locator("[name='params.steps.1.title']").fill("Send it")
    names(tab, "A letter", "Send it")

    # What is missing is said at its field, which gets the focus, also where its step is folded.
    step(tab, 2).get_by_role("button", name="Send it").click()
    tab.click("Start")
    expect(step(tab, 2).get_by_role("combobox", name="Size")).to_be_focused()
    expect(step(tab, 2)).to_contain_text("Fill this in.")
    tab.choose("Size", "small", step(tab, 2))

    # By key, by button and by dragging.
    step(tab, 2).locator("[name='params.steps.1.title']").press("Alt+ArrowUp")
    expect(step(tab, 1).locator("[name='params.steps.0.title']")).to_be_focused()
    names(tab, "Send it", "A letter")
    expect(tab.form.get_by_role("status").last).to_have_text("Send it is now step 1 of 2")
    tab.click("Move step 1 down")
    names(tab, "A letter", "Send it")
    step(tab, 2).locator(".grip").drag_to(step(tab, 1).locator(".step-head"))
    names(tab, "Send it", "A letter")
    step(tab, 1).get_by_label("Ask for approval of this step").check()
    step(tab, 1).locator("[name='params.steps.0.approval.title']").fill("Send it?")

    # Escape keeps all of it as long as the page is; then all but the secrets.
    tab.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    opened(tab)
    expect(dialog.get_by_text("Draft from")).to_be_visible()
    step(tab, 2).get_by_role("button", name="A letter").click()
    password = tab.form.locator("[name='params.steps.1.params.password']")
    expect(password).to_have_value("hush hush")
    tab.page.reload()
    opened(tab)
    expect(dialog.get_by_text("without its secrets")).to_be_visible()
    step(tab, 2).get_by_role("button", name="A letter").click()
    expect(password).to_have_value("")
    expect(tab.form.locator("[name='params.steps.1.params.to']")).to_have_value("ada@example.org")
    password.fill("hush hush")
    tab.click("Start")

    tab.shows("Send it?")
    parent = tab.page.url.rsplit("/", 1)[1].split("#")[0]
    params = user.status(parent)["task"]["params"]
    assert [(one["job_type"], one.get("title")) for one in params["steps"]] == [
        ("test_parcel", "Send it"),
        ("test_letter", None),
    ]
    assert params["steps"][0]["approval"]["title"] == "Send it?"
    assert params["mode"] == "sequence"

    # The draft was sent; a new one can be thrown away.
    tab.open("/")
    opened(tab)
    expect(tab.form.get_by_role("combobox", name="Job").first).to_have_text("Several steps")
    names(tab, "No job yet")
    expect(dialog.get_by_text("Draft from")).to_have_count(0)
    tab.click("Add a step")
    tab.page.keyboard.press("Escape")
    opened(tab)
    names(tab, "No job yet", "No job yet")
    tab.click("Discard")
    names(tab, "No job yet")
