"""The page of a job: what its runs were like."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.api.reporters import DONE, PENDING, STARTED, Reporter, new_task, phase
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
    expect(figure(tab, "Failed in a day")).to_have_text("50 %")
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
    expect(figure(tab, "Failed in a day")).to_have_text("none")
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


def test_all_jobs_say_what_failed_what_waits_and_lead_to_both(tab: Visit, user: User) -> None:
    failed = {
        "type": "task_status",
        "status": "FAILURE",
        "error": {"type": "ValueError", "message": "no width"},
    }
    Reporter(user).accepted(
        *(new_task(STARTED, end, job_type="shop.mail", title="A letter") for end in (DONE, failed, failed)),
        *(new_task(PENDING, job_type="shop.mail") for _ in range(12)),
        new_task(STARTED, DONE, job_type="shop.images"),
    )

    tab.open("/")
    tab.get("navigation", "Pages").get_by_role("link", name="Jobs").click()
    rows = tab.page.get_by_role("table").get_by_role("row")
    mail = rows.nth(1)
    expect(mail.get_by_role("rowheader")).to_have_text("shop.mail")
    expect(mail.get_by_title("2 of 3, no run the day before")).to_have_text("67 %")
    expect(mail.get_by_role("listitem")).to_have_count(3)
    expect(rows.nth(2).get_by_role("rowheader")).to_have_text("shop.images")
    expect(
        tab.get("region", "Without a run").get_by_role("link", name="test_echo", exact=True)
    ).to_be_visible()

    tab.press("/")
    tab.page.keyboard.type("IMAGES")
    expect(tab.page).to_have_url(re.compile(r"/jobs\?q=IMAGES$"))
    expect(rows).to_have_count(2)
    tab.page.keyboard.press("Escape")
    mail.get_by_role("link", name="12 queued").click()
    expect(tab.page).to_have_url(re.compile(r"/\?status=PENDING&job_type=shop.mail&steps=true$"))
    tab.page.go_back()

    mail.get_by_role("link", name="shop.mail").click()
    expect(figure(tab, "Failed in a day")).to_have_text("67 %")
    expect(part(tab, "Last runs").get_by_role("listitem")).to_have_count(3)
    expect(tab.get("link", "12 queued")).to_be_visible()
    tab.get("link", "All jobs").click()
    expect(mail).to_be_visible()


def test_a_job_whose_newest_runs_wait_shows_what_is_known(tab: Visit, user: User) -> None:
    done = [phase("read"), phase("read", "completed"), DONE]
    Reporter(user).accepted(new_task(STARTED, *done, job_type="shop.mail"))
    for _ in range(2):
        Reporter(user).accepted(*(new_task(PENDING, job_type="shop.mail") for _ in range(30)))

    tab.open("/jobs/shop.mail?window=24h")

    expect(part(tab, "Last runs").get_by_role("listitem")).to_have_count(1)
    expect(part(tab, "Phases").get_by_role("rowheader")).to_have_text("read")
    tab.get("link", "60 queued").click()
    expect(tab.page).to_have_url(re.compile(r"/\?status=PENDING&job_type=shop.mail&steps=true$"))
