"""A run is shared: by the dialog of its page, as a page of its own, and in pages of another site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from tests.browser.conftest import Complaints, Visitor
from tests.browser.pages import share_of
from tests.browser.reported import failed_chord
from tests.support.held import Held, held
from tests.support.shares import share
from tests.support.system import System, User, wait_for
from tests.test_client import NO_WEBSOCKET, front_end


@pytest.fixture
def begin(tmp_path: Path) -> Path:
    """The run writes its first line once this file exists."""
    return tmp_path / "begin"


@pytest.fixture
def run(user: User, tmp_path: Path, begin: Path) -> Iterator[Held]:
    with held(user, tmp_path, begin=str(begin), rate=20) as run:
        yield run


def status_for(url: str, run: str, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{url}/api/v2/tasks/{run}/status", headers=headers, timeout=60).status_code


def test_a_link_is_made_copied_opened_and_revoked(visit: Visitor, user: User, run: Held) -> None:
    tab = visit(user, permissions=["clipboard-read", "clipboard-write"])
    share_of(tab, run.id)
    dialog = tab.page.get_by_role("dialog", name="Share this run")
    expect(dialog).to_contain_text("There are none.")

    tab.choose("Expires", "In 7 days")
    tab.click("Make a link")

    made = tab.get("region", "New link").locator("code")
    expect(made).to_have_count(3)
    link, frame, element = made.all_inner_texts()
    token = link.partition("#token=")[2]
    assert link == f"{tab.url}/embed/runs/{run.id}#token={token}"
    assert f'src="{link}"' in frame and f'token="{token}"' in element
    tab.click("Copy the link")
    wait_for("the clipboard", lambda: tab.run("navigator.clipboard.readText()") == link)
    expect(dialog).to_contain_text("the setting EMBED_ORIGINS of this server is empty")

    stranger = visit()
    stranger.page.goto(link)
    expect(stranger.page.get_by_role("heading", name=re.compile("test_gated"))).to_be_visible()
    assert stranger.page.url == f"{tab.url}/embed/runs/{run.id}", "the token has left the address"
    stranger.page.reload()
    expect(stranger.page.get_by_role("heading", name=re.compile("test_gated"))).to_be_visible()

    tab.confirm("Revoke")
    expect(dialog).to_contain_text("There are none.")
    expect(stranger.page.get_by_role("alert")).to_contain_text("It has expired or was revoked.")
    stranger.complaints.messages.clear()  # the browser tells of the 401
    assert status_for(tab.url, run.id, token) == 401


@pytest.mark.parametrize(
    ("fragment", "says"),
    [
        ("", "This link is not complete"),
        ("#token=trs_0123456789012345678901234567890123456789", "This link is no longer valid"),
    ],
)
def test_a_page_that_cannot_show_the_run_says_why(
    visit: Visitor, run: Held, fragment: str, says: str
) -> None:
    tab = visit()
    tab.complaints.faulty = True  # the browser tells of each 401

    tab.open(f"/embed/runs/{run.id}{fragment}")

    expect(tab.page.get_by_role("heading", name=says)).to_be_visible()


def test_the_page_of_another_run_says_so(visit: Visitor, user: User, run: Held) -> None:
    other = user.start("test_echo")
    tab = visit()
    tab.complaints.faulty = True

    tab.open(f"/embed/runs/{other}#token={share(user, run.id)['token']}")

    expect(tab.page.get_by_role("heading", name="There is no such run")).to_be_visible()


def test_the_page_names_what_failed_below_the_run_without_a_link(visit: Visitor, user: User) -> None:
    chord = failed_chord(user)
    user.finished(chord, 60)
    stranger = visit()
    stranger.page.goto(f"{stranger.url}/embed/runs/{chord}#token={share(user, chord)['token']}")

    failed = stranger.page.get_by_role("list", name="Failed below")
    expect(failed).to_contain_text("Chord body: shop.report.total")
    expect(failed).to_contain_text("The totals of north and south differ")
    expect(failed.get_by_role("link")).to_have_count(0)


def test_the_page_uses_no_cookie_of_who_is_signed_in(visit: Visitor, user: User, run: Held) -> None:
    """In a frame it must not act as the person who looks at it."""
    tab = visit(user)
    sent: list[tuple[str, dict[str, str]]] = []
    tab.page.on("request", lambda asked: sent.append((asked.url, asked.all_headers())))

    tab.open(f"/embed/runs/{run.id}#token={share(user, run.id)['token']}")
    expect(tab.page.locator(".link.good")).to_be_visible()

    calls = [headers for url, headers in sent if "/api/" in url]
    assert calls and not [headers for headers in calls if "cookie" in headers]
    assert all(headers["authorization"].startswith("Bearer trs_") for headers in calls)
    stored = tab.run("Object.values(localStorage).concat(Object.values(sessionStorage)).join()")
    assert "trs_" not in stored


PAGE = """<!doctype html><meta charset=utf-8><title>Another site</title>
<iframe title=Run src="{frame}" width=900 height=420></iframe>
<script type=module src="{url}/client/element.js"></script>
<taskroom-run url="{url}" run="{run}" token="{token}"></taskroom-run>
<script>document.addEventListener("taskroom-end", (end) => (document.title = "ended " + end.detail.status))</script>"""


@pytest.fixture(scope="module")
def sites(system: System) -> Iterator[tuple[str, str, str, list[str]]]:
    """A server that may be framed by one of two other sites, both with the same page; both may call it."""
    page = [""]
    with (
        front_end(page) as friend,
        front_end(page) as stranger,
        system.web(EMBED_ORIGINS=friend, CORS_ORIGINS=f"{friend},{stranger}") as url,
    ):
        yield url, friend, stranger, page


def visit_site(browser: Browser, origin: str, before: str = "") -> tuple[Page, Complaints]:
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    complaints = Complaints()
    complaints.listen(context)
    context.add_init_script(before)
    page = context.new_page()
    page.goto(origin)
    return page, complaints


def put(sites: tuple[str, str, str, list[str]], user: User, run: Held) -> tuple[str, str, dict[str, Any]]:
    """Puts frame and element of the run into the page of both sites."""
    url, friend, stranger, page = sites
    made = share(user, run.id)
    frame = made["url"].replace(str(user.client.base_url).rstrip("/"), url)
    page[0] = PAGE.format(frame=frame, url=url, run=run.id, token=made["token"])
    return friend, stranger, made


@pytest.mark.parametrize("before", ["", NO_WEBSOCKET], ids=["socket", "sse"])
def test_a_frame_and_an_element_show_lines_as_they_come(
    browser: Browser, sites: tuple[str, str, str, list[str]], user: User, run: Held, begin: Path, before: str
) -> None:
    friend, _, _ = put(sites, user, run)
    page, complaints = visit_site(browser, friend, before)
    frame: FrameLocator = page.frame_locator("iframe")
    element = page.locator("taskroom-run")
    expect(frame.get_by_role("heading", name=re.compile("test_gated"))).to_be_visible()
    expect(element.get_by_role("status")).to_have_text("running")
    expect(element.locator(".connection")).to_have_text("live")
    expect(frame.locator(".link.good")).to_be_visible()

    begin.touch()

    for log in (frame.get_by_role("group", name="Lines"), element.get_by_role("log")):
        expect(log).to_contain_text(re.compile(r"line \d+ of \.\.\."))  # the first may have left the view
    run.let_go()
    expect(page).to_have_title("ended SUCCESS")
    expect(element.get_by_role("status")).to_have_text("succeeded")
    expect(frame.locator(".head")).to_contain_text("succeeded")
    assert complaints.messages == []
    page.context.close()


def test_the_browser_refuses_the_frame_to_a_site_that_is_not_listed(
    browser: Browser, sites: tuple[str, str, str, list[str]], user: User, run: Held
) -> None:
    _, stranger, _ = put(sites, user, run)
    page, complaints = visit_site(browser, stranger)

    expect(page.locator("taskroom-run").get_by_role("status")).to_have_text("running")
    wait_for("the refusal", lambda: [text for text in complaints.messages if "frame-ancestors" in text])
    (frame,) = [frame for frame in page.frames if frame is not page.main_frame]
    assert frame.url.startswith("chrome-error:")
    page.context.close()


def test_an_element_that_is_removed_closes_its_connection(
    browser: Browser, sites: tuple[str, str, str, list[str]], user: User, run: Held
) -> None:
    friend, _, made = put(sites, user, run)
    page, _ = visit_site(browser, friend)
    page.locator("iframe").evaluate("frame => frame.remove()")
    expect(page.locator("taskroom-run").locator(".connection")).to_have_text("live")
    wait_for("the viewer", lambda: user.get(f"tasks/{run.id}/viewers")["viewers"] == 1)

    page.locator("taskroom-run").evaluate("element => { globalThis.kept = element; element.remove() }")

    wait_for("no viewer", lambda: user.get(f"tasks/{run.id}/viewers")["viewers"] == 0)
    page.evaluate("document.body.append(globalThis.kept)")
    expect(page.locator("taskroom-run").locator(".connection")).to_have_text("live")
    user.client.delete(f"/api/v2/tasks/{run.id}/shares/{made['id']}")
    expect(page.locator("taskroom-run").get_by_role("alert")).to_contain_text("expired or was revoked")
    page.context.close()
