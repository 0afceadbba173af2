"""The log viewer: where it opens, what it finds, what it leaves out and when it follows."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit, Visitor
from tests.support.held import Held
from tests.support.system import System, User, wait_for

LINES = 50_000  # more than twice what a page holds
WIDER = "(box => box.scrollWidth > box.clientWidth)"


class Story:
    """A finished run with a long log, and the sequences of its needles: five errors, evenly spread."""

    def __init__(self, system: System) -> None:
        self.user = system.user()
        self.id = self.user.start("test_story", count=LINES)
        self.user.finished(self.id, 300)
        lines = [event for event in self.user.events(self.id) if event["type"] == "log"]
        self.first = lines[0]["sequence"]
        self.needles = [line["sequence"] for line in lines if line["data"]["level"] == "ERROR"]
        assert len(self.needles) == 5


@pytest.fixture(scope="module")
def story(system: System) -> Iterator[Story]:
    story = Story(system)
    yield story
    story.user.client.close()


def in_view(tab: Visit, sequence: int) -> None:
    expect(tab.log.locator(f'a[href="#L{sequence}"]')).to_be_in_viewport()


def test_a_permalink_opens_right_there(visit: Visitor, story: Story) -> None:
    tab = visit(story.user)
    middle = story.needles[2]
    tab.open(f"/runs/{story.id}#L{middle}")
    in_view(tab, middle)
    assert all(abs(line - middle) < 1000 for line in tab.lines())
    tab.open("/")
    tab.open(f"/runs/{story.id}#L{middle}-L{middle + 3}")
    in_view(tab, middle)
    in_view(tab, middle + 3)


def test_a_search_goes_through_the_whole_log_and_around(visit: Visitor, story: Story) -> None:
    tab = visit(story.user)
    tab.open(f"/runs/{story.id}")
    search = tab.get("searchbox", "Search the whole log")
    search.fill("needle")  # searches by itself, a moment later
    hit = tab.log.locator(".line.current > a")
    expect(hit).to_be_in_viewport()
    hits = deque(story.needles)
    hits.rotate(-hits.index(int((hit.get_attribute("href") or "").removeprefix("#L"))))

    def goes_to(step: int) -> None:
        hits.rotate(-step)
        expect(hit).to_have_attribute("href", f"#L{hits[0]}")
        expect(hit).to_be_in_viewport()

    search.press("Enter")
    goes_to(1)
    for _ in range(4):
        tab.page.get_by_role("button", name="Next hit").click()
        goes_to(1)
    for _ in range(5):
        tab.page.get_by_role("button", name="Previous hit").click()
        goes_to(-1)


def test_levels_and_phases_are_filtered(visit: Visitor, story: Story) -> None:
    tab = visit(story.user)
    tab.open(f"/runs/{story.id}")
    tab.choose("Level", "Errors and worse")
    wait_for("the errors alone", lambda: tab.lines() == story.needles)
    tab.choose("Phase", "writing")
    wait_for("those of the phase", lambda: tab.lines() == story.needles[2:])


def test_the_next_error_is_a_key_away(visit: Visitor, story: Story) -> None:
    tab = visit(story.user)
    tab.open(f"/runs/{story.id}#L{story.first}")
    in_view(tab, story.first)
    for sequence in story.needles[:3]:
        tab.press("e")
        in_view(tab, sequence)
    tab.press("E")
    in_view(tab, story.needles[1])


def test_following_lets_go_and_takes_hold(tab: Visit, user: User, run: Held) -> None:
    tab.open(f"/runs/{run.id}")
    follow = tab.get("button", "Follow")
    expect(follow).to_have_attribute("aria-pressed", "true")
    wait_for("more than fits", lambda: len(tab.lines()) > 30, 60)

    tab.log.hover()
    tab.page.mouse.wheel(0, -200)
    expect(follow).to_have_attribute("aria-pressed", "false")
    new = tab.page.get_by_role("button", name=re.compile(r"\d+ new lines"))
    expect(new).to_be_visible()
    tab.at_rest()
    kept = wait_for("lines", tab.in_view)
    wait_for("many more", lambda: int(re.sub(r"\D", "", new.inner_text())) > 300, 60)
    stays = slice(len(kept) - 1)  # the last line may be at the edge, which a fraction of a pixel decides
    assert tab.in_view()[stays] == kept[stays], "what is read stays"

    new.click()
    expect(follow).to_have_attribute("aria-pressed", "true")
    wait_for("the end", lambda: tab.in_view()[-1:] > [kept[-1] + 300], 60)
    at = wait_for("lines", tab.in_view)[-1]
    wait_for("what comes then", lambda: tab.in_view()[-1:] > [at + 100], 60)
    user.client.post(f"/api/v2/tasks/{run.id}/cancel")
    tab.has_ended("✕")


def test_a_range_is_chosen_by_hand_copied_as_in_the_file_and_linked(visit: Visitor, story: Story) -> None:
    tab = visit(story.user, permissions=["clipboard-read", "clipboard-write"])
    first, last = story.first + 2, story.first + 5
    tab.open(f"/runs/{story.id}#L{story.first}")
    in_view(tab, last)

    tab.log.locator(f'a[href="#L{first}"]').click()
    tab.log.locator(f'a[href="#L{last}"]').click(modifiers=["Shift"])

    numbers = [tab.log.locator(f'a[href="#L{sequence}"]').inner_text() for sequence in (first, last)]
    assert numbers == ["3", "6"], "the numbers count lines, the address counts events"
    tab.shows("Lines 3 to 6")
    tab.click("Copy")
    expect(tab.get("button", "Copied")).to_be_visible()
    tab.log.get_by_role("button", name="More", exact=True).click()
    file = tab.get("link", "Download all as text").get_attribute("href")
    lines = story.user.client.get(file or "").text.splitlines(keepends=True)
    assert tab.run("navigator.clipboard.readText()") == "".join(lines[2:6])
    tab.press("c")
    wait_for("the link", lambda: tab.run("navigator.clipboard.readText()").endswith(f"#L{first}-L{last}"))
    tab.click("Clear")
    assert "#" not in tab.page.url


def test_how_a_log_looks_is_this_readers_and_stays(tab: Visit, user: User) -> None:
    task_id = user.start("test_echo", text="wide " * 400)
    user.finished(task_id)
    tab.open(f"/runs/{task_id}")
    lines, time = tab.log.get_by_role("group", name="Lines"), tab.log.locator("time").first
    scrolls = f"{WIDER}(document.querySelector('[aria-label=Lines]'))"
    expect(time).to_be_visible()
    assert not tab.run(scrolls), "long lines are wrapped at first"

    tab.press("w")
    for _ in range(3):
        tab.press("t")
    wait_for("lines as wide as they are", lambda: tab.run(scrolls))
    expect(time).to_be_hidden()
    tab.page.reload()
    expect(lines).to_be_visible()
    wait_for("the same after it", lambda: tab.run(scrolls))
    expect(time).to_be_hidden()

    top = "document.querySelector('[aria-label=Log]').getBoundingClientRect().top"
    tab.press("z")
    wait_for("the log over all else", lambda: tab.run(top) == 0)
    tab.press("Escape")
    wait_for("the log in its place", lambda: tab.run(top) > 0)


def test_the_last_line_stays_in_view_when_the_log_becomes_lower(tab: Visit, user: User) -> None:
    """As when the block above it comes later than the jump."""
    task_id = user.start("test_bad_items", count=500, every=500)
    user.finished(task_id)
    last = max(event["sequence"] for event in user.events(task_id) if event["type"] == "log")
    line = tab.log.locator(f'a[href="#L{last}"]')
    tab.open(f"/runs/{task_id}#L{last}")
    expect(line).to_be_in_viewport()
    lines = tab.page.get_by_label("Lines")
    tall = lines.bounding_box()

    tab.page.set_viewport_size({"width": 1400, "height": 600})

    wait_for("a lower log", lambda: (lines.bounding_box() or {})["height"] < (tall or {})["height"] - 200)
    expect(line).to_be_in_viewport(ratio=1)
