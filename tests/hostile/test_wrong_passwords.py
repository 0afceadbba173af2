"""Wrong sign-ins cost a process a limited amount of memory, however many come at once."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

import httpx
import pytest

from bench.hostile.requests import wrong_passwords
from bench.hostile.target import Target
from tests.hostile.conftest import PATIENCE, Memory, Scene

pytestmark = pytest.mark.alone

SIGN_INS, MOST = 150, 300_000_000


def test_150_wrong_sign_ins_at_once_leave_the_process_below_300_mb(scene: Scene) -> None:
    """Each check of a password takes 64 MB: all at once would take ten gigabytes."""
    with scene.system.web(
        TASKROOM_BENCH="1"
    ) as url:  # else most are refused for their number, before the check
        memory, address = Memory(scene.system.processes[-1].pid), urlsplit(url)
        order = scene.order("wrong passwords", scene.log, rounds=1)
        order = replace(
            order, address=(str(address.hostname), int(address.port or 0)), email="nobody@example.org"
        )
        target = Target(order)
        memory.begin()
        before = memory.now

        wrong_passwords(target, SIGN_INS)

        assert httpx.get(f"{url}/livez", timeout=PATIENCE).status_code == 200
        most = memory.most

    print(f"{dict(target.statuses)}, from {before / 1e6:.0f} to {most / 1e6:.0f} MB")
    assert target.statuses.total() == SIGN_INS and target.statuses.keys() <= {401, 503}
    assert target.statuses[401] >= 18, "two that are checked, and sixteen that wait"
    assert most < MOST, f"{most:,} bytes"
