"""Logs of what there is too much of: errors, states of a progress bar, digits; and what a fold hides while it comes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Response, Route, expect

from tests.api.writing import task_with_logs
from tests.browser.conftest import Visit, Visitor
from tests.support.held import held
from tests.support.system import System, User, wait_for

ERRORS = 12_000  # every other line
STATES = 100_000


class Requests:
    """The answers that a tab gets for lines of a log, and their bytes before compression."""

    def __init__(self, tab: Visit) -> None:
        self.sizes: list[int] = []
        tab.page.on("response", self._take)

    def _take(self, response: Response) -> None:
        if re.search(r"/logs\?", response.url):
            self.sizes.append(len(response.body()))


class Failing:
    """A run that has ended, every other line of which is an error, up to the last."""

    def __init__(self, system: System) -> None:
        self.user = system.user()
        lines = [{"message": "as it should be"}, {"message": "it failed", "level": "ERROR"}]
        self.id = task_with_logs(system, self.user, lines, ERRORS)
        self.head = self.user.status(self.id)["sequence"]


@pytest.fixture(scope="module")
def failing(system: System) -> Iterator[Failing]:
    run = Failing(system)
    yield run
    run.user.client.close()


def test_a_run_with_very_many_errors_has_marks_in_all_of_its_log(visit: Visitor, failing: Failing) -> None:
    tab = visit(failing.user)
    requests = Requests(tab)
    tab.open(f"/runs/{failing.id}")
    marks = tab.log.locator(".rail .error")
    expect(marks.first).to_be_attached()

    tops = [int(top) for top in marks.evaluate_all("all => all.map(mark => mark.offsetTop)")]
    height = tab.log.locator(".rail").evaluate("rail => rail.clientHeight")

    assert sorted(set(tops)) == list(range(min(tops), max(tops) + 1, 3)), "a mark in each row"
    assert min(tops) <= 3 and max(tops) > height - 9
    assert len(requests.sizes) <= 4, "nobody reads the whole log for it"


def test_e_goes_to_every_error_also_beyond_those_that_are_counted(visit: Visitor, failing: Failing) -> None:
    head = failing.head
    first = head - 2 * ERRORS + 1
    tab = visit(failing.user)
    tab.open(f"/runs/{failing.id}#L{first + 20_000}")
    expect(tab.log.locator(f'a[href="#L{first + 20_000}"]')).to_be_in_viewport()

    tab.press("e")
    current = tab.log.locator(".current a")
    expect(current).to_be_in_viewport()
    found = int(str(current.get_attribute("href")).removeprefix("#L"))
    assert first + 19_900 < found < first + 20_002, "the search begins at the first line in view"
    for step, sequence in (("e", found + 2), ("e", found + 4), ("E", found + 2)):
        tab.press(step)
        expect(tab.log.locator(f'.current a[href="#L{sequence}"]')).to_be_in_viewport()
        expect(tab.log.locator(".log-message")).to_have_text("One of 5,000+")
    tab.press("G")
    tab.press("E")
    expect(tab.log.locator(f'.current a[href="#L{head}"]')).to_be_in_viewport()


def test_a_first_look_for_marks_that_fails_is_repeated(visit: Visitor, failing: Failing) -> None:
    tab = visit(failing.user)
    tab.complaints.faulty = True
    asked: list[str] = []

    def refuse_at_first(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) < 3:
            route.fulfill(status=503, json={"title": "Busy", "status": 503})
        else:
            route.fallback()

    tab.context.route("**/logs/marks?*", refuse_at_first)
    tab.open(f"/runs/{failing.id}")

    expect(tab.log.locator(".rail .error").first).to_be_attached(timeout=30_000)
    assert len(asked) >= 3


def test_a_bar_that_was_replaced_a_hundred_thousand_times_takes_a_few_requests(
    visit: Visitor, system: System, user: User
) -> None:
    task_id = task_with_logs(system, user, [{"message": "half way\r", "component": "stderr"}], STATES)
    last = user.status(task_id)["sequence"]
    system.sql(
        """UPDATE events SET payload = replace(payload, 'half way\\r', 'done') WHERE seq = %s
           AND stream_id = (SELECT id FROM streams WHERE name = %s)""",
        *(last, f"task:{task_id}"),
    )

    for address in (f"/runs/{task_id}", f"/runs/{task_id}#L{last // 2}", f"/runs/{task_id}#L1"):
        tab = visit(user)
        requests = Requests(tab)
        tab.open(address)
        expect(tab.log.get_by_text("done", exact=True)).to_be_in_viewport()
        expect(tab.log.get_by_text("the first line", exact=True)).to_be_in_viewport()
        tab.at_rest()
        assert tab.log.get_by_text("half way").count() == 0
        assert len(requests.sizes) <= 12 and sum(requests.sizes) < 20_000, requests.sizes
        assert tab.log.locator(".block").count() < 50


LONG = 9007199254740993


def test_digits_are_shown_as_they_were_sent(visit: Visitor, user: User, tmp_path: Path) -> None:
    tab = visit(user)
    with held(user, tmp_path, "test_number", number=LONG) as run:
        tab.open(f"/runs/{run.id}")
        line = tab.log.locator(".line").filter(has_text="number")
        line.get_by_role("button", name="Show as a tree").click()
        expect(line.locator(".json-value")).to_have_text(str(LONG))
        run.let_go()
        tab.has_ended()

    for _ in ("by the stream", "by REST"):
        tab.get("tab", "Parameters").click()
        expect(tab.get("tabpanel", "Parameters").get_by_text(str(LONG), exact=True)).to_be_visible()
        tab.get("tab", "Result").click()
        expect(tab.get("tabpanel", "Result").get_by_text(str(LONG + 1), exact=True)).to_be_visible()
        tab.page.reload()
    tab.click("Run again")
    tab.click("With changes")
    expect(tab.page.locator("[name='params.number']")).to_have_value(str(LONG))


def test_nobody_follows_what_a_fold_hides(tab: Visit, user: User, tmp_path: Path) -> None:
    with held(user, tmp_path, "test_structured") as run:
        tab.open(f"/runs/{run.id}")
        follow = tab.get("button", "Follow")
        sending = tab.log.locator(".section-row button").filter(has_text=re.compile(r"^send"))
        wait_for(
            "lines of its last phase",
            lambda: "sent invoice" in tab.log.locator(".line").last.inner_text(),
            60,
        )
        expect(follow).to_have_attribute("aria-pressed", "true")

        tab.press("O")

        expect(sending).to_have_attribute("aria-expanded", "false")
        expect(sending).to_be_in_viewport()
        expect(follow).to_have_attribute("aria-pressed", "false")
        counted = sending.locator(".section-lines")
        expect(counted).to_have_text(re.compile(r"^\d+ lines$"))
        before = counted.inner_text()
        expect(counted).not_to_have_text(before)
        pill = tab.log.locator(".pill")
        expect(pill).to_have_text(re.compile(r"\d+ new lines?"))
        tab.page.reload()
        expect(sending).to_be_in_viewport()
        expect(follow).to_have_attribute("aria-pressed", "false")

        pill.click()

        expect(follow).to_have_attribute("aria-pressed", "true")
        wait_for("its lines", lambda: "sent invoice" in tab.log.locator(".line").last.inner_text())
        expect(tab.log.locator(".line").last).to_be_in_viewport()
