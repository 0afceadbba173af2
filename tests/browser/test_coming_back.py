"""Whatever breaks between a page and the server: each line is there once, and the page says how it stands."""

from __future__ import annotations

import os
import signal

from playwright.sync_api import expect

from tests.browser.conftest import Visit, Visitor
from tests.browser.test_runs import logged
from tests.support.held import Held
from tests.support.line import TcpProxy
from tests.support.system import System, User, wait_for

SOCKET = b"/socket.io/"
STREAM = b"/api/v2/stream"
TRY_NOW = "dispatchEvent(new Event('online'))"


def advances(user: User, run: Held, by: int) -> None:
    at = user.status(run.id)["sequence"]
    wait_for(f"{by} more events", lambda: user.status(run.id)["sequence"] > at + by, 60)


def watched(tab: Visit, run: Held) -> None:
    tab.open(f"/runs/{run.id}")
    wait_for("live lines", lambda: len(tab.lines()) > 10, 60)


def goes_on(tab: Visit, beyond: int = 0) -> None:
    """More lines come to the page, and are shown."""
    at = beyond or wait_for("lines", tab.in_view, 60)[-1]
    wait_for("more lines", lambda: tab.in_view()[-1:] > [at + 50], 60)


def polls(tab: Visit, network: TcpProxy) -> bool:
    """It tries ten times first, at once when the network has changed; each try is left to its end."""
    tries = network.refused[STREAM]
    tab.run(TRY_NOW)
    wait_for("the end of a try", lambda: network.refused[STREAM] > tries, 60)
    return tab.state("polling every 10 s").is_visible()


def complete(tab: Visit, user: User, run: Held) -> None:
    """Once it has ended, the page shows what is stored: no line less, none twice."""
    run.let_go()
    user.finished(run.id, 60)
    tab.has_ended()
    stored = logged(user, run.id)
    wait_for("every line", lambda: tab.read_log() == stored, 60)


def test_a_reload_in_the_middle(tab: Visit, user: User, run: Held) -> None:
    watched(tab, run)
    tab.page.reload()
    wait_for("lines after it", lambda: len(tab.lines()) > 10, 60)
    complete(tab, user, run)


def test_the_network_is_cut(tab: Visit, user: User, run: Held, network: TcpProxy) -> None:
    """Nobody helps the page: it comes back by itself."""
    tab.complaints.faulty = True
    watched(tab, run)
    network.cut()
    tab.says("reconnecting in")
    advances(user, run, 100)
    network.mend()
    tab.says("live")
    complete(tab, user, run)


def test_the_server_is_killed_and_started_again(
    visit: Visitor, system: System, user: User, run: Held
) -> None:
    with system.web() as url:
        process = system.processes[-1]
        tab = visit(user, url=url)
        tab.complaints.faulty = True
        watched(tab, run)
        os.killpg(process.pid, signal.SIGKILL)
        tab.says("reconnecting in")
        advances(user, run, 100)
        with system.web(PORT=url.rpartition(":")[2]):
            tab.run(TRY_NOW)  # how long it would wait by now depends on how long the start took
            expect(tab.state("live")).to_be_visible(timeout=180_000)
            complete(tab, user, run)


def test_each_wire_is_blocked_in_turn_and_the_page_climbs_back(
    tab: Visit, user: User, run: Held, network: TcpProxy
) -> None:
    tab.complaints.faulty = True
    tab.open(f"/runs/{run.id}")
    expect(tab.page.get_by_title("live · Socket.IO")).to_be_visible()

    network.refuse(SOCKET)
    expect(tab.page.get_by_title("live · SSE")).to_be_visible()
    goes_on(tab)

    network.refuse(SOCKET, STREAM)
    at = tab.in_view()[-1]
    advances(user, run, 100)
    wait_for("its giving up of both", lambda: polls(tab, network), 120)
    goes_on(tab, beyond=at)  # it asks as soon as it begins to

    network.refuse()
    tab.run(TRY_NOW)
    expect(tab.page.get_by_title("live · Socket.IO")).to_be_visible()
    goes_on(tab)
    complete(tab, user, run)


def test_a_session_that_ends_is_renewed_over_the_kept_page(
    tab: Visit, system: System, user: User, run: Held
) -> None:
    tab.complaints.faulty = True
    watched(tab, run)

    system.sql("UPDATE sessions SET revoked_at = now() WHERE user_id = %s RETURNING id", user.id)
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_label("Password").wait_for()
    assert len(tab.lines()) > 10, "the page is kept behind it"

    tab.sign_in(user)
    tab.says("live")
    user.client.close()
    user.client = system.sign_in(user.email)
    complete(tab, user, run)


def test_a_page_whose_code_cannot_be_loaded_says_so_and_is_there_after_a_reload(tab: Visit) -> None:
    tab.complaints.faulty = True
    tab.page.route("**/assets/runs-page*", lambda route: route.abort())
    tab.open("/")
    tab.shows("This page could not be loaded.")

    tab.page.unroute("**/assets/runs-page*")
    tab.click("Reload")
    tab.shows("You have run nothing yet")
