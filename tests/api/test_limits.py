"""What a user, and an address, may do in a minute, asked of a web process that is deployed with low limits."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import redis
import socketio
import websocket

from app.up.home import Home
from tests.api.answers import problem
from tests.support.embedded import EmbeddedRedis
from tests.support.processes import suspended
from tests.support.system import System, User, wait_for

pytestmark = pytest.mark.slow

V2 = "/api/v2"
START, TICKET, REFRESH, LOGIN = (
    f"{V2}/{call}" for call in ("agent/start", "auth/ticket", "auth/refresh", "auth/login")
)
WINDOW = 3600  # the "minute": none of these tests is to meet its end
LIMITS = {
    "STARTS_PER_MINUTE": "3",
    "STEPS_PER_MINUTE": "100",
    "CHANGES_PER_MINUTE": "4",
    "TICKETS_PER_MINUTE": "4",
    "CONNECTS_PER_MINUTE": "10",
}
LIMITS |= {"TASKROOM_BENCH": "0", "TEST_WINDOW_SECONDS": str(WINDOW), "TEST_REDIS_SECONDS": "60"}
ECHO = {"job_type": "test_echo"}


@pytest.fixture(scope="module")
def low(system: System) -> Iterator[str]:
    with system.web(TRUSTED_PROXIES="1", **LIMITS) as url:
        yield url


@dataclass(frozen=True, slots=True)
class Bare:
    """A web process behind no proxy, and a Redis that nobody else asks."""

    url: str
    redis_url: str
    log: Path

    def scripts(self) -> int:
        """How often somebody counted: the library counts by a script."""
        with redis.Redis.from_url(self.redis_url) as server:
            commands = server.info("commandstats").items()
        return sum(found["calls"] for name, found in commands if "eval" in name)


@pytest.fixture(scope="module")
def bare(system: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bare]:
    home = Home.open(tmp_path_factory.mktemp("bare"))
    limits = LIMITS | {"TICKETS_PER_MINUTE": "1000", "TEST_REDIS_SECONDS": "1"}
    with EmbeddedRedis(home) as server, system.web(REDIS_URL=server.url, **limits) as url:
        yield Bare(url, server.url, system.home / f"web-{urlsplit(url).port}.log")


@pytest.fixture
def here(low: str, user: User) -> Iterator[httpx.Client]:
    """The user, from an address of the test's own."""
    with client(low, user) as found:
        yield found


def client(
    url: str, user: User | None = None, address: str = "", local_address: str | None = None
) -> httpx.Client:
    """``address`` is told as a proxy does; ``local_address`` is where the connections really come from."""
    number = uuid.uuid4().bytes
    headers = {"X-Forwarded-For": address or f"10.{number[0]}.{number[1]}.{number[2]}"}
    if user:
        headers["Authorization"] = f"Bearer {user.token}"
    # A stream that has ended closes its connection: one that is asked again at once may be met by that.
    transport = httpx.HTTPTransport(
        limits=httpx.Limits(max_keepalive_connections=0), local_address=local_address
    )
    return httpx.Client(base_url=url, headers=headers, timeout=60, transport=transport)


def too_many(answer: httpx.Response) -> None:
    problem(answer, 429)
    assert 0 < int(answer.headers["Retry-After"]) <= WINDOW


def test_starts_and_retries_of_a_user_are_limited_together(
    here: httpx.Client, low: str, user: User, other: User
):
    made = [here.post(START, json=ECHO) for _ in range(2)]
    user.finished(made[0].json()["task_id"])
    made.append(here.post(f"{V2}/tasks/{made[0].json()['task_id']}/retry"))

    assert [answer.status_code for answer in made] == [202, 202, 202]
    too_many(here.post(START, json=ECHO))
    too_many(here.post(f"{V2}/tasks/{made[0].json()['task_id']}/retry"))
    with client(low, user) as elsewhere, client(low, other) as somebody:
        too_many(elsewhere.post(START, json=ECHO))
        assert somebody.post(START, json=ECHO).status_code == 202


STEP = {"job_type": "test_echo", "params": {"text": "x"}}


def orchestrate(by: httpx.Client, steps: list[Any]) -> httpx.Response:
    """Asks for these steps, of which none is to run."""
    approval = {"title": "None of it is to run", "risk_level": "low", "estimated_cost": 0}
    return by.post(START, json={"job_type": "orchestrate", "params": {"steps": steps}, "approval": approval})


def test_the_steps_that_starts_ask_for_are_counted_too(here: httpx.Client, low: str, other: User):
    within = {"job_type": "orchestrate", "params": {"steps": [STEP] * 39}}

    assert orchestrate(here, [STEP] * 60).status_code == 202
    too_many(orchestrate(here, [STEP] * 41))
    assert orchestrate(here, [within]).status_code == 202, "exactly what is left"
    with client(low, other) as somebody:
        assert orchestrate(somebody, [within] * 2).status_code == 202
        too_many(orchestrate(somebody, [within]))


def test_the_steps_of_a_retry_are_counted_with_them(here: httpx.Client):
    task_id = orchestrate(here, [STEP] * 60).json()["task_id"]
    assert here.post(f"{V2}/tasks/{task_id}/reject").status_code == 202

    too_many(here.post(f"{V2}/tasks/{task_id}/retry"))


def test_webhooks_pings_and_announcements_of_a_user_are_limited_together(
    system: System, low: str, user: User
):
    admin, hooks = system.user("admin"), f"{V2}/webhooks"
    wanted = {"url": "https://hooks.example.org/x", "event_types": ["task_completed"]}
    nowhere = f"{hooks}/{uuid.uuid4()}"
    asked = ((hooks, wanted), (f"{nowhere}/ping", {}), (f"{nowhere}/enable", {}), (f"{V2}/announcements", {}))

    with contextlib.closing(admin.client), client(low, admin) as here, client(low, user) as somebody:
        answers = [here.post(path, json=body) for path, body in asked]
        assert [answer.status_code for answer in answers] == [201, 404, 404, 422]
        for path, body in asked:
            too_many(here.post(path, json=body))
        assert here.delete(f"{hooks}/{answers[0].json()['id']}").status_code == 204
        problem(somebody.post(f"{nowhere}/ping"), 404)


def test_tickets_of_a_user_are_limited(here: httpx.Client):
    assert [here.post(TICKET).status_code for _ in range(4)] == [200] * 4
    too_many(here.post(TICKET))


def test_refreshes_are_limited_by_user_and_forged_ones_by_address(low: str, user: User):
    with client(low) as browser, client(low) as forger:
        browser.post(LOGIN, json={"email": user.email, "password": "correct horse battery"})
        assert [browser.post(REFRESH).status_code for _ in range(4)] == [200] * 4
        too_many(browser.post(REFRESH))

        forger.cookies.set("refresh_token_cookie", "x.y.z", path=f"{V2}/auth")
        answers = [forger.post(REFRESH).status_code for _ in range(5)]
    assert answers == [401] * 4 + [429]


def test_an_address_may_start_ten_times_what_a_user_may(system: System, low: str):
    users = [system.user() for _ in range(11)]
    answers = []
    for user in users:
        with client(low, user, "192.0.2.77") as desk:
            answers += [desk.post(START, json=ECHO).status_code for _ in range(3)]
        user.client.close()

    assert answers == [202] * 30 + [429] * 3


def test_attempts_to_stream_are_limited_by_user(
    here: httpx.Client, low: str, user: User, other: User, system: System
):
    task_id = user.start("test_echo")
    user.finished(task_id)
    stream = f"{V2}/tasks/{task_id}/stream"
    answers = [here.get(stream) for _ in range(10)]

    assert [answer.status_code for answer in answers] == [200] * 10
    too_many(here.get(stream))
    comes_back = here.get(stream, headers={"Accept": "text/event-stream"})
    assert comes_back.status_code == 200
    assert comes_back.headers["Content-Type"] == "text/event-stream"
    word, _, wait = comes_back.text.strip().partition(": ")
    assert word == "retry" and 10_000 <= int(wait) <= 30_000, "not at once again, and not all together"


def test_attempts_of_an_address_are_limited_whoever_it_is(low: str):
    with client(low) as anonymous:
        path = f"{V2}/tasks/{uuid.uuid4()}/stream"
        answers = [anonymous.get(path).status_code for _ in range(101)]
        handshake = anonymous.get("/socket.io/?EIO=4&transport=polling&xsid=1")

    assert answers[:2] == [401, 401]
    assert set(answers[2:]) == {429}, "two may fail, and a hundred may come"
    too_many(handshake)


def test_a_foreign_tasks_stream_fails_for_the_user_and_not_for_the_neighbours(
    low: str, user: User, other: User
):
    task_id = user.start("test_echo")
    user.finished(task_id)
    stream = f"{V2}/tasks/{task_id}/stream"
    with client(low, other, "192.0.2.78") as guesser, client(low, user, "192.0.2.78") as neighbour:
        assert [guesser.get(stream).status_code for _ in range(4)] == [404, 404, 429, 429]
        assert neighbour.get(stream).status_code == 200


def test_bad_sign_ins_of_sockets_are_counted_with_those_of_streams(low: str, user: User):
    headers = {"X-Forwarded-For": "192.0.2.79"}
    reasons = []
    for token in ("x.y.z", "x.y.z", "x.y.z"):
        bad = socketio.Client(reconnection=False)
        bad.on("connect_error", lambda data: reasons.append(data["message"]))
        with pytest.raises(socketio.exceptions.ConnectionError):
            bad.connect(low, headers=headers, auth={"token": token}, transports=["websocket"])
        bad.disconnect()
    good = socketio.Client(reconnection=False)
    good.connect(low, headers=headers, auth={"token": user.token}, transports=["websocket"])
    good.disconnect()

    assert "not valid" in reasons[0] and "not valid" in reasons[1]
    assert "Too many" in reasons[2]


def test_a_socket_of_a_user_who_comes_too_often_is_cut_so_that_it_comes_back(low: str, user: User):
    address = f"ws{low.removeprefix('http')}/socket.io/?EIO=4&transport=websocket"
    answers = []
    for n in range(11):
        line = websocket.create_connection(address, timeout=60, header={"X-Forwarded-For": f"192.0.2.{n}"})
        with contextlib.closing(line.sock):
            assert line.recv().startswith("0")
            line.send('40{"token":"' + user.token + '"}')
            try:
                answers.append(line.recv()[:2])
            except (websocket.WebSocketException, OSError):
                answers.append("cut")

    assert answers == ["40"] * 10 + ["cut"], "a refusal (44) would keep it from coming back"


def test_without_a_trusted_proxy_nobody_can_choose_an_address(bare: Bare):
    answers = []
    for _ in range(3):
        with client(bare.url, local_address="127.0.0.2") as liar:
            answers.append(liar.get(f"{V2}/tasks/{uuid.uuid4()}/stream").status_code)
    assert answers == [401, 401, 429]


def test_joining_costs_redis_nothing(bare: Bare, user: User):
    task_id = user.start("test_echo")
    user.finished(task_id)
    with client(bare.url, user, local_address="127.0.0.3") as here:
        before = bare.scripts()
        for _ in range(5):
            assert here.get(f"{V2}/tasks/{task_id}/stream").status_code == 200
        assert bare.scripts() == before
        here.get(f"{V2}/tasks/{uuid.uuid4()}/stream")
        assert bare.scripts() > before


def test_a_stopped_redis_refuses_nobody_and_is_logged_once(bare: Bare, user: User):
    """tests/test_rate_limits.py shows, with a counted time, that not each request waits for it."""
    with redis.Redis.from_url(bare.redis_url) as asks:
        pid = int(asks.info("server")["process_id"])
    with client(bare.url, user, local_address="127.0.0.4") as here:
        assert here.post(TICKET).status_code == 200
        with suspended(pid):
            answers = [here.post(TICKET).status_code for _ in range(10)]
        log = bare.log.read_text()

        def counted_again() -> bool:
            before = bare.scripts()
            return here.post(TICKET).status_code == 200 and bare.scripts() > before

        wait_for("attempts to be counted again", counted_again, 60)

    assert answers == [200] * 10
    assert log.count("Redis is unavailable, each process counts attempts for itself") == 1
    assert "Traceback" not in log
