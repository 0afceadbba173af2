"""The page of workers, queues and schedules, and why a run is queued."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.api.reporters import PENDING, Reporter, new_task
from tests.browser.conftest import Visit, Visitor
from tests.support.held import Held
from tests.support.system import System, User

QUEUE = "elsewhere"  # whose tasks no worker here takes: the pause of another one would hold up other tests


@pytest.fixture(autouse=True)
def released(system: System) -> Iterator[None]:
    yield
    system.sql("DELETE FROM holds")


def row(tab: Visit, name: str) -> Locator:
    return tab.page.get_by_role("listitem", name=name, exact=True)


def test_an_operator_pauses_a_queue_and_what_waits_in_it_says_so(
    tab: Visit, user: User, visit: Visitor, system: System
) -> None:
    waits = user.start("test_outside")
    tab.open("/workers")
    row(tab, QUEUE).get_by_role("button", name="Pause", exact=True).click()
    row(tab, QUEUE).get_by_role("button", name="Pause now").click()
    expect(row(tab, QUEUE)).to_contain_text(f"paused by {user.email} since")
    expect(row(tab, QUEUE)).to_contain_text("1 waiting")

    of_tenant = system.user("admin", "acme")
    other = visit(of_tenant)
    other.open("/workers")
    expect(row(other, QUEUE)).to_contain_text("paused by an operator since")
    expect(other.get("button", "Resume")).to_have_count(0)
    of_tenant.client.close()

    tab.open(f"/runs/{waits}")
    why = tab.get("link", re.compile("^the queue"))
    expect(why).to_have_text(re.compile(f"^the queue {QUEUE} is paused by {re.escape(user.email)} since "))
    why.click()
    resume = row(tab, QUEUE).get_by_role("button", name="Resume", exact=True)
    resume.focus()
    tab.page.keyboard.press("Enter")
    tab.page.keyboard.press("Enter")  # by the keyboard it is the same button
    expect(row(tab, QUEUE)).to_contain_text("no worker takes from it")

    tab.open(f"/runs/{waits}")
    expect(tab.get("link", f"1st in the queue {QUEUE}")).to_be_visible()
    user.client.post(f"/api/v2/tasks/{waits}/cancel")
    expect(tab.get("link", f"1st in the queue {QUEUE}")).to_have_count(0)


def test_it_shows_what_runs_what_was_lost_and_what_comes_next(
    tab: Visit, user: User, system: System, run: Held
) -> None:
    reporter = Reporter(user)
    lost = reporter.started(title="Mail to 1,200 readers", worker="celery@shop/7")
    sent = new_task(PENDING, title="Sums of the night", attempt=None)
    reporter.accepted(sent)
    reporter.send(
        workers=[{"name": "celery@shop", "slots": 4, "queues": ["mails"], "running": [lost]}],
        queues=[{"name": "mails", "depth": 19, "beat_seconds": 3_600}],
        schedules=[
            {
                "name": "nightly",
                "job_type": "shop.sums",
                "schedule": "0 2 * * *",
                "last_run_at": "2026-11-30T02:00:00Z",
                "last_task_id": sent["task_id"],
                "next_run_at": "2999-12-01T02:00:00Z",
            }
        ],
    )
    tab.open("/workers")
    expect(row(tab, "celery@shop")).to_contain_text("1 of 4 slots busy")
    expect(row(tab, "mails")).to_contain_text("1 worker, 1 of 4 slots busy")
    expect(tab.page.locator(f"main a[href='/runs/{run.id}']")).to_be_visible()
    schedule = row(tab, "nightly")
    expect(schedule).to_contain_text("queued")
    expect(schedule).to_contain_text("0 2 * * *")
    expect(schedule.locator(f"a[href='/runs/{sent['task_id']}']")).to_be_visible()

    system.sql("UPDATE worker_reports SET seen_at = now() - interval '3 min' WHERE name = 'celery@shop'")
    gone = row(tab, "celery@shop")
    expect(gone.get_by_role("list", name="Was running").get_by_role("link")).to_have_text(
        "Mail to 1,200 readers"
    )
    system.sql("UPDATE leases SET missed = rounds WHERE task_id = %s", lost)

    expect(gone).to_contain_text(re.compile(r"gone since .*, 3 min ago"))
    expect(gone.get_by_role("list", name="Lost with it").get_by_role("link")).to_have_text(
        "Mail to 1,200 readers"
    )
    expect(tab.page.locator(".fleet-figures")).to_contain_text("1 gone")
    expect(row(tab, "mails")).to_contain_text(re.compile(r"no worker since .*, 3 min ago"))
    expect(row(tab, "mails").get_by_role("img", name="needs a look")).to_be_visible()
