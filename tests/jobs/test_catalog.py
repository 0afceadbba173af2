"""What a process knows of job types whose code it has not."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from app.jobs import catalog
from app.jobs.types import JobType
from app.stream.store import DatabaseUnavailable
from tests.jobs.fakes import FakePackages, row
from tests.support.system import wait_for

RESIZE = JobType(
    "resize", phases={"scan": None, "write": None}, queue="quick", max_retries=2, retry_lost=True
)
FETCH = JobType("fetch", queue="elsewhere")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that the test sets."""
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(catalog, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def test_it_is_read_when_it_is_asked_and_at_most_every_second(clock: SimpleNamespace) -> None:
    declared = FakePackages(RESIZE)
    jobs = declared.catalog()
    assert declared.asked == 0, "a process that nobody asks asks nobody"

    for _ in range(10):
        assert list(jobs.types()) == ["resize"] and jobs.broken() == {}
    assert declared.asked == 1
    declared.rows.append(row(FETCH))
    clock.now += 1.1

    assert list(jobs.types()) == ["fetch", "resize"]
    assert declared.asked == 2


def test_a_type_that_a_worker_has_just_declared_is_there_at_once(clock: SimpleNamespace) -> None:
    declared = FakePackages(RESIZE)
    jobs = declared.catalog()
    assert "fetch" not in jobs.types()
    declared.rows.append(row(FETCH))
    clock.now += 0.01

    assert jobs.types_with(["resize", "fetch"]).keys() == {"fetch", "resize"}
    assert declared.asked == 2


def test_a_crowd_that_asks_for_an_unknown_type_asks_postgres_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    declared, gate, looks = FakePackages(RESIZE), threading.Event(), list[float]()
    jobs = declared.catalog()
    jobs.types()
    ask = declared.execute

    def when_all_are_there(statement: str) -> None:
        assert gate.wait(60)
        ask(statement)

    def look() -> float:
        looks.append(time.monotonic())
        return looks[-1]

    monkeypatch.setattr(declared, "execute", when_all_are_there)
    monkeypatch.setattr(catalog, "time", SimpleNamespace(monotonic=look))
    threads = [threading.Thread(target=jobs.types_with, args=(["nonsense"],)) for _ in range(20)]
    for thread in threads:
        thread.start()
    # Each looks at the clock twice before it asks or waits, and the one that asks once more.
    wait_for("the crowd", lambda: len(looks) == 2 * len(threads) + 1)
    gate.set()
    for thread in threads:
        thread.join(60)

    assert declared.asked == 1 + 2


def test_while_postgres_is_away_what_was_read_last_is_known(clock: SimpleNamespace) -> None:
    declared = FakePackages(RESIZE)
    jobs = declared.catalog()
    jobs.types()
    declared.away = True
    clock.now += 10

    assert list(jobs.types_with(["nonsense"])) == ["resize"]
    assert (jobs.queue_of("resize"), jobs.may_retry_lost("resize", 1)) == ("quick", True)
    declared.away, declared.rows = False, []
    clock.now += 10
    assert jobs.types() == {}, "and when it is back it is read again"


def test_where_nothing_was_ever_read_it_says_so_and_messages_go_where_most_do() -> None:
    declared = FakePackages()
    declared.away = True
    jobs = declared.catalog()

    with pytest.raises(DatabaseUnavailable):
        jobs.types()
    with pytest.raises(DatabaseUnavailable):
        jobs.broken()
    assert jobs.queue_of("resize") == "taskroom"
    with pytest.raises(DatabaseUnavailable):
        jobs.may_retry_lost("resize", 0)


def test_what_dispatching_and_leases_need_is_declared() -> None:
    jobs = FakePackages(RESIZE, FETCH).catalog()

    assert jobs.phases("resize") == {}, "it asks nobody, for it may hold a connection"
    assert [jobs.queue_of(name) for name in ("resize", "fetch", "unknown")] == ["quick", None, "taskroom"]
    assert [jobs.may_retry_lost("resize", count) for count in (0, 1, 2)] == [True, True, False]
    assert not jobs.may_retry_lost("fetch", 0) and not jobs.may_retry_lost("unknown", 0)
    assert list(jobs.phases("resize").items()) == [("scan", None), ("write", None)]


def test_of_two_packages_with_a_type_of_one_name_the_later_has_it() -> None:
    declared = FakePackages(JobType("resize", "Old"), FETCH)
    declared.rows.append(row(JobType("resize", "New"), broken={"b.py": "2"}))
    declared.rows.append(row(broken={"a.py": "1"}))
    jobs = declared.catalog()

    assert (jobs.types()["resize"].title, list(jobs.types())) == ("New", ["fetch", "resize"])
    assert list(jobs.broken().items()) == [("a.py", "1"), ("b.py", "2")]


def test_what_a_newer_worker_declares_besides_is_left_out() -> None:
    declared = FakePackages()
    declared.rows = [row(RESIZE, memory_limit="2 GB")]

    assert declared.catalog().types() == {"resize": RESIZE}


def test_an_error_names_what_there_is_or_that_no_worker_has_started() -> None:
    assert catalog.unknown_type_message({"fetch": FETCH, "resize": RESIZE}) == "One of: fetch, resize."
    assert "no worker has started yet" in catalog.unknown_type_message({})
