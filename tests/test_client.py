"""The client as other front ends get it: one file at one address, which works on another origin as its page says."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.support.chromium import chromium
from tests.support.system import ROOT, System, User

DOCS = (ROOT / "docs/client.md").read_text()
PAGE = re.findall(r"```html\n(.*?)```", DOCS, re.DOTALL)[0]
BASE = "http://127.0.0.1:8000"
NO_WEBSOCKET = "WebSocket = class { constructor() { throw new Error('blocked') } }"


@contextmanager
def front_end(page: list[str]) -> Iterator[str]:
    """Another origin, which serves one page."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page[0].encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture(scope="module")
def elsewhere(system: System) -> Iterator[tuple[str, str]]:
    """Another origin with the page of the documentation, and the web process that lets it call."""
    page = [PAGE]
    with front_end(page) as origin, system.web(CORS_ORIGINS=origin) as url:
        page[0] = PAGE.replace(BASE, url)
        yield origin, url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def test_it_exports_what_the_page_about_it_names(system: System) -> None:
    module = httpx.get(f"{system.url}/client/taskroom.js").text
    named = set(re.findall(r"`(\w+)`", DOCS.partition("## Exports")[2]))

    (exports,) = re.findall(r"export ?\{(.*?)\};?\s*$", module, re.DOTALL)

    assert {each.split()[-1] for each in exports.split(",")} == named


def test_it_is_one_file_without_a_framework(system: System) -> None:
    module = httpx.get(f"{system.url}/client/taskroom.js").text

    assert not re.findall(r"""(?:^|[;}])import[\s{"'*]""", module, re.MULTILINE)
    assert "preact" not in module and "process.env" not in module


def test_its_address_stays_and_is_asked_for_each_time(system: System) -> None:
    answer = httpx.get(f"{system.url}/client/taskroom.js")
    again = httpx.get(f"{system.url}/client/taskroom.js", headers={"If-None-Match": answer.headers["ETag"]})

    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert "no-cache" in answer.headers["Cache-Control"]
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("before", "wire"), [("", "/socket.io/"), (NO_WEBSOCKET, "/api/v2/stream?rooms=task:")]
)
def test_the_page_works_on_another_origin(
    elsewhere: tuple[str, str], user: User, browser: Browser, before: str, wire: str
) -> None:
    task_id = user.start("test_quiet")
    origin, _ = elsewhere
    with browser.new_context() as context:
        context.add_init_script(before)
        tab = context.new_page()
        wires: list[str] = []
        tab.on("websocket", lambda socket: wires.append(socket.url))
        tab.on("request", lambda asked: wires.append(asked.url))

        tab.goto(origin)
        tab.get_by_placeholder("task").fill(task_id)
        tab.get_by_placeholder("access token").fill(user.token)
        tab.get_by_role("button").click()

        out = tab.locator("#out")
        expect(out).to_contain_text("test_quiet STARTED 0 %, live", timeout=60_000)
        user.client.post(f"/api/v2/tasks/{task_id}/cancel")
        expect(out).to_contain_text("test_quiet REVOKED", timeout=60_000)
        assert any(wire in each for each in wires)
        assert context.cookies() == []
