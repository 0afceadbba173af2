"""The page of a job: what its runs were like."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.api.reporters import DONE, STARTED, Reporter, new_task
from tests.browser.conftest import Visit
from tests.browser.test_run_again import ended
from tests.support.system import User


def part(tab: Visit, name: str) -> Locator:
    return tab.get("region", name)


def figure(tab: Visit, name: str) -> Locator:
    return tab.page.locator(".job-figures > div").filter(has_text=name).locator("b")


def test_it_says_how_many_failed_and_why_and_leads_to_the_runs(tab: Visit, user: User) -> None:
    ended(user, "release", version="4.1.0", tests=20)
    failed = ended(user, "release", version="4.2.0", broken=True)

    tab.open(f"/runs/{failed}")
    tab.get("link", "All runs of this job").click()

    expect(tab.page).to_have_url(re.compile("/jobs/release$"))
    expect(tab.get("heading", "release")).to_be_visible()
    expect(figure(tab, "Runs")).to_have_text("2")
    expect(figure(tab, "Failed")).to_have_text("50 %")
    expect(figure(tab, "Half take at most")).to_have_text(re.compile(r"^\d.* m?s$"))
    expect(tab.get("img", "2 runs, 1 failed, by hour")).to_be_visible()
    errors = part(tab, "Errors")
    expect(errors).to_contain_text("expected 3 viewers, found 2")
    expect(errors.get_by_role("link")).to_have_attribute("href", f"/runs/{failed}")
    expect(part(tab, "Last runs").get_by_role("listitem")).to_have_count(2)
    expect(part(tab, "Phases")).to_contain_text("test")

    part(tab, "Last runs").get_by_role("link", name="All runs of this job").click()
    expect(tab.page).to_have_url(re.compile(r"/\?job_type=release$"))


def test_an_observed_job_has_one_too_and_no_button_that_starts_it(tab: Visit, user: User) -> None:
    Reporter(user).accepted(new_task(STARTED, DONE, job_type="shop/mail.send"))

    tab.open("/jobs/shop/mail.send")

    expect(figure(tab, "Runs")).to_have_text("1")
    expect(figure(tab, "Failed")).to_have_text("none")
    expect(tab.get("button", "Run")).to_have_count(0)


def test_run_opens_the_form_of_this_job(tab: Visit, user: User) -> None:
    tab.open("/jobs/test_echo")
    expect(part(tab, "Last runs")).to_contain_text("It has not run yet.")

    tab.click("Run")
    form = tab.get("dialog", "New run")
    form.get_by_label("text").fill("from the page")
    form.get_by_role("button", name="Start").click()

    expect(tab.page).to_have_url(re.compile("/runs/"))
    (task,) = user.get("tasks")["tasks"]
    assert task["job_type"] == "test_echo"


def test_the_time_is_chosen_and_is_in_the_address(tab: Visit, user: User) -> None:
    ended(user, text="x")

    tab.open("/jobs/test_echo")
    tab.get("combobox", "Time").click()
    tab.get("option", "Last 30 days").click()

    expect(tab.page).to_have_url(re.compile(r"/jobs/test_echo\?window=30d$"))
    expect(tab.get("img", "1 run, by day")).to_be_visible()


def test_a_run_that_ends_is_counted_by_itself(tab: Visit, user: User) -> None:
    ended(user, text="x")
    tab.page.clock.install()
    tab.open("/jobs/test_echo")
    expect(figure(tab, "Runs")).to_have_text("1")

    ended(user, text="y")
    tab.page.clock.fast_forward(15_000)

    expect(figure(tab, "Runs")).to_have_text("2")


def test_a_job_that_nobody_knows_says_so(tab: Visit) -> None:
    tab.complaints.faulty = True  # the browser tells of each 404
    tab.open("/jobs/nobody.knows")

    expect(tab.get("heading", "There is no job of this name")).to_be_visible()
