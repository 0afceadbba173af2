"""One user's requests take turns; everybody else's do not notice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from types import SimpleNamespace
from typing import Any

import httpx
import psycopg2
import pytest
from flask import Flask

from app.auth import identity
from app.errors import TooMany
from app.green.unsent import Unsent
from app.http import base
from app.http.concurrency import Downloads, UserConcurrency
from tests.support.parts import Parts
from tests.support.system import System, User, wait_for


def hold(shares: UserConcurrency, user: str, held: threading.Event, inside: list[str]) -> Callable[[], None]:
    def work() -> None:
        with shares.slot(user):
            inside.append(user)
            held.wait(60)

    return work


def test_of_one_user_a_few_are_answered_at_once_and_of_another_at_any_time() -> None:
    shares, held, inside = UserConcurrency(3, waiting=7), threading.Event(), list[str]()
    threads = [threading.Thread(target=hold(shares, "busy", held, inside)) for _ in range(10)]
    for thread in threads:
        thread.start()
    wait_for("three inside, seven waiting", lambda: len(inside) == 3 and shares._requests["busy"] == 10)

    with shares.slot("other"):
        assert inside == ["busy"] * 3
    with pytest.raises(TooMany), shares.slot("busy"):
        pass

    held.set()
    for thread in threads:
        thread.join(60)
    assert inside == ["busy"] * 10
    assert (shares._requests, shares._queues) == ({}, {}), "of who is gone nothing is kept"


def test_another_answer_is_made_when_enough_of_those_before_it_was_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app, unsent, answered = Flask(__name__), Unsent(of_one=10), threading.Event()
    app.extensions["taskroom"] = Parts({UserConcurrency: UserConcurrency(5), Unsent: unsent})
    who = threading.local()
    monkeypatch.setattr(identity, "current", lambda scope, **_: SimpleNamespace(user_id=who.name))
    view = base.reading(lambda principal: answered.set() if principal.user_id == "slow" else "served")

    def ask(name: str) -> object:
        who.name = name
        with app.test_request_context():
            return view()

    asking = threading.Thread(target=ask, args=("slow",))
    with unsent.held("slow", 11, lambda: None):
        asking.start()
        wait_for("it waits", lambda: "slow" in unsent._waiting)

        assert ask("other") == "served"
        assert not answered.is_set()

    asking.join(60)
    assert answered.is_set()


def test_of_one_user_and_of_all_there_are_so_many_downloads_at_a_time() -> None:
    downloads = Downloads(per_user=2, in_total=3, of_newcomers=0)
    ends = [downloads.begin(user, f"of {user}", None) for user in ("busy", "busy", "other")]
    for user in ("busy", "third"):
        with pytest.raises(TooMany) as refused:
            downloads.begin(user, "another", None)
        assert refused.value.headers == {"Retry-After": "5"}

    ends[0]()

    ends[0] = downloads.begin("third", "another", None)
    with pytest.raises(TooMany):
        downloads.begin("busy", "another", None)
    for end in ends:
        end()
    assert (downloads._running, downloads._all) == ({}, 0), "of who is gone nothing is kept"


@pytest.mark.parametrize("whose", ["address", "shares"])
def test_neither_an_address_nor_the_shares_of_a_user_hold_the_downloads_of_all(whose: str) -> None:
    def begin(n: int, attacker: bool) -> Callable[[], None]:
        address = "192.0.2.1" if attacker and whose == "address" else f"198.51.100.{n}"
        return downloads.begin(f"user {n}", address, "attacker" if attacker and whose == "shares" else None)

    downloads, ends = Downloads(), []
    for n in range(40):
        with suppress(TooMany):
            ends.append(begin(n, attacker=True))

    assert len(ends) == 16
    others = [begin(n, attacker=False) for n in range(100, 124)]
    with pytest.raises(TooMany, match="Too many downloads"):
        begin(124, attacker=False)
    for end in (*ends, *others):
        end()
    assert (downloads._running, downloads._all) == ({}, 0)


def test_eight_accounts_of_two_addresses_leave_places_to_newcomers() -> None:
    def begin(user: str, address: str, shared_by: str | None = None) -> None:
        ends.append(downloads.begin(user, address, shared_by))

    downloads, ends = Downloads(), list[Callable[[], None]]()
    for n in range(32):
        begin(f"user {n // 4}", f"192.0.2.{n // 16}")

    for n in range(7):
        begin(f"newcomer {n}", f"198.51.100.{n}", f"lender {n}")

    for known in (
        ("newcomer 0", "203.0.113.1"),
        ("another", "198.51.100.0"),
        ("another", "203.0.113.1", "lender 0"),
    ):
        with pytest.raises(TooMany, match="Too many downloads"):
            begin(*known)
    begin("another", "203.0.113.1")
    with pytest.raises(TooMany, match="Too many downloads"):
        begin("one more", "203.0.113.2")
    for end in ends:
        end()
    assert (downloads._running, downloads._all) == ({}, 0)


def test_twenty_five_lists_of_one_user_leave_connections_to_the_others(
    system: System, user: User, other: User
) -> None:
    """They wait for a table that only they read: without turns they would have every connection."""
    limits = httpx.Limits(max_connections=25)
    with (
        closing(psycopg2.connect(system.database_url)) as holder,
        httpx.Client(headers=dict(user.client.headers), base_url=system.url, limits=limits) as crowd,
        ThreadPoolExecutor(25) as pool,
    ):
        with holder.cursor() as cur:
            cur.execute("LOCK TABLE read_marks IN ACCESS EXCLUSIVE MODE")
        asked: list[Any] = [
            pool.submit(crowd.get, "/api/v2/notifications", params={"unread": "true"}, timeout=60)
            for _ in range(25)
        ]
        try:
            wait_for("those that may ask do", lambda: waiting(system) >= 5)
            answers = [other.client.get("/api/v2/tasks", timeout=60).status_code for _ in range(5)]
            at_once = waiting(system)
        finally:
            holder.rollback()
        statuses = {future.result().status_code for future in asked}

    assert answers == [200] * 5
    assert at_once <= 5
    assert statuses <= {200, 503}, "who waited for the table too long is told so"


def waiting(system: System) -> int:
    """How many connections wait for a lock on that table. Copies of it in other databases have the same id."""
    ((count,),) = system.sql(
        """SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
           WHERE datname = current_database() AND NOT granted AND relation = 'read_marks'::regclass"""
    )
    return int(count)
