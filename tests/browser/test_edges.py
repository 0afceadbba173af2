"""The edges of the dashboard: tiny and huge windows, many phases, long and foreign titles, a faulty or slow server."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROW, Visit, Visitor
from tests.browser.test_every_page import OVER
from tests.browser.test_truth import STANDS
from tests.support.held import held
from tests.support.system import System, User, wait_for

TINY = {"width": 320, "height": 256}  # 1280 by 1024 at 400 %
WIDTHS = [320, 390, 768, 1400, 2560]
LONG = ("Nightly reconciliation of all ledgers of the northern and southern regions " * 3)[:160]
TITLES = [LONG, LONG.replace(" ", "_"), "דוח שבועי של כל ההזמנות 2026", "👩‍👩‍👧‍👦 Families 🎉 and flags 🇫🇮"]
# Which of the things that are never to be cut off hang over the window to the right.
HANGING = """() => [...document.querySelectorAll("main :is(h1, button, .figures, .phase-bar, .took, .when)")]
    .filter(one => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth + 1)
    .map(one => one.outerHTML.slice(0, 80))"""


def test_a_window_of_320_by_256_keeps_the_log_usable(visit: Visitor, user: User) -> None:
    task_id = user.start("test_bad_items", count=200, every=50)
    user.finished(task_id)
    tab = visit(user, viewport=TINY, has_touch=True, is_mobile=True)
    tab.open(f"/runs/{task_id}")
    lines = tab.page.get_by_label("Lines")
    expect(lines).to_be_visible()

    lines.scroll_into_view_if_needed()

    box = lines.bounding_box()
    assert box and box["height"] >= 96, "five lines at least"
    assert tab.run(OVER) <= 0
    tab.run("document.querySelector('.panels').scrollIntoView()")
    box = lines.bounding_box()
    assert box and box["y"] >= 0 and box["y"] + box["height"] <= TINY["height"] + 1
    covering = "([x, y]) => !document.elementFromPoint(x, y).closest('.lines')"
    corners = [[box["x"] + 20, box["y"] + 10], [box["x"] + 20, box["y"] + box["height"] - 10]]
    assert [corner for corner in corners if tab.run(covering, corner)] == []


@pytest.mark.parametrize("width", WIDTHS)
def test_of_24_phases_the_one_that_runs_is_in_view(
    visit: Visitor, user: User, tmp_path: Path, width: int
) -> None:
    with held(user, tmp_path, "test_gated_stages") as run:
        tab = visit(user, viewport={"width": width, "height": 700})
        tab.open(f"/runs/{run.id}")
        bar = tab.page.get_by_role("progressbar", name="Overall progress")
        expect(bar).to_have_attribute("aria-valuetext", re.compile("phase 17 of 24, stage 17 is running"))

        segment = bar.locator(".segment.running")
        expect(segment).to_be_in_viewport()
        assert segment.evaluate("one => one.getBoundingClientRect().width") >= 4
        if width < 720:
            expect(tab.page.locator(".brief")).to_contain_text("17 of 24 · stage 17")
        else:
            expect(tab.page.locator(".phases li.running")).to_be_in_viewport(ratio=1)
        assert tab.run(OVER) <= 0


@pytest.mark.parametrize("title", TITLES, ids=["long", "one word", "right-to-left", "emoji"])
def test_a_title_of_any_kind_fits_everywhere(visit: Visitor, user: User, title: str) -> None:
    body = {"title": title, "job_type": "test_echo", "params": {}}
    task_id = user.client.post("/api/v2/agent/start", json=body).json()["task_id"]
    user.finished(task_id)
    tab = visit(user)
    for width in WIDTHS:
        tab.page.set_viewport_size({"width": width, "height": 700})
        for path, name in ((f"/runs/{task_id}", "main h1 bdi"), ("/", ".row .row-title")):
            tab.open(path)
            expect(tab.page.locator(name)).to_have_text(title)
            assert tab.run(HANGING) == [], (width, path)
            assert tab.run(OVER) <= 0, (width, path)
            # What is right-to-left stays by itself: the words beside it keep their places.
            assert tab.page.locator(name).evaluate("one => getComputedStyle(one).unicodeBidi") == "isolate"


def test_at_2560_the_list_is_no_wider_than_it_can_be_read(visit: Visitor, user: User) -> None:
    user.finished(user.start("test_echo"))
    tab = visit(user, viewport={"width": 2560, "height": 1440})
    tab.open("/")

    box = tab.page.locator(".row").first.bounding_box()

    assert box and box["width"] == 1440 and box["x"] == pytest.approx((2560 - 1440) / 2, abs=10)
    assert box["height"] == 36


def test_a_click_on_a_segment_shows_the_log_of_its_phase(tab: Visit, user: User, tmp_path: Path) -> None:
    with held(user, tmp_path, "test_gated_stages", at=3) as run:
        tab.open(f"/runs/{run.id}")
        tab.shows("stage 3 is half done")

        tab.page.locator(".head .segment").nth(1).click()

        expect(tab.page).to_have_url(re.compile("phase=stage"))
        expect(tab.log.get_by_text("stage 2 is half done")).to_be_visible()
        expect(tab.log.get_by_text("stage 1 is half done")).to_have_count(0)


def test_dragging_along_the_time_moves_the_log(tab: Visit, user: User) -> None:
    task_id = user.start("test_bad_items", count=2_100, every=500)
    user.finished(task_id)
    tab.open(f"/runs/{task_id}")
    time = tab.page.get_by_role("slider", name=re.compile("^Time of the run"))
    box = time.bounding_box()
    assert box

    tab.page.mouse.click(box["x"] + 1, box["y"] + 10)
    expect(tab.page).to_have_url(re.compile(r"#L\d{1,3}$"))
    wait_for("the first lines", lambda: min(tab.in_view(), default=10_000) < 300)
    time.focus()
    tab.page.keyboard.press("ArrowRight")
    expect(time).to_have_attribute("aria-valuetext", re.compile("events per second"))


def test_a_server_that_fails_shows_why_and_keeps_trying(tab: Visit, user: User) -> None:
    task_id = user.start("test_echo")
    user.finished(task_id)
    tab.complaints.faulty = True
    problem = {"title": "Internal Server Error", "status": 500, "detail": "The disk is full."}
    wrong: dict[str, Any] = {"status": 500, "json": problem, "content_type": "application/problem+json"}
    tab.page.route("**/status", lambda route: route.fulfill(**wrong))

    tab.open(f"/runs/{task_id}")
    tab.shows("The disk is full.")
    tab.page.unroute("**/status")

    expect(tab.page.locator(".head h1")).to_have_text("test_echo")


def test_a_frozen_server_stops_the_figures_of_a_list_too(
    visit: Visitor, system: System, user: User, tmp_path: Path
) -> None:
    with system.web() as url, held(user, tmp_path) as run:
        process = system.processes[-1]
        tab = visit(user, url=url)
        tab.complaints.faulty = True
        tab.open("/")
        tab.says("live")
        expect(tab.page.locator(f"ol a[href='/runs/{run.id}'] .segment.running")).to_be_visible()
        try:
            os.killpg(process.pid, signal.SIGSTOP)
            tab.says("(no answer for 12 s|reconnecting)")
            took = tab.page.locator(".row .took").first
            wait_for("a clock that stands", lambda: took.evaluate(STANDS))
        finally:
            os.killpg(process.pid, signal.SIGCONT)
        tab.says("live")


def test_on_a_slow_network_the_page_is_painted_before_its_data_comes(visit: Visitor, user: User) -> None:
    task_id = user.start("test_echo")
    user.finished(task_id)
    tab = visit(user, viewport=NARROW)
    kept: list[Any] = []
    tab.page.route("**/status", lambda route: kept.append(route))  # the answer takes for ever

    with tab.page.expect_request("**/status"):
        tab.open(f"/runs/{task_id}")
    expect(tab.page.get_by_role("banner")).to_contain_text("Taskroom")
    expect(tab.page.locator("main")).to_have_attribute("aria-busy", "true")
    for route in kept:
        route.continue_()
    tab.page.unroute("**/status")

    expect(tab.page.locator(".head h1")).to_have_text("test_echo")


def test_nothing_moves_when_the_fonts_arrive(visit: Visitor, user: User) -> None:
    task_id = user.start("test_echo")
    user.finished(task_id)
    tab = visit(user)
    kept: list[Any] = []
    tab.context.route("**/*.woff2", lambda route: kept.append(route))
    tab.open(f"/runs/{task_id}")
    tab.says("live")
    wait_for("both fonts", lambda: tab.run("1") and len(kept) == 2)  # routes are taken during calls
    places = """() => [...document.querySelectorAll(".head h1, .figures, .phase-bar, .tabs, .lines")]
        .map(one => Math.round(one.getBoundingClientRect().y))"""
    before = tab.run(places)

    for route in kept:
        route.continue_()
    tab.run("document.fonts.ready.then(() => 1)")

    assert tab.run("document.fonts.check('14px Inter')")
    assert tab.run(places) == before
