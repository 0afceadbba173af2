"""What came by cookie lives with its session: an EventSource renews no token, nor does a page of before that has a
socket, and a refusal ends either for good."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
import socketio

from tests.api.answers import problem
from tests.support.frames import Frames
from tests.support.system import PASSWORD, System, User, wait_for

pytestmark = pytest.mark.slow

PATH = "/api/v1/events/stream"
SECONDS = 5


@pytest.fixture(scope="module")
def brief(system: System) -> Iterator[str]:
    """A web process whose access tokens live for five seconds."""
    with system.web(ACCESS_TOKEN_SECONDS=str(SECONDS), KEEPALIVE_SECONDS="1") as url:
        yield url


@pytest.fixture
def browser(brief: str, user: User) -> Iterator[httpx.Client]:
    """Signed in; it keeps cookies and sends no header."""
    with httpx.Client(base_url=brief, timeout=60) as browser:
        answer = browser.post("/api/v2/auth/login", json={"email": user.email, "password": PASSWORD})
        assert answer.status_code == 200
        yield browser


def cookies(browser: httpx.Client, *without: str) -> str:
    return "; ".join(
        f"{c.name}={c.value}" for c in browser.cookies.jar if c.path == "/" and c.name not in without
    )


def expired(browser: httpx.Client, cookie: str) -> bool:
    return (
        httpx.get(f"{browser.base_url}/api/v2/tasks", headers={"Cookie": cookie}, timeout=60).status_code
        == 401
    )


def test_it_goes_on_when_the_access_token_ends_and_its_reconnect_works(
    brief: str, browser: httpx.Client, user: User
) -> None:
    cookie = cookies(browser)
    with Frames(brief, None, PATH, Cookie=cookie) as frames:
        frames.wait("its first words", lambda f: f.last_id)
        wait_for("the end of the access token", lambda: expired(browser, cookie))
        pings = frames.body.count(b"event: ping")
        frames.wait("signs of life after that", lambda f: f.body.count(b"event: ping") > pings + 2, 60)
        first = user.start("test_echo")
        frames.wait("what happens then", lambda f: first in f.body.decode())
        assert b"token_expired" not in frames.body and not frames.ended.is_set()
        place = frames.last_id
    second = user.start("test_echo")

    for sent in (cookie, cookies(browser, "access_token_cookie")):  # a browser drops what has expired
        with Frames(brief, None, PATH, Cookie=sent, Last_Event_ID=place) as frames:
            assert frames.status == 200
            frames.wait("what was missed", lambda f: second in f.body.decode())


def test_it_ends_with_the_session_and_opens_no_more(brief: str, browser: httpx.Client) -> None:
    cookie = cookies(browser)
    with Frames(brief, None, PATH, Cookie=cookie) as frames:
        frames.wait("its first words", lambda f: f.last_id)
        assert browser.post("/api/v2/auth/logout").status_code == 204
        frames.wait("its end", lambda f: f.ended.is_set())

    problem(httpx.get(f"{brief}{PATH}", headers={"Cookie": cookie}, timeout=60), 401)
    assert not cookies(browser), "they are taken away"


def test_a_session_that_ended_longer_ago_than_is_remembered_opens_none(
    system: System, brief: str, browser: httpx.Client, user: User
) -> None:
    cookie = cookies(browser, "access_token_cookie")
    system.sql("UPDATE sessions SET revoked_at = now() - interval '1 day' WHERE user_id = %s", user.id)

    with httpx.stream("GET", f"{brief}{PATH}", headers={"Cookie": cookie}, timeout=60) as answer:
        assert answer.status_code == 401  # one that is opened has no end
    with pytest.raises(socketio.exceptions.ConnectionError):
        connected(brief, cookie=cookie)


def test_the_cookie_of_streams_opens_nothing_else(brief: str, browser: httpx.Client) -> None:
    token = next(c.value for c in browser.cookies.jar if c.name == "stream_token_cookie")
    bearer = {"Authorization": f"Bearer {token}"}

    for headers in (
        bearer,
        {"Cookie": f"access_token_cookie={token}"},
        {"Cookie": cookies(browser, "access_token_cookie")},
    ):
        problem(httpx.get(f"{brief}/api/v2/tasks", headers=headers, timeout=60), 401)
    problem(httpx.get(f"{brief}{PATH}", headers=bearer, timeout=60), 401)
    problem(httpx.get(f"{brief}{PATH}", headers={"Cookie": "stream_token_cookie=x.y.z"}, timeout=60), 401)


def test_a_bearer_token_that_ends_closes_its_stream_as_before(
    brief: str, browser: httpx.Client, user: User
) -> None:
    access = next(c.value for c in browser.cookies.jar if c.name == "access_token_cookie")
    with Frames(brief, None, PATH, Authorization=f"Bearer {access}") as frames:
        frames.wait("its end", lambda f: f.ended.is_set(), 60)

    assert b"event: token_expired" in frames.body


def connected(url: str, token: str = "", cookie: str = "") -> socketio.Client:
    client = socketio.Client(reconnection=False)
    client.connect(
        url,
        headers={"Cookie": cookie} if cookie else {},
        auth={"token": token} if token else None,
        transports=["websocket"],
        wait_timeout=60,
    )
    return client


def test_a_socket_goes_on_when_the_access_token_ends_and_its_reconnect_works(
    brief: str, browser: httpx.Client, user: User
) -> None:
    """One with the same token in ``auth`` ends: so the tokens of all were looked at."""
    cookie, received = cookies(browser), list[str]()
    access = next(c.value for c in browser.cookies.jar if c.name == "access_token_cookie")
    by_cookie, by_token = connected(brief, cookie=cookie), connected(brief, token=str(access))
    by_cookie.on("task_created", lambda event: received.append(event["task_id"]))
    by_cookie.on("token_expired", lambda event: received.append("token_expired"))
    assert by_cookie.call("join_events", {}, timeout=60)["ok"]

    wait_for("the end of the other", lambda: not by_token.connected)
    first = user.start("test_echo")
    wait_for("what happens then", lambda: received == [first])
    by_cookie.disconnect()

    assert expired(browser, cookie)
    again = connected(brief, cookie=cookies(browser, "access_token_cookie"))
    assert again.call("join_events", {}, timeout=60)["ok"]
    again.disconnect()


def test_a_socket_ends_with_the_session_and_opens_no_more(brief: str, browser: httpx.Client) -> None:
    cookie = cookies(browser)
    client = connected(brief, cookie=cookie)

    assert browser.post("/api/v2/auth/logout").status_code == 204

    wait_for("its end", lambda: not client.connected)
    with pytest.raises(socketio.exceptions.ConnectionError):
        connected(brief, cookie=cookie)
