"""The daily budget as a client meets it: starts are refused, what runs goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.api.answers import problem
from tests.support.held import held
from tests.support.system import System, User, wait_for

pytestmark = pytest.mark.slow

START = "/api/v2/agent/start"
BUDGET = 60_000


@pytest.fixture(scope="module")
def frugal(system: System) -> Iterator[str]:
    """The address of a web process with a small budget and the limits of production."""
    with system.web(TASKROOM_BENCH="0", TASKROOM_DAILY_BYTES=str(BUDGET)) as url:
        yield url


def post(url: str, user: User, path: str = START, text: str = "x") -> httpx.Response:
    headers = {"Authorization": f"Bearer {user.token}"}
    body = {"job_type": "test_echo", "params": {"text": text}} if path == START else None
    return httpx.post(f"{url}{path}", headers=headers, json=body, timeout=60)


def test_over_the_budget_a_start_is_refused_by_name_until_the_next_day(
    frugal: str, user: User, other: User
) -> None:
    first = post(frugal, user, text=BUDGET // 2 * "x")
    assert first.status_code == 202
    task_id = first.json()["task_id"]
    user.finished(task_id)

    for refused in (post(frugal, user), post(frugal, user, f"/api/v2/tasks/{task_id}/retry")):
        reason = problem(refused, 429)
        assert "daily budget" in reason["detail"] and f"of {BUDGET:,} bytes" in reason["detail"]
        assert "it begins anew at 20" in reason["detail"] and "T00:00:00Z" in reason["detail"]
        assert 0 < int(refused.headers["Retry-After"]) <= 24 * 3600
    assert post(frugal, other).status_code == 202, "it is a user's own"


def test_what_runs_goes_on_and_counts(frugal: str, user: User, tmp_path: Path) -> None:
    with held(user, tmp_path, rate=0, size=2_000) as run:
        wait_for("more than the budget", lambda: user.status(run.id)["sequence"] > BUDGET // 2_000)
        assert "daily budget" in problem(post(frugal, user), 429)["detail"]
        head = user.status(run.id)["sequence"]
        wait_for("further lines", lambda: user.status(run.id)["sequence"] > head)
        run.let_go()
        assert user.finished(run.id)["task"]["status"] == "SUCCESS"
