"""How the suite is run: its servers, its two lanes, the order of its files.

Side by side, each process of pytest-xdist takes whole files. What needs the machine for itself (crowds, figures of
memory) is marked ``alone`` and runs in a lane of its own: docs/testing.md.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Generator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from app.green.listener import raise_file_limit
from app.up import embedded
from tests.support import forks
from tests.support.patience import extend_timeouts
from tests.support.servers import RunningServers, Servers

LANES = ("all", "beside", "alone", "quick")
# What waits most comes first, so that the last files to run are short ones.
FIRST = (
    *(
        "tests/hostile/",
        "tests/outages/",
        "tests/proxy/",
        "tests/browser/",
        "tests/up/",
        "tests/faults/",
        "tests/seeds/",
    ),
    *("tests/adopt/test_outages.py", "tests/instrument/test_pools.py", "tests/adopt/", "tests/instrument/"),
    *("tests/api/test_fuzz.py", "tests/realtime/", "tests/workers/", "tests/api/"),
)
# They tell everybody something, which whoever comes to a stream within a quarter of an hour is told too.
LAST = (
    *("tests/api/test_announcements.py", "tests/api/test_tenants.py", "tests/api/test_idempotency.py"),
    *(
        "tests/bus/test_processes.py",
        "tests/realtime/test_announced.py",
        "tests/realtime/test_many_rooms.py",
        "tests/realtime/test_rooms.py",
    ),
)
# What needs a browser, a proxy, a supervisor or a fault; single files and tests of others are marked ``slow``.
SLOW = (
    *("tests/acceptance/", "tests/browser/", "tests/outages/", "tests/proxy/", "tests/up/", "tests/faults/"),
    *("tests/seeds/", "tests/test_client.py", "tests/api/test_fuzz.py"),
)
# The files with tests that are marked ``alone``: their lane reads no others.
ALONE = (
    "tests/hostile/",
    "tests/outages/test_crowd.py",
    "tests/realtime/test_flooded.py",
    "tests/realtime/test_thousand_users.py",
)

extend_timeouts()

_running = pytest.StashKey[RunningServers]()
_servers = pytest.StashKey[Servers]()
_fork_servers = pytest.StashKey[forks.SharedForkServers]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--lane",
        choices=LANES,
        default="all",
        help="beside: what may run beside other tests; alone: what may not; quick: no browser, proxy or fault",
    )


def pytest_configure(config: pytest.Config) -> None:
    raise_file_limit()  # a crowd of viewers is a crowd of descriptors, here and in what is started here
    given: dict[str, Any] = getattr(config, "workerinput", {})
    if given:  # what is free now may be taken by a neighbour before it is bound
        first, processes = given["ports"]
        every = embedded.port_range()
        share = len(every) // processes
        mine = every[first % processes * share :][:share]
        os.environ["EMBEDDED_PORTS"] = f"{mine[0]}-{mine[-1]}"
        forks.share(Path(given["forks"]))
    config.addinivalue_line("markers", "alone: needs the machine for itself")
    config.addinivalue_line(
        "markers",
        "slow: needs a fault, processes of its own, a crowd or a large table, and is not for the quick lane",
    )


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tells a process that is about to start where the servers are; they are started for the first one."""
    stash = node.config.stash
    if _fork_servers not in stash:
        stash[_fork_servers] = forks.SharedForkServers()
        forks.share(stash[_fork_servers].folder)
    number = int(node.workerinput["workerid"].removeprefix("gw")) % forks.PROCESSES
    node.workerinput["forks"] = str(stash[_fork_servers].folder)
    node.workerinput["ports"] = number, int(node.workerinput["workercount"])
    node.workerinput["servers"] = asdict(replace(servers(node.config), process=number))


def servers(config: pytest.Config) -> Servers:
    """The servers of this run; the process that has no other above it starts them when they are first needed."""
    if _servers not in config.stash:
        given: dict[str, Any] | None = getattr(config, "workerinput", None)
        if given is not None:
            config.stash[_servers] = Servers(**given["servers"])
        else:
            running = RunningServers()
            config.stash[_servers] = running.start()
            config.stash[_running] = running
    return config.stash[_servers]


def pytest_unconfigure(config: pytest.Config) -> None:
    if running := config.stash.get(_running, None):
        running.stop()
    if shared := config.stash.get(_fork_servers, None):
        shared.stop()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The lanes do not even read what they leave out."""
    lane = config.getoption("--lane")
    if lane == "quick":
        return collection_path in [config.rootpath / name for name in SLOW] or None
    if (
        lane == "alone"
        and collection_path.match("test_*.py")
        and collection_path.is_relative_to(config.rootpath)
    ):
        name = collection_path.relative_to(config.rootpath).as_posix()
        return not name.startswith(ALONE) or None
    return None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Nothing that is made now is garbage before the end: no collection needs to look at it, neither now nor later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    lane = config.getoption("--lane")
    chosen = [item for item in items if _belongs(item, lane)]
    config.hook.pytest_deselected(items=[item for item in items if not _belongs(item, lane)])
    items[:] = sorted(chosen, key=_rank)


def _belongs(item: pytest.Item, lane: str) -> bool:
    alone = item.get_closest_marker("alone") is not None
    if alone and not item.nodeid.startswith(ALONE):
        raise pytest.UsageError(f"{item.nodeid} is marked alone: name its file in ALONE in tests/plugin.py")
    if lane == "quick":
        return not alone and not item.get_closest_marker("slow") and not item.nodeid.startswith(SLOW)
    return lane == "all" or alone == (lane == "alone")


def _rank(item: pytest.Item) -> int:
    if item.nodeid.startswith(LAST):
        return len(FIRST) + 1
    return next((n for n, start in enumerate(FIRST) if item.nodeid.startswith(start)), len(FIRST))
