"""What a page takes over the wire with an empty cache: bytes, for times depend on the machine."""

from __future__ import annotations

import httpx
from playwright.sync_api import Browser

from tests.browser.conftest import opened
from tests.first_paint import Load, load
from tests.support.system import System, User


def loaded(browser: Browser, system: System, user: User | None, path: str, wanted: str) -> Load:
    with opened(browser, system.url, user) as tab:
        return load(tab.context, system.url + path, wanted, None)


def test_signing_in_takes_less_than_45_kb_and_no_font(browser: Browser, system: System) -> None:
    found = loaded(browser, system, None, "/login", "input[name=password]")

    assert found.names, "what is loaded is counted"
    assert 10_000 < found.bytes < 45_000
    assert [name for name in found.names if name.endswith(".woff2")] == []


def test_the_fonts_come_after_the_code_of_the_page(browser: Browser, system: System, user: User) -> None:
    task_id = user.start("test_echo")
    user.finished(task_id)
    found = loaded(browser, system, user, f"/runs/{task_id}", ".head h1")

    fonts = [at for at, name in enumerate(found.names) if name.endswith(".woff2")]
    (page,) = [at for at, name in enumerate(found.names) if "/run-page-" in name and name.endswith(".js")]
    assert len(fonts) == 2 and page < min(fonts)
    assert found.bytes < 400_000
    answer = httpx.get(system.url + found.names[fonts[0]])
    assert answer.headers["Content-Type"] == "font/woff2"
    assert "max-age=31536000" in answer.headers["Cache-Control"]
