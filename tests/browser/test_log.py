"""The log viewer: where it opens, what it finds, what it leaves out and when it follows."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit, Visitor
from tests.support.system import System, User, wait_for

LINES = 200_000


class Story:
    """A finished run with a long log, and the sequences of its needles: five errors, evenly spread."""

    def __init__(self, system: System) -> None:
        self.user = system.user()
        self.id = self.user.start("test_story", count=LINES)
        self.user.finished(self.id, 120)
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
    search.fill("needle")
    search.press("Enter")
    first = wait_for("a hit", lambda: next((n for n in story.needles if n in tab.lines()), None))
    at = story.needles.index(first)
    for step in range(1, 6):
        tab.page.get_by_role("button", name="Next hit").click()
        in_view(tab, story.needles[(at + step) % 5])
    for step in range(4, -1, -1):
        tab.page.get_by_role("button", name="Previous hit").click()
        in_view(tab, story.needles[(at + step) % 5])


def test_levels_and_phases_are_filtered(visit: Visitor, story: Story) -> None:
    tab = visit(story.user)
    tab.open(f"/runs/{story.id}")
    tab.get("combobox", "Level").select_option("ERROR")
    wait_for("the errors alone", lambda: tab.lines() == story.needles)
    tab.get("combobox", "Phase").select_option("writing")
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


def test_following_lets_go_and_takes_hold(tab: Visit, user: User) -> None:
    task_id = user.start("emit_load", events=20_000, rate=100, message_bytes=60)
    tab.open(f"/runs/{task_id}")
    follow = tab.get("button", "Follow")
    expect(follow).to_have_attribute("aria-pressed", "true")
    wait_for("more than fits", lambda: len(tab.lines()) > 30)

    tab.log.hover()
    tab.page.mouse.wheel(0, -200)
    expect(follow).to_have_attribute("aria-pressed", "false")
    new = tab.page.get_by_role("button", name=re.compile(r"\d+ new lines"))
    expect(new).to_be_visible()
    kept = wait_for("lines", tab.in_view)
    wait_for("many more", lambda: int(re.sub(r"\D", "", new.inner_text())) > 300)
    assert tab.in_view() == kept, "what is read stays"

    new.click()
    expect(follow).to_have_attribute("aria-pressed", "true")
    wait_for("the end", lambda: tab.in_view()[-1:] > [kept[-1] + 300])
    at = wait_for("lines", tab.in_view)[-1]
    wait_for("what comes then", lambda: tab.in_view()[-1:] > [at + 100])
    user.client.post(f"/api/v2/tasks/{task_id}/cancel")
    tab.has_ended("✕")
