"""An ended run is run again, at once or with changes, and both runs lead to each other."""

from __future__ import annotations

import json
import re
import uuid

from playwright.sync_api import expect

from tests.api.reporters import DONE, STARTED, Reporter, new_task
from tests.browser.conftest import NARROW, Visit, Visitor
from tests.support.system import System, User, wait_for


def ended(user: User, job_type: str = "test_echo", **params: object) -> str:
    task_id = user.start(job_type, **params)
    user.finished(task_id)
    return task_id


def run_of(tab: Visit) -> str:
    expect(tab.page).to_have_url(re.compile(r"/runs/"))
    return tab.page.url.rpartition("/runs/")[2][:36]


def test_with_changes_the_form_is_filled_and_the_new_run_names_the_first(tab: Visit, user: User) -> None:
    first = ended(user, text="one")
    tab.open(f"/runs/{first}")
    tab.has_ended()

    tab.click("Run again")
    tab.click("With changes")
    form = tab.page.get_by_role("dialog", name="Run again with changes")
    text = form.locator("[name='params.text']")
    expect(text).to_have_value("one")
    job = form.get_by_role("combobox", name="Job")
    expect(job).to_have_text("Test echo")
    expect(job).to_be_disabled()
    text.fill("two")
    form.get_by_role("button", name="Start").click()
    wait_for("the page of another run", lambda: run_of(tab) != first)
    second = run_of(tab)
    tab.has_ended()

    task = user.finished(second)["task"]
    assert (task["again_of"], task["params"]["text"]) == (first, "two")
    tab.shows("with changes")
    tab.get("link", first[:8]).click()
    expect(tab.page).to_have_url(re.compile(first))
    tab.get("link", second[:8]).click()
    expect(tab.page).to_have_url(re.compile(second))


def test_the_same_starts_at_once_and_several_are_counted(tab: Visit, user: User) -> None:
    first = ended(user, text="one")
    for _ in range(2):
        tab.open(f"/runs/{first}")
        tab.has_ended()
        tab.click("Run again")
        tab.click("The same")
        wait_for("the page of another run", lambda: run_of(tab) != first)
        tab.has_ended()
    last = user.finished(run_of(tab))["task"]
    assert (last["retry_of"], last["again_of"], last["params"]["text"]) == (first, None, "one")

    tab.open(f"/runs/{first}")
    tab.click("Run again 2 times")
    links = tab.page.locator(".more-list a")
    expect(links).to_have_count(2)
    expect(links.first).to_have_attribute("href", f"/runs/{last['task_id']}")


def test_what_is_not_shown_is_typed_again_beside_what_the_server_says(tab: Visit, user: User) -> None:
    tab.complaints.faulty = True  # the browser tells of the 422
    account = {"name": "ada", "password": "hush"}
    step = {"job_type": "test_sign_in", "params": {"pin": 12, "word": "one", "account": account}}
    first = ended(user, "orchestrate", steps=[step])
    tab.open(f"/runs/{first}")
    tab.has_ended()
    tab.click("Run again")
    tab.click("With changes")
    form = tab.page.get_by_role("dialog", name="Run again with changes")
    params = tab.page.locator("[name='params.steps.0.params']")
    shown = json.loads(params.input_value())
    mask = "[redacted]"
    assert shown == {"pin": mask, "word": mask, "account": {"name": "ada", "password": mask}}

    form.get_by_role("button", name="Start").click()

    field = form.locator(".field").filter(has=params)
    expect(field).to_contain_text("account.password: It is not shown; give it again.")
    expect(field).to_contain_text("pin: It is not shown; give it again.")
    expect(params).to_be_focused()
    params.fill(json.dumps({"pin": 34, "word": "two!", "account": {"name": "bob", "password": "xyz"}}))
    form.get_by_role("button", name="Start").click()
    wait_for("the page of another run", lambda: run_of(tab) != first)
    user.finished(run_of(tab))
    (child,) = user.get(f"tasks/{run_of(tab)}/tree")["tasks"]
    assert user.status(child["task_id"])["task"]["result"] == {"length": 7, "digits": 7}


def test_by_keyboard_on_a_phone(visit: Visitor, user: User) -> None:
    tab = visit(user, viewport=NARROW)
    first = ended(user, text="one")
    tab.open(f"/runs/{first}")
    tab.has_ended()

    button = tab.get("button", "Run again")
    button.focus()
    button.press("Enter")
    tab.page.keyboard.press("Tab")
    tab.page.keyboard.press("Tab")
    tab.page.keyboard.press("Enter")
    form = tab.page.get_by_role("dialog", name="Run again with changes")
    expect(form.locator("[name='params.text']")).to_have_value("one")
    tab.page.keyboard.press("Escape")
    expect(form).to_have_count(0)
    expect(button).to_be_visible()


def test_a_run_of_others_is_only_asked_for(tab: Visit, user: User) -> None:
    once, again = new_task(STARTED, DONE), new_task(STARTED, DONE, can_retry=True)
    Reporter(user).accepted(once, again)

    tab.open(f"/runs/{once['task_id']}")
    tab.has_ended()
    expect(tab.get("button", "Run again")).to_have_count(0)
    tab.open(f"/runs/{again['task_id']}")
    tab.click("Run again")
    tab.shows("Asked for; the reporter will start it")


def test_a_viewer_is_offered_nothing(visit: Visitor, system: System) -> None:
    tenant = uuid.uuid4().hex
    owner, viewer = system.user(tenant=tenant), system.user("viewer", tenant=tenant)
    first = ended(owner)
    tab = visit(viewer)
    tab.open(f"/runs/{first}")
    tab.has_ended()
    expect(tab.get("button", "Run again")).to_have_count(0)
    owner.client.close()
    viewer.client.close()
