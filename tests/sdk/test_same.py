"""The package and the server mean the same: limits, levels, and what an event holds."""

from __future__ import annotations

from typing import Any

import pytest

import taskroom
from app.api import external_workers, starting
from app.stream import event
from app.tasks import fold
from taskroom import limits, texts, values
from tests.limits.product import most
from tests.sdk.memory import MemoryClient


def test_levels_statuses_and_limits_are_the_servers() -> None:
    assert values.LEVELS == event.LEVELS
    assert values.PHASE_STATUSES == fold.PHASE_STATUSES
    assert limits.PARAMS_LIMIT == starting.PARAMS_LIMIT
    assert most(external_workers.ErrorSchema, "type") == limits.NAME_LIMIT


@pytest.mark.parametrize("limit", [limits.LINE_LIMIT, limits.TEXT_LIMIT, limits.NAME_LIMIT])
def test_a_text_that_the_package_has_cut_is_not_cut_again(limit: int) -> None:
    cut = texts.cut("x" * 1_000_000, limit)

    assert len(cut) == limit and cut.endswith("… [cut: 1,000,000 characters in all]")
    assert event.shortened(cut, limit) == cut


def test_each_event_of_a_run_is_one_that_the_server_takes(client: MemoryClient) -> None:
    class Mute:
        def __str__(self) -> str:
            raise KeyError("no text")

    odd: Any = Mute()
    with pytest.raises(ZeroDivisionError), taskroom.run("train") as run:
        run.log("x" * 100_000, odd, component="c" * 1_000, phase="p" * 1_000)
        with run.phase(odd, total="7", message=odd) as opened:  # type: ignore[arg-type]
            opened.advance("x")  # type: ignore[arg-type]
            opened.report()
        for _ in run.track([1], phase="\n", message="{nobody}" * 1_000):
            pass
        run.progress(float("inf"), "x" * 10_000)
        run.progress(1e300, odd)
        1 / 0  # noqa: B018

    events = client.of(run.id)
    taken = [type(event).__struct_config__.tag for event in external_workers._checked(events)]
    assert taken == [e["type"] for e in events]
    assert {e["type"] for e in events} == {"log", "phase_update", "phase_complete", "task_status"}
    texts_told = [e[name] for e in events for name in ("message", "current_phase_message") if e.get(name)]
    assert max(map(len, texts_told)) == limits.LINE_LIMIT
    names = [e[name] for e in events for name in ("phase", "component", "phase_id") if e.get(name)]
    assert max(map(len, names)) == limits.NAME_LIMIT
