"""What the page that compares two runs says when it cannot, or is not sure any more."""

from __future__ import annotations

import os
import re
import signal
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

from playwright.sync_api import Route, expect

from tests.api.reporters import DONE, STARTED, Reporter, new_task
from tests.browser.conftest import Visit, Visitor
from tests.browser.test_compare import part, row
from tests.browser.test_run_again import ended
from tests.browser.test_truth import STANDS, STATUS
from tests.support.held import held
from tests.support.system import System, User, wait_for

PROBLEM = {"title": "Internal Server Error", "status": 500, "detail": "The disk is full."}


def fails(route: Route) -> None:
    route.fulfill(status=500, json=PROBLEM, content_type="application/problem+json")


def test_both_runs_are_live_and_a_silent_server_is_said_to_be_silent(
    visit: Visitor, system: System, user: User, tmp_path: Path
) -> None:
    with held(user, tmp_path) as earlier:
        pass
    user.finished(earlier.id)
    with held(user, tmp_path) as run, system.web() as url:
        process = system.processes[-1]
        tab = visit(user, url=url)
        tab.complaints.faulty = True
        tab.open(f"/runs/{run.id}/compare?with={earlier.id}")
        tab.says("live")
        this = part(tab, "This run")
        expect(this).to_contain_text("running after")
        expect(tab.page.locator("main")).not_to_have_class(re.compile("stale"))
        try:
            os.killpg(process.pid, signal.SIGSTOP)
            tab.says("(no answer for 12 s|reconnecting)")
            wait_for("clocks that stand", lambda: this.evaluate(STANDS))
            expect(tab.page.locator("main")).to_have_class(re.compile("stale"))
        finally:
            os.killpg(process.pid, signal.SIGCONT)
        tab.says("live")
        expect(tab.page.locator("main")).not_to_have_class(re.compile("stale"))
        run.let_go()
        expect(this).to_contain_text("succeeded after")


def test_runs_that_cannot_be_loaded_are_said_to_be_so_and_come_when_they_can(tab: Visit, user: User) -> None:
    first, second = ended(user, text="one"), ended(user, text="two")
    tab.complaints.faulty = True
    asked: Counter[str] = Counter()

    def counted(route: Route) -> None:
        asked[route.request.url.split("/")[-2]] += 1
        fails(route)

    tab.page.route(STATUS, counted)
    tab.open(f"/runs/{second}/compare?with={first}")
    tab.shows("The runs cannot be compared now")
    tab.shows("The disk is full.")
    assert max(asked.values()) >= 2, "one failure may be chance"

    tab.page.unroute(STATUS)
    expect(row(part(tab, "Parameters"), "text").get_by_role("cell")).to_have_text(["one", "two"])


def test_what_to_compare_with_is_asked_for_again(tab: Visit, user: User) -> None:
    first, second = ended(user, text="one"), ended(user, text="two")
    tab.complaints.faulty = True
    tab.page.route("**/earlier", fails)
    tab.open(f"/runs/{second}/compare")
    tab.shows("The disk is full.")

    tab.page.unroute("**/earlier")

    expect(row(part(tab, "Parameters"), "text").get_by_role("cell")).to_have_text(["one", "two"])
    expect(tab.page).to_have_url(re.compile(f"with={first}"))


def test_a_run_that_there_is_not_is_asked_for_once(tab: Visit, user: User) -> None:
    tab.complaints.faulty = True
    mine, none = ended(user), str(uuid.uuid4())
    asked: Counter[str] = Counter()
    tab.page.on("request", lambda request: asked.update([request.url]))
    tab.page.clock.install()
    tab.open(f"/runs/{mine}/compare?with={none}")
    tab.shows("There is no such run to compare with")

    tab.page.clock.run_for(60_000)

    assert asked[f"{tab.url}/api/v2/tasks/{none}/status"] == 1


def test_runs_of_different_jobs_are_not_compared_and_others_are_offered(tab: Visit, user: User) -> None:
    other = ended(user, "release", version="1")
    first, second = ended(user, text="one"), ended(user, text="two")

    tab.open(f"/runs/{second}/compare?with={other}")

    expect(tab.page.get_by_role("heading", name="These are runs of different jobs")).to_be_visible()
    expect(tab.page.locator("main")).to_contain_text("is of the job test_echo")
    expect(tab.page.locator("main")).to_contain_text("of the job release")
    expect(tab.page.get_by_role("table")).to_have_count(0)
    choices = part(tab, "Runs to compare with").get_by_role("link")
    expect(choices).to_have_count(1)
    choices.click()
    expect(tab.page).to_have_url(re.compile(f"with={first}"))
    expect(row(part(tab, "Parameters"), "text").get_by_role("cell")).to_have_text(["one", "two"])

    tab.open(f"/runs/{other}/compare?with={other}")
    tab.shows("This is the same run twice")
    tab.shows("There is no earlier run of release to compare with.")


def test_what_is_hidden_is_neither_the_same_nor_different(tab: Visit, user: User) -> None:
    def mail(**params: Any) -> str:
        made = new_task(STARTED, DONE, params=params)
        Reporter(user).accepted(made)
        return str(made["task_id"])

    first = mail(
        to="ada", token="[redacted]", login={"name": "ada", "pin": "[redacted]"}, old_key="[redacted]"
    )
    second = mail(to="ada", token="[redacted]", login={"name": "bob", "pin": "[redacted]"}, old_key="k")

    tab.open(f"/runs/{second}/compare?with={first}")

    parameters = part(tab, "Parameters")
    expect(row(parameters, "login.name").get_by_role("cell")).to_have_text(["ada", "bob"])
    expect(parameters.get_by_role("rowheader")).to_have_count(1)
    expect(parameters).to_contain_text("the same: to")
    expect(parameters).to_contain_text("hidden on both: token, login.pin")
    expect(parameters).to_contain_text("hidden on one side, so not compared: old_key")
