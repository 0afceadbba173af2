"""How far a run is as a whole, where that is known and where it is not."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.browser.conftest import Visit
from tests.support.held import held
from tests.support.system import System, User


def bar(tab: Visit) -> Locator:
    return tab.page.get_by_role("progressbar", name="Overall progress")


def test_a_job_that_is_new_has_no_percentage_and_is_given_one_by_its_first_run(
    tab: Visit, user: User, system: System, tmp_path: Path
) -> None:
    with held(user, tmp_path, "test_gated_unnamed") as first:
        tab.open(f"/runs/{first.id}")
        tab.shows("Until the gate is open")
        expect(bar(tab)).to_have_class(re.compile("unknown"))
        assert bar(tab).get_attribute("aria-valuenow") is None
        expect(tab.page).to_have_title("running · test_gated_unnamed")
        expect(tab.page.get_by_text(re.compile(r"\d %"))).to_have_count(0)
    tab.has_ended()
    expect(bar(tab)).to_have_attribute("aria-valuenow", "100")

    took(system, first.id, prepare=1000, load=2000)
    with held(user, tmp_path, "test_gated_unnamed") as second:
        tab.open(f"/runs/{second.id}")
        tab.shows("Until the gate is open")
        expect(tab.page.locator(".figures .pct")).to_have_text(re.compile(r"^progress 3\d %"))
        expect(bar(tab)).to_have_attribute("aria-valuenow", re.compile(r"^3\d$"))
        expect(tab.page.locator(".figures .left")).to_contain_text(re.compile(r"about \d\d:\d\d"))
    tab.has_ended()


def took(system: System, task_id: str, **seconds: int) -> None:
    """As if that run had taken so long over its phases: so the next one is as far, whatever this machine is like."""
    times = "started_at = at + %s * interval '1 s', {} = at + %s * interval '1 s'"
    since = "FROM (SELECT now() - interval '1 day' AS at) AS moment WHERE"
    begin = 0
    for name, lasted in seconds.items():
        end = begin + lasted
        where = f"{since} task_id = %s AND phase_id = %s RETURNING 1"
        assert system.sql(
            f"UPDATE phases SET {times.format('updated_at')} {where}", begin, end, task_id, name
        )
        begin = end
    assert system.sql(
        f"UPDATE tasks SET {times.format('finished_at')} {since} id = %s RETURNING 1", 0, begin, task_id
    )
