"""What the loop did for too long has a name, and waiting has none."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from json import decoder

import httpx
import pytest

from app.observability.alarm import Alarm
from app.observability.loop_watchdog import LIMIT_SECONDS, NAMES, SAMPLE_SECONDS, Watchdog, what_runs
from tests.support import long_turns
from tests.support.system import System, wait_for
from tests.test_metrics import scraped

OVER, LONGEST = "taskroom_loop_turns_over_50ms_total", "taskroom_loop_turn_longest_seconds"


class FakeAlarm(Alarm):
    """Rings when a test looks; counts how often it was set."""

    def __init__(self) -> None:
        self.is_set, self.times = False, 0

    def set(self) -> None:
        self.is_set = True
        self.times += 1

    def clear(self) -> None:
        self.is_set = False


class Loop:
    """A loop whose time passes as a test says. Another thread looks at it: what runs in this one has a name."""

    def __init__(self) -> None:
        self.now, self.cpu, self.garbage = 100.0, 0.0, 0.0
        self.alarm = FakeAlarm()
        self.watchdog = Watchdog(lambda: self.garbage, lambda: self.now, lambda: self.cpu, self.alarm)
        self._others = ThreadPoolExecutor(1)
        self.waits()

    def waits(self, seconds: float = 1.0) -> None:
        self.watchdog.ended()
        self.now += seconds
        self.watchdog.began()

    def reads(self, seconds: float, cpu: float = 1.0, garbage: float = 0.0) -> None:
        self.pass_time(seconds, cpu)
        self.garbage += garbage
        go, looked = self._looking()
        go.set()
        looked.result()

    def writes(self, seconds: float, cpu: float = 1.0) -> None:
        self.pass_time(seconds, cpu)
        go, looked = self._looking()
        go.set()
        looked.result()

    def _looking(self) -> tuple[threading.Event, Future[None]]:
        """The other thread looks when it is told to: until then this one is within what starts it."""
        go = threading.Event()

        def look() -> None:
            go.wait()
            self.watchdog.sample()

        return go, self._others.submit(look)

    def pass_time(self, seconds: float, cpu: float = 1.0) -> None:
        self.now += seconds
        self.cpu += seconds * cpu


@pytest.fixture
def loop() -> Loop:
    return Loop()


def test_a_turn_over_the_limit_is_counted_under_what_took_most_of_it(loop: Loop) -> None:
    loop.reads(0.02)
    loop.writes(0.2)
    loop.reads(0.02)
    loop.waits()

    (counted,) = loop.watchdog.over.items()
    what, how = counted[0]
    assert (what.rpartition(":")[2], how, counted[1]) == ("Loop.writes", "computed", 1)
    assert loop.watchdog.longest == {(what, how): pytest.approx(0.24)}


def test_short_turns_and_waits_are_nothing_however_long(loop: Loop) -> None:
    for _ in range(100):
        loop.reads(LIMIT_SECONDS * 0.99)
        loop.waits(60.0)

    assert not loop.watchdog.over and not loop.watchdog.longest


def test_what_was_seen_in_one_turn_names_no_other(loop: Loop) -> None:
    loop.writes(0.2)
    loop.waits()
    loop.pass_time(0.3)  # and nobody looked
    loop.waits()

    assert [what for what, _ in loop.watchdog.over] == [f"{__name__}:Loop.writes", "unseen"]


def test_what_blocks_is_told_from_what_computes(loop: Loop) -> None:
    loop.reads(0.2, cpu=0.2)
    loop.waits()
    loop.reads(0.2, cpu=0.3)
    loop.waits()

    assert [how for _, how in loop.watchdog.over] == ["waited", "computed"]


def test_a_collection_has_its_own_name(loop: Loop) -> None:
    loop.reads(0.2, garbage=0.15)
    loop.waits()
    loop.reads(0.2, garbage=0.05)
    loop.waits()

    assert [what.rpartition(":")[2] for what, _ in loop.watchdog.over] == [
        "garbage collection",
        "Loop.reads",
    ]


def test_so_many_names_are_told_apart(loop: Loop) -> None:
    for n in range(2 * NAMES):
        loop.watchdog._seen = loop.watchdog._began, {f"name {n}": 1.0}
        loop.pass_time(0.1)
        loop.waits()

    assert len(loop.watchdog.longest) == NAMES + 1
    assert sum(n for (what, _), n in loop.watchdog.over.items() if what == "other") == NAMES


def test_no_turn_over_the_limit_is_missed() -> None:
    assert SAMPLE_SECONDS + SAMPLE_SECONDS / 2 < LIMIT_SECONDS, (
        "unseen at its start, and again before the limit"
    )


def test_while_an_idle_loop_waits_no_alarm_is_set(loop: Loop) -> None:
    for _ in range(5):
        loop.reads(0.001)
        assert loop.alarm.is_set, "each of its turns is watched"
        loop.watchdog.ended()
        assert not loop.alarm.is_set
        loop.waits()


def test_a_busy_loop_leaves_its_alarm_on_until_that_finds_it_waiting(loop: Loop) -> None:
    loop.waits(0.001)
    before = loop.alarm.times
    for _ in range(1_000):
        loop.reads(0.001)
        loop.waits(0.001)
    assert loop.alarm.times == before and loop.alarm.is_set

    loop.watchdog.ended()
    loop.watchdog.sample()

    assert not loop.alarm.is_set


def test_one_line_names_the_worst_since_the_last(loop: Loop, caplog: pytest.LogCaptureFixture) -> None:
    for seconds in (0.1, 0.4, 0.2):
        loop.reads(seconds)
        loop.waits()
    with caplog.at_level(logging.WARNING, "taskroom.loop"):
        loop.watchdog.log_longest()
        loop.watchdog.log_longest()

    (record,) = caplog.records
    assert "took 400 ms, most of it in " in record.getMessage()
    assert record.getMessage().endswith("Loop.reads (computed); so far over 50 ms: 3")


def test_the_innermost_function_of_the_project_is_what_runs() -> None:
    found: list[str] = []

    def hook(pairs: list[tuple[str, object]]) -> None:
        found.append(what_runs(sys._getframe(1)))

    decoder.JSONDecoder(object_pairs_hook=hook, strict=False).decode("{}")
    inside = sys._getframe()
    while inside.f_back is not None and "/site-packages/" not in inside.f_code.co_filename:
        inside = inside.f_back

    assert found == [f"{__name__}:test_the_innermost_function_of_the_project_is_what_runs"]
    assert what_runs(inside).split(":")[0].partition(".")[0] in ("_pytest", "pluggy")


@pytest.fixture(scope="module")
def url(system: System) -> Iterator[str]:
    with system.web(TEST_LONG_TURNS="1") as url:
        yield url


@pytest.mark.slow
@pytest.mark.parametrize("view", ["computes", "in_a_library", "blocks"])
def test_the_metrics_of_a_process_name_the_handler_that_held_it_up(
    system: System, url: str, view: str
) -> None:
    what = f"{long_turns.__name__}:{view}"

    assert httpx.get(f"{url}/long/{view}", timeout=60).status_code == 200

    found = scraped(system, f"{url}/metrics")
    how = "waited" if view == "blocks" else "computed"
    assert found[f"{OVER}:{how}:{what}"] == 1
    assert found[f"{LONGEST}:{how}:{what}"] >= long_turns.SECONDS
    log = system.home / f"web-{url.rpartition(':')[2]}.log"
    wait_for("a line in its log", lambda: "a turn of the loop took" in log.read_text())


@pytest.mark.slow
def test_a_handler_that_waits_is_no_turn(system: System, url: str) -> None:
    began = time.monotonic()
    assert httpx.get(f"{url}/long/waits", timeout=60).status_code == 200
    assert time.monotonic() - began >= long_turns.SECONDS

    found = scraped(system, f"{url}/metrics")
    assert f"{OVER}:computed:{long_turns.__name__}:waits" not in found
