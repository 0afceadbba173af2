"""Seven tabs where WebSockets are blocked, in a browser that opens six connections to a server: one stream for all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit, Visitor
from tests.browser.test_coming_back import SOCKET, STREAM, advances, complete
from tests.support.held import Held, held
from tests.support.line import TcpProxy
from tests.support.system import User, wait_for

TABS = 7
REQUEST = """fetch('/api/v2/notifications/unread-count', { signal: AbortSignal.timeout(60_000) })
    .then(answer => answer.status)"""


@pytest.fixture
def quiet_run(user: User, tmp_path: Path) -> Iterator[Held]:
    """Seven logs are read to their end."""
    with held(user, tmp_path, rate=10) as run:
        yield run


def follows(tab: Visit, run: Held) -> None:
    expect(tab.page.get_by_title("live · SSE")).to_be_visible()
    wait_for("live lines", lambda: len(tab.lines()) > 10, 60)


def test_seven_tabs_hold_one_stream_and_hand_it_on(
    visit: Visitor, user: User, quiet_run: Held, network: TcpProxy
) -> None:
    run = quiet_run
    network.refuse(SOCKET)
    tabs = [visit(user)]
    tabs[0].complaints.faulty = True
    asked: list[Visit] = []

    def listen(tab: Visit) -> None:
        tab.page.on("request", lambda request: STREAM.decode() in request.url and asked.append(tab))

    while len(tabs) < TABS:
        tabs.append(visit(beside=tabs[0]))
    for tab in tabs:
        listen(tab)
        tab.open(f"/runs/{run.id}")
        follows(tab, run)

    assert set(map(id, asked)) == {id(tabs[0])}, "the first tab alone asks for streams"
    assert network.held(STREAM) == 1
    assert [tab.run(REQUEST) for tab in tabs] == [200] * TABS

    leader, *others = tabs
    leader.page.close()
    wait_for("the stream of another one", lambda: others[0].lines() and asked[-1] is not leader, 60)
    wait_for("the end of the leader's connection", lambda: network.held(STREAM) == 1)
    advances(user, run, 30)

    assert [tab.run(REQUEST) for tab in others] == [200] * len(others)
    for tab in others:
        expect(tab.page.get_by_title("live · SSE")).to_be_visible()
        tab.page.bring_to_front()  # what is hidden draws nothing
        complete(tab, user, run)

    network.refuse()
    tab = others[-1]
    tab.run("dispatchEvent(new Event('online'))")
    tab.open("/")
    expect(tab.page.get_by_title("live · Socket.IO")).to_be_visible()
