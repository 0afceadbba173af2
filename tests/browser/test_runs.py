"""From the form to the end of a run, and what may be done to one on the way."""

from __future__ import annotations

import json
import re

from playwright.sync_api import expect

from tests.browser.conftest import Visit, Visitor
from tests.support.system import User, wait_for


def logged(user: User, task_id: str) -> list[int]:
    """Every line of it that is stored."""
    return [event["sequence"] for event in user.events(task_id) if event["type"] == "log"]


def run_of(tab: Visit) -> str:
    """The run whose page this is, once it is one."""
    expect(tab.page).to_have_url(re.compile(r"/runs/"))
    return tab.page.url.rpartition("/runs/")[2][:36]


def test_from_sign_in_to_the_end_of_a_run(visit: Visitor, user: User) -> None:
    tab = visit()
    tab.open("/")
    tab.sign_in(user)
    tab.choose("Job", "Knowledge base", tab.form)
    tab.page.get_by_label("limit").fill("60")
    tab.click("Start")
    task_id = run_of(tab)
    tab.shows("content_processing")
    tab.has_ended()
    wait_for("every line", lambda: tab.read_log() == logged(user, task_id))


def test_the_form_names_the_field_that_is_refused(tab: Visit, user: User) -> None:
    """What a form can know, it asks for itself; so the refusal is made here."""
    tab.complaints.faulty = True  # the browser tells of each 422
    problem = {
        "type": "about:blank",
        "title": "Unprocessable Content",
        "status": 422,
        "detail": "It is not valid",
    }
    problem |= {"errors": {"params.to": ["Nobody lives there."]}}
    answer = {"status": 422, "content_type": "application/problem+json", "body": json.dumps(problem)}
    tab.context.route("**/api/v2/agent/start", lambda route: route.fulfill(**answer), times=1)
    user.start("test_echo")  # whoever has none finds the form on the page
    tab.open("/")
    tab.click("New run")
    tab.choose("Job", "A letter", tab.form)
    to = tab.form.locator("[name='params.to']")
    to.fill("nowhere")
    tab.click("Start")
    expect(to).to_have_attribute("aria-invalid", "true")
    expect(to).to_have_accessible_description(re.compile("Nobody lives there."))
    expect(to).to_be_focused()
    to.fill("home")
    tab.click("Start")
    run_of(tab)
    tab.has_ended()


def test_a_run_is_cancelled_and_run_again(tab: Visit, user: User) -> None:
    task_id = user.start("test_endless")
    tab.open(f"/runs/{task_id}")
    tab.says("live")
    tab.confirm("Cancel")
    tab.has_ended("✕")
    assert user.finished(task_id)["task"]["status"] == "REVOKED"
    tab.click("Run again")
    tab.click("The same")
    wait_for("the page of another run", lambda: run_of(tab) != task_id)
    user.client.post(f"/api/v2/tasks/{run_of(tab)}/cancel")
    tab.has_ended("✕")


def test_a_run_waits_for_a_yes_and_is_given_it(tab: Visit, user: User) -> None:
    task_id = user.start("test_approval")
    tab.open(f"/runs/{task_id}")
    tab.shows("Send the mail")
    tab.click("Approve")
    tab.shows("Pay the bill")
    tab.click("Approve")
    tab.has_ended()
    assert user.finished(task_id)["task"]["result"] == "paid"


def test_a_no_ends_it(tab: Visit, user: User) -> None:
    task_id = user.start("test_approval")
    tab.open(f"/runs/{task_id}")
    tab.shows("Send the mail")
    tab.confirm("Reject")
    tab.has_ended("✕")
    assert user.finished(task_id)["task"]["status"] == "REVOKED"
