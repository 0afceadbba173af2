"""Counting attempts: in Redis while it is there, in the process, and by what counts as one address."""

from __future__ import annotations

import logging
import socket
import time
import uuid
from collections.abc import Iterator

import pytest

from app.errors import Forbidden, NotFound, TooMany, Unauthorized
from app.http import attempts as attempts_module
from app.http import rate_limits
from app.http.attempts import ConnectionAttempts, RateExceeded, Window
from app.http.rate_limits import PausingRedis, address_key, network_key
from tests.support.clock import Clock as Monotonic
from tests.support.line import TcpProxy


@pytest.fixture
def line(redis_url: str) -> Iterator[TcpProxy]:
    """The way to Redis."""
    line = TcpProxy(redis_url)
    yield line
    line.close()


@pytest.fixture
def storage(line: TcpProxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[PausingRedis]:
    monkeypatch.setattr(rate_limits, "REDIS_SECONDS", 60.0)  # slow is not away
    storage = PausingRedis(f"limits+{line.url}")
    yield storage
    storage.storage.close()


class Clock(Monotonic):
    def time(self) -> float:
        return time.time()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(rate_limits, "time", clock)
    monkeypatch.setattr(attempts_module, "time", clock)
    return clock


@pytest.fixture
def key() -> str:
    return uuid.uuid4().hex


def test_a_redis_that_is_there_counts(storage: PausingRedis, key: str):

    assert [storage.incr(key, 60) for _ in range(3)] == [1, 2, 3]
    assert storage.get(key) == 3
    assert 0 < storage.get_expiry(key) - time.time() <= 61


def test_in_an_outage_each_process_counts_for_itself_and_it_is_told_once(
    storage: PausingRedis, line: TcpProxy, key: str, clock: Clock, caplog: pytest.LogCaptureFixture
):
    storage._breaker._clock = clock.monotonic
    storage.incr(key, 600)
    with caplog.at_level(logging.WARNING, "taskroom.breaker"):
        line.cut()
        for n in range(1, 101):
            assert (storage.incr(key, 600), storage.get(key)) == (n, n)
            assert 0 < storage.get_expiry(key) - time.time() <= 600
            clock.now += 0.1
        line.mend()
        clock.now += rate_limits.PAUSE_SECONDS
        assert storage.incr(key, 600) == 2

    assert [r.levelname for r in caplog.records] == ["WARNING", "WARNING"]
    assert "for itself" in caplog.messages[0] and "Redis answers again" in caplog.messages[1]


def test_a_stopped_redis_is_waited_for_once_a_second(clock: Clock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rate_limits, "REDIS_SECONDS", 0.02)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        storage = PausingRedis(f"limits+redis://127.0.0.1:{silent.getsockname()[1]}/0")
        storage._breaker._clock = clock.monotonic
        for n in range(40):
            assert storage.incr("stopped", 60) == n + 1
            clock.now += 0.1
        silent.setblocking(False)
        waited_for = 0
        while True:
            try:
                silent.accept()[0].close()
            except BlockingIOError:
                break
            waited_for += 1
        storage.storage.close()

    assert waited_for in (4, 5), "forty requests in four seconds"


def test_a_unix_socket_is_a_redis_too():
    storage = PausingRedis("limits+unix:///nowhere/redis.sock")

    assert (storage.get("unix"), storage.incr("unix", 60)) == (0, 1)
    assert storage.storage.connection_pool.connection_kwargs["path"] == "/nowhere/redis.sock"


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", "unknown"),
        (None, "unknown"),
        ("somewhere", "somewhere"),
    ],
)
def test_an_address_is_a_host_or_the_network_of_a_site(address: str | None, key: str):
    assert address_key(address) == key


def test_a_window_lets_so_many_pass_and_says_when_it_ends(clock: Clock):
    window = Window(2, network_key)

    assert [window.hit("ann"), window.hit("ann"), window.hit("bob")] == [0, 0, 0]
    clock.now += 20
    assert window.hit("ann") == pytest.approx(40)
    clock.now += 41
    assert window.hit("ann") == 0


def test_a_window_without_a_limit_keeps_nothing():
    window = Window(None, network_key)

    assert not any(window.hit(str(n)) for n in range(1000))
    assert not window._counts


def test_five_thousand_viewers_of_fifty_users_behind_one_address_all_pass():
    attempts = ConnectionAttempts(3_000, lambda key: pytest.fail("a good attempt asks nobody"))

    for n in range(5_000):
        attempts.arrived("192.0.2.7")
        with attempts.trying("192.0.2.7") as set_user:
            set_user(f"user {n % 50}")


def test_a_user_and_an_address_are_stopped_each_at_its_own_limit():
    attempts = ConnectionAttempts(3, lambda key: 0.0)

    def try_as(user: str, address: str = "here") -> None:
        attempts.arrived(address)
        with attempts.trying(address) as set_user:
            set_user(user)

    for _ in range(3):
        try_as("ann")
    with pytest.raises(RateExceeded) as refusal:
        try_as("ann", "there")
    assert refusal.value.status == 429
    assert 0 < int(refusal.value.headers["Retry-After"]) <= 60
    for n in range(27):
        try_as(f"user {n}")
    with pytest.raises(RateExceeded):
        try_as("bob")
    try_as("bob", "there")


@pytest.mark.parametrize("refusal", [Unauthorized, Forbidden, NotFound])
def test_refusals_count_against_the_address_and_once_it_is_known_against_the_user(
    refusal: type[Unauthorized],
):
    counted: list[str] = []
    attempts = ConnectionAttempts(100, lambda key: (counted.append(key), 0.0)[1])

    with pytest.raises(refusal), attempts.trying("here"):
        raise refusal("no")
    with pytest.raises(refusal), attempts.trying("here") as set_user:
        set_user("ann")
        raise refusal("no")
    with pytest.raises(LookupError), attempts.trying("here"):
        raise LookupError

    assert counted == ["here", "ann"]


def test_who_fails_too_often_is_told_to_wait_without_asking_again(clock: Clock):
    counted: list[str] = []
    attempts = ConnectionAttempts(
        100, lambda key: (counted.append(key), 0.0 if len(counted) <= 2 else 30.0)[1]
    )

    def fail() -> TooMany | Unauthorized:
        with pytest.raises((TooMany, Unauthorized)) as refusal, attempts.trying("here"):
            raise Unauthorized("no")
        return refusal.value

    assert [fail().status for _ in range(6)] == [401, 401, 429, 429, 429, 429]
    assert len(counted) == 3
    with attempts.trying("here") as set_user:
        set_user("ann")  # who has a good token is not locked out by others
    clock.now += 31
    fail()
    assert len(counted) == 4


def test_keys_beyond_so_many_share_the_count_of_their_network(clock: Clock) -> None:
    window = Window(2, network_key, max_keys=3)
    honest = "198.51.100.7"
    window.hit(honest)
    for n in range(1_000):  # from everywhere
        window.hit(f"203.0.{n // 256}.{n % 256}")

    assert window.hit("203.0.113.1") > 0, "its network has had what an address may have"
    assert window.hit("192.0.2.1") == 0, "another network has not"
    assert window.hit(honest) == 0 and window.hit(honest) > 0, "who was counted goes on being counted"
    clock.now += rate_limits.WINDOW_SECONDS
    assert window.hit("203.0.113.1") == 0


def test_a_window_holds_so_many_keys_and_as_many_networks(clock: Clock) -> None:
    window = Window(5, network_key, max_keys=10)
    for n in range(10_000):
        window.hit(f"2001:{n:x}::/64")

    assert (len(window._counts), len(window._shared)) == (10, 11)
    assert window.hit("2002::/64") > 0


def test_many_users_do_not_use_up_what_the_next_may() -> None:
    attempts = ConnectionAttempts(3, lambda key: 0.0)
    attempts._users = Window(3, attempts._users._group_of, max_keys=256)
    for n in range(4 * 256):  # the last three quarters in 256 groups
        with attempts.trying("192.0.2.7") as set_user:
            set_user(f"{n % 256:02x}-user-{n}")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.0.0/16"),
        ("2001:db8:1:2::/64", "2001:db8::/32"),
        ("unknown", "unknown"),
    ],
)
def test_the_network_of_an_address(address: str, network: str) -> None:
    assert network_key(address) == network
