"""A short form of ``script/soak``: one system, one fault after another, viewers of both transports. Each viewer must
have seen exactly the events in Postgres."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.faults import CUT_SESSIONS, KILL, PARTS, READ_ONLY, STOP, Fault
from tests.faults.jitter import jitter
from tests.faults.matrix import Row, run_with_bad_network, run_with_fault
from tests.faults.system import Taskroom
from tests.faults.viewers import Sockets, sockets

EVENTS, RATE, VIEWERS = 1_500, 500.0, 6
SHORT = [
    *(Fault(part, KILL) for part in PARTS),
    *(Fault(part, STOP) for part in ("redis", "postgres", "web")),
    *(Fault("postgres", kind) for kind in (READ_ONLY, CUT_SESSIONS)),
]


@pytest.fixture(scope="module")
def taskroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taskroom]:
    # A lost worker is found within fifteen seconds instead of twenty-five. With less, a healthy worker that a busy
    # machine stops for four rounds would count as lost too.
    with Taskroom(tmp_path_factory.mktemp("faults"), LEASE_ROUND_SECONDS="3") as taskroom:
        yield taskroom


@pytest.fixture(scope="module")
def host() -> Iterator[Sockets]:
    with sockets() as host:
        yield host


@pytest.mark.parametrize("fault", SHORT, ids=str)
def test_every_viewer_sees_every_event_once(taskroom: Taskroom, host: Sockets, fault: Fault) -> None:
    assert_right(run_with_fault(taskroom, host, fault, events=EVENTS, rate=RATE, viewers=VIEWERS))


def test_a_network_that_slices_delays_and_resets(taskroom: Taskroom, host: Sockets) -> None:
    row = run_with_bad_network(taskroom, host, events=EVENTS, rate=RATE, viewers=VIEWERS, seed=1)
    assert_right(row)


def assert_right(row: Row) -> None:
    assert row.outcome.ok, f"{row.what}: {row.outcome}"


def test_viewers_cut_at_random_miss_nothing(taskroom: Taskroom) -> None:
    result = jitter(taskroom, viewers=200, events=40, rate=4, seed=1)
    print(result)  # when it fails
    assert result.ok, result.faults
    assert result.replays, "no viewer was cut while events came"
