"""A real Chromium in front of the running system, and a network that can be cut. What a page complains of fails its
test."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error

from tests.support.chromium import chromium, sign_in
from tests.support.dashboard import Dashboard
from tests.support.held import Held, held
from tests.support.line import TcpProxy
from tests.support.system import System, User

WIDE, NARROW = {"width": 1400, "height": 900}, {"width": 390, "height": 844}
# That nobody is signed in yet is answered with 401, as it should be.
EXPECTED = ("/api/v2/auth/refresh",)
OF_A_FAULT = ("Failed to load resource", "WebSocket connection to", "net::ERR_")


@dataclass  # no slots: Playwright keeps a note on the object whose method it calls
class Complaints:
    """What went wrong in the pages of one browser context: exceptions, and errors in the console, where the browser
    tells of each violation of the policy too.

    ``faulty`` is for a test that breaks the network or the server itself: the browser then tells of each request."""

    messages: list[str] = field(default_factory=list)
    faulty: bool = False

    def listen(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", lambda error: self.messages.append(f"exception: {error.error}"))

    def _console(self, message: ConsoleMessage) -> None:
        text = f"{message.text} {message.location['url']}"
        expected = EXPECTED + (OF_A_FAULT if self.faulty else ())
        if message.type == "error" and not any(part in text for part in expected):
            self.messages.append(f"console: {text}")


class Visit(Dashboard):
    """A tab of a test, with what its context complained of."""

    complaints: Complaints


Visitor = Callable[..., Visit]


@contextmanager
def opened(browser: Browser, url: str, user: User | None, **options: Any) -> Iterator[Visit]:
    """Opens a tab in a context of its own, signed in when there is a user."""
    # What moves all the time is drawn all the time: a tenth of the CPU time of these tests.
    still = {"reduced_motion": "reduce"}
    given = {"viewport": WIDE, "locale": "en-GB", "timezone_id": "UTC"} | still | options
    with browser.new_context(**given) as context:
        complaints = Complaints()
        complaints.listen(context)
        if user:
            sign_in(context, url, user)
        tab = Visit(context, url)
        tab.complaints = complaints
        yield tab


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def network(system: System) -> Iterator[TcpProxy]:
    line = TcpProxy(system.url)
    yield line
    line.close()


@pytest.fixture
def visit(browser: Browser, network: TcpProxy) -> Iterator[Visitor]:
    """Opens a tab: ``visit(user)`` signed in, in a browser of its own; ``visit(beside=other)`` beside another tab."""
    with ExitStack() as stack:
        all_complaints: list[Complaints] = []

        def open(
            user: User | None = None, beside: Visit | None = None, url: str = "", **options: Any
        ) -> Visit:
            url = url or f"http://127.0.0.1:{network.port}"
            if beside:
                made = Visit(beside.context, url)
                made.complaints = beside.complaints
                return made
            made = stack.enter_context(opened(browser, url, user, **options))
            all_complaints.append(made.complaints)
            return made

        yield open
        assert [messages for complaints in all_complaints for messages in complaints.messages] == []


@pytest.fixture
def tab(visit: Visitor, user: User) -> Visit:
    """A wide tab, signed in."""
    return visit(user)


@pytest.fixture
def run(user: User, tmp_path: Path) -> Iterator[Held]:
    """A run that goes on until it is let go."""
    with held(user, tmp_path) as run:
        yield run


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keeps a picture of each tab of a test that failed, and says where."""
    report = yield
    given = cast(pytest.Function, item).funcargs if report.when == "call" and report.failed else {}
    if "browser" in given and "tmp_path" in given:
        folder = cast(Path, given["tmp_path"])
        pages = [page for context in cast(Browser, given["browser"]).contexts for page in context.pages]
        for number, page in enumerate(pages):
            path = folder / f"tab-{number}.png"
            try:
                page.screenshot(path=path)
            except Error as failed:  # of a page that crashed or spins; what the test found must still be told
                report.sections.append(("picture", f"{page.url}: none, {failed}"))
            else:
                report.sections.append(("picture", f"{page.url}: {path}"))
    return report


@pytest.fixture(autouse=True)
def pictured(browser: Browser, tmp_path: Path) -> None:
    """Every test here has a browser, and a folder for its pictures."""
