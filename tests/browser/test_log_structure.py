"""The structure of a log: sections that fold, numbers and times of lines, progress bars, JSON, the rail, the end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Visit, Visitor
from tests.support.held import held
from tests.support.system import System, User, wait_for


class Sectioned:
    """A run with two attempts that has ended, and the sequences of its lines by their texts."""

    def __init__(self, system: System) -> None:
        self.user = system.user()
        self.id = self.user.start("test_structured", retry=True, fail=True)
        self.user.finished(self.id)
        events = self.user.events(self.id)
        self.sequences: dict[str, int] = {}  # the last one of equal texts
        self.numbers: dict[int, int] = {}
        for event in events:
            if event["type"] == "log":
                self.sequences[event["data"]["message"].split("\n")[0]] = event["sequence"]
                self.numbers[event["sequence"]] = event["data"]["line"]
        self.sections: list[dict[str, Any]] = self.user.status(self.id)["sections"]


@pytest.fixture(scope="module")
def run_(system: System) -> Iterator[Sectioned]:
    run = Sectioned(system)
    yield run
    run.user.client.close()


def header(tab: Visit, name: str) -> Locator:
    """The header between the lines, not the one above them."""
    return tab.log.locator(".section-row button").filter(has_text=re.compile(rf"^{name}"))


def text(tab: Visit, words: str) -> Locator:
    return tab.log.locator(".line").get_by_text(words, exact=True)


def path(tab: Visit) -> list[str]:
    return (
        tab.log.get_by_role("group", name="Sections of the first line")
        .get_by_role("button")
        .all_inner_texts()
    )


def lines_box(tab: Visit) -> dict[str, float]:
    box = tab.page.get_by_label("Lines", exact=True).bounding_box()
    assert box
    return dict(box)


def test_the_sections_of_the_first_line_are_above_it_however_it_came_into_view(
    visit: Visitor, run_: Sectioned
) -> None:
    tab = visit(run_.user)
    tab.open(f"/runs/{run_.id}#L{run_.sequences['converted invoice 30 of November']}")
    wait_for("the path", lambda: path(tab) == ["Attempt 2", "convert", "November", "Attachments of November"])

    tab.press("g g")

    wait_for("none at the top", lambda: path(tab) == [])
    expect(header(tab, "Attempt 1")).to_be_visible()
    expect(header(tab, "read").first).to_be_visible()


def test_a_group_folds_by_click_and_by_key_stays_folded_and_says_that_it_has_an_error(
    visit: Visitor, run_: Sectioned
) -> None:
    tab = visit(run_.user)
    error = run_.sequences["invoice 17 is negative"]
    tab.open(f"/runs/{run_.id}#L{run_.sequences['converted invoice 1 of October']}")
    october = header(tab, "October")
    expect(october).to_have_attribute("aria-expanded", "true")
    october.scroll_into_view_if_needed()
    tab.at_rest()
    before = october.bounding_box()

    october.click()

    expect(october).to_have_attribute("aria-expanded", "false")
    expect(october).to_contain_text("2 error lines")
    expect(text(tab, "converted invoice 1 of October")).to_have_count(0)
    expect(header(tab, "November")).to_be_in_viewport()
    after = october.bounding_box()
    assert before and after and abs(before["y"] - after["y"]) < 2, "what is clicked does not move"

    tab.open("/")
    tab.open(f"/runs/{run_.id}#L{run_.sequences['converted invoice 1 of November']}")
    expect(header(tab, "October")).to_have_attribute("aria-expanded", "false")
    header(tab, "October").press("Enter")
    expect(header(tab, "October")).to_have_attribute("aria-expanded", "true")
    tab.open(f"/runs/{run_.id}#L{error}")
    expect(tab.log.locator(f'a[href="#L{error}"]')).to_be_in_viewport()
    tab.press("o")
    expect(header(tab, "Attachments of October")).to_have_attribute("aria-expanded", "false")
    expect(header(tab, "Attachments of October")).to_be_in_viewport()


def test_what_is_looked_for_opens_what_hides_it(visit: Visitor, run_: Sectioned) -> None:
    tab = visit(run_.user)
    tab.open(f"/runs/{run_.id}")
    expect(text(tab, "read invoice 1").or_(tab.log.locator(".log-end")).first).to_be_visible()

    def folded() -> None:
        if tab.log.locator(".line").count():
            tab.press("O")
        expect(tab.log.locator(".line")).to_have_count(0)
        expect(header(tab, "Attempt 2")).to_contain_text(re.compile(r"\d error lines"))

    folded()
    tab.get("searchbox", "Search the whole log").fill("invoice 33 of November")
    expect(text(tab, "converted invoice 33 of November")).to_be_in_viewport()
    tab.get("searchbox", "Search the whole log").fill("")
    tab.page.keyboard.press("Escape")
    tab.press("O")
    folded()
    tab.press("e")
    expect(tab.log.locator(".line.current")).to_be_in_viewport()
    tab.press("O")
    folded()
    sequence = run_.sequences["read invoice 3"]
    tab.run("hash => { location.hash = hash }", f"#L{sequence}")
    expect(tab.log.locator(f'a[href="#L{sequence}"]')).to_be_in_viewport()


def test_following_opens_the_section_that_goes_on_and_the_end_is_marked(
    tab: Visit, user: User, tmp_path: Path
) -> None:
    with held(user, tmp_path, "test_structured", fail=True) as run:
        tab.open(f"/runs/{run.id}")
        sending = header(tab, "send")
        wait_for("its last phase", lambda: "send" in path(tab), 60)
        tab.log.get_by_role("group", name="Sections of the first line").get_by_role(
            "button", name="send"
        ).click()
        expect(sending).to_have_attribute("aria-expanded", "false")
        expect(text(tab, "sent invoice 1")).to_have_count(0)

        tab.get("button", "Follow").click()
        expect(sending.or_(tab.log.locator(".line").last).first).to_be_attached()
        wait_for("its lines", lambda: "sent invoice" in tab.log.locator(".line").last.inner_text())
        run.let_go()

        tab.has_ended("✕")
        end = tab.log.locator(".log-end")
        expect(end).to_be_in_viewport()
        expect(end).to_contain_text(re.compile(r"Failed after .* the mail server is away"))
        expect(tab.log.get_by_text("ConnectionError: the mail server is away").last).to_be_in_viewport()
        expect(tab.get("button", "Follow")).to_have_attribute("aria-pressed", "true")


def test_a_progress_bar_is_one_line_that_changes(visit: Visitor, run_: Sectioned) -> None:
    tab = visit(run_.user)
    last = run_.sequences["uploading 100 %"]
    tab.open(f"/runs/{run_.id}#L{last}")

    expect(text(tab, "uploading 100 %")).to_be_in_viewport()
    expect(tab.log.get_by_text("uploading 90 %")).to_have_count(0)
    kept = run_.user.client.get(f"/api/v2/tasks/{run_.id}/logs/download?format=ndjson").text
    assert kept.count("uploading") == 11, "a program gets each state"


def test_numbers_count_lines_and_times_are_those_that_the_reader_chooses(
    visit: Visitor, run_: Sectioned
) -> None:
    tab = visit(run_.user)
    sequence = run_.sequences["read invoice 3"]
    tab.open(f"/runs/{run_.id}#L{sequence}")
    number = tab.log.locator(f'a[href="#L{sequence}"]')
    expect(number).to_have_text(str(run_.numbers[sequence]))
    time = tab.log.locator(f'[data-at="{sequence}"] time')
    expect(time).to_have_text(re.compile(r"^\d\d:\d\d:\d\d\.\d{3}$"))
    more = tab.log.get_by_role("button", name="More", exact=True)
    more.click()

    tab.choose("Times", "since the start")
    expect(time).to_have_text(re.compile(r"^\d+:\d\d\.\d{3}$"))
    tab.choose("Times", "since the line before")
    expect(time).to_have_text(re.compile(r"^\+\d+\.\d{3}$"))
    tab.page.reload()
    expect(time).to_have_text(re.compile(r"^\+"))
    tab.press("t")
    expect(time).to_be_hidden()


def test_a_line_of_json_opens_in_its_place(visit: Visitor, run_: Sectioned) -> None:
    tab = visit(run_.user)
    (sequence,) = [seq for words, seq in run_.sequences.items() if words.startswith('{"event"')]
    tab.open(f"/runs/{run_.id}#L{sequence}")
    line = tab.log.locator(f'[data-at="{sequence}"]')
    expect(line).to_contain_text('{"event": "rates"')
    below = tab.log.locator(f'[data-at="{sequence}"] ~ [data-at]').first
    tab.at_rest()
    low = line.bounding_box()

    line.get_by_role("button", name="Show as a tree").click()

    expect(line.locator(".json-key").first).to_have_text("event")
    expect(line.get_by_text("162.1")).to_be_visible()
    tab.at_rest()
    high = line.bounding_box()
    assert low and high and high["height"] > low["height"] + 60 and abs(high["y"] - low["y"]) < 2
    expect(below).to_be_attached()
    line.get_by_role("button", name="Show as text").click()
    expect(line).to_contain_text('{"event": "rates"')


def test_a_search_says_which_of_all_and_the_rail_leads_to_marks(visit: Visitor, run_: Sectioned) -> None:
    tab = visit(run_.user)
    tab.open(f"/runs/{run_.id}#L{run_.sequences['read invoice 3']}")
    rail = tab.log.locator(".rail")
    expect(rail.locator(".error").first).to_be_attached()
    tab.get("searchbox", "Search the whole log").fill("of October")
    expect(tab.log.locator(".log-message")).to_have_text("1 of 40")
    expect(rail.locator(".hit").first).to_be_attached()

    marks = rail.locator(".error").evaluate_all("all => all.map(mark => mark.offsetTop)")
    box = rail.bounding_box()
    assert box and len(marks) >= 2, "a line about an item, and the traceback"
    tab.page.mouse.click(box["x"] + 5, box["y"] + max(marks) + 1)

    expect(tab.log.locator(".line.current.error")).to_be_in_viewport()
    expect(tab.log.locator(".line.current")).to_contain_text("Traceback")


def test_at_four_hundred_per_cent_the_log_can_be_seen_and_used(visit: Visitor, run_: Sectioned) -> None:
    tab = visit(run_.user, viewport={"width": 320, "height": 256})
    tab.open(f"/runs/{run_.id}")
    expect(tab.log.locator(".line").first).to_be_attached()

    tab.press("e")

    expect(tab.log.locator(".line.current")).to_be_in_viewport()
    assert lines_box(tab)["height"] > 120
    search = tab.get("searchbox", "Search the whole log")

    def scrolled_to() -> bool:
        """Whether the search is shown whole. The page scrolls to the error again once lines have their heights."""
        tab.log.evaluate("log => log.scrollIntoView()")
        box = search.bounding_box()
        return box is not None and 0 <= box["y"] <= 256 - box["height"]

    wait_for("the search within the window", scrolled_to)
    search.fill("invoice 33 of November")
    expect(text(tab, "converted invoice 33 of November")).to_be_in_viewport()
    assert not tab.run("document.documentElement.scrollWidth > innerWidth")
