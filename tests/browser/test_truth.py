"""What a page says is withdrawn when it is no longer sure: a silent server, a cancel, an approval, an estimate."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Visit, Visitor
from tests.browser.test_progress import took
from tests.support.held import Held, held
from tests.support.system import System, User, wait_for

STATUS = "**/api/v2/tasks/*/status"
# The text of the head does not change while the page's clock strikes three times.
STANDS = """async head => {
    const before = head.textContent
    for (let n = 0; n < 3; n++) await new Promise(done => setTimeout(done, 1_000))
    return head.textContent === before
}"""


def test_a_server_that_is_frozen_is_not_called_live_and_the_clocks_stand(
    visit: Visitor, system: System, user: User, run: Held
) -> None:
    with system.web() as url:
        process = system.processes[-1]
        tab = visit(user, url=url)
        tab.complaints.faulty = True
        tab.open(f"/runs/{run.id}")
        tab.says("live")
        try:
            os.killpg(process.pid, signal.SIGSTOP)
            # A request that was under way may break the connection first; that is no claim either.
            tab.says("(no answer for 12 s|reconnecting)")
            wait_for("clocks that stand", lambda: tab.page.locator(".figures").evaluate(STANDS))
            assert tab.page.locator(".phases .took").first.evaluate(STANDS)
            expect(tab.page.locator("main")).to_have_class(re.compile("stale"))
        finally:
            os.killpg(process.pid, signal.SIGCONT)
        tab.says("live")
        assert not tab.page.locator(".figures").evaluate(STANDS)


def test_a_run_that_cannot_be_loaded_says_why_and_comes_when_it_can(tab: Visit, run: Held) -> None:
    tab.complaints.faulty = True
    problem = {"title": "Internal Server Error", "status": 500, "detail": "The disk is full."}
    asked = []

    def fails(route: object) -> None:
        asked.append(1)
        route.fulfill(status=500, json=problem, content_type="application/problem+json")  # type: ignore[attr-defined]

    tab.page.route(STATUS, fails)
    tab.open(f"/runs/{run.id}")
    tab.shows("This run cannot be loaded now")
    tab.shows("The disk is full.")
    assert len(asked) >= 2, "one failure may be chance"

    tab.page.unroute(STATUS)
    tab.says("live")
    wait_for("lines", tab.lines)


def test_a_cancel_that_is_not_confirmed_is_said_to_be_open(tab: Visit, user: User, run: Held) -> None:
    tab.page.route("**/cancel", lambda route: route.fulfill(status=202, json={}))  # it gets lost
    tab.open(f"/runs/{run.id}")
    tab.says("live")
    tab.confirm("Cancel")
    tab.shows("The run has not confirmed the cancel yet.")
    expect(tab.get("button", "Cancelling")).to_be_disabled()

    assert user.client.post(f"/api/v2/tasks/{run.id}/cancel").status_code == 202
    tab.has_ended("✕")
    expect(tab.page.get_by_text("The run has not confirmed")).to_have_count(0)


def test_what_asks_for_an_approval_goes_when_it_was_given_elsewhere(visit: Visitor, user: User) -> None:
    elsewhere = visit(user)
    elsewhere.open("/")
    elsewhere.says("live")
    task_id = user.start("test_approval")
    toast = elsewhere.toasts.get_by_text("Approval needed: Send the mail")
    expect(toast).to_be_visible()
    page = visit(beside=elsewhere)
    page.open(f"/runs/{task_id}")
    banner = page.get("region", "Approval needed")
    expect(banner).to_contain_text("Send the mail")

    assert user.client.post(f"/api/v2/tasks/{task_id}/approve").status_code == 202
    expect(toast).to_have_count(0)
    expect(banner).to_contain_text("Pay the bill")
    assert user.client.post(f"/api/v2/tasks/{task_id}/reject").status_code == 202
    expect(banner).to_have_count(0)
    expect(elsewhere.toasts.get_by_text("Approval needed")).to_have_count(0)


def test_a_run_says_how_long_it_usually_takes_and_when_it_takes_longer(
    tab: Visit, user: User, system: System, tmp_path: Path
) -> None:
    for seconds in (1, 2, 3):
        with held(user, tmp_path, "test_gated_unnamed") as earlier:
            pass
        user.finished(earlier.id)
        took(system, earlier.id, prepare=seconds, load=seconds)

    with held(user, tmp_path, "test_gated_unnamed") as run:
        tab.open(f"/runs/{run.id}")
        facts = tab.page.locator(".facts")
        expect(facts).to_contain_text("usually 4.0 s (p95 5.8 s)")
        expect(facts).to_contain_text("longer than usual")
        expect(tab.page.locator(".figures")).not_to_contain_text("about")
    tab.has_ended()
    expect(facts).to_contain_text("usually 4.0 s (p95 5.8 s)")
    expect(facts).not_to_contain_text("longer")
