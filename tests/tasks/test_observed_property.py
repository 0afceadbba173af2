"""However the events of tasks are split into batches and parts, their streams are the same."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.tasks.observed.lookups import Lookups
from app.tasks.plan import Forecast
from tests.api.reporters import STARTED, line, new_task, part, phase, status
from tests.stream.helpers import sql
from tests.tasks.helpers import Tasks
from tests.tasks.reporting import Program

SECONDS = [f"2026-01-02T03:04:{n:02}.000000Z" for n in range(60)]
# What a server adds that differs from run to run.
OF_THE_RUN = {"timestamp", "updated_at", "task_id", "stream", "sequence", "execution_time_ms", "finished_at"}


class WithoutHistory(Lookups):
    """The second way of sending would know the runs of the first one."""

    def forecast(self, *of: Any) -> Forecast:
        return Forecast()


NAME = st.sampled_from(["read", "write"])
ONE = st.one_of(
    st.builds(line, st.sampled_from(["a", "b\n", "\u2028"]), level=st.sampled_from(["INFO", "warn"])),
    st.builds(
        phase,
        NAME,
        st.sampled_from(["active", "in_progress", "completed"]),
        processed_count=st.integers(0, 4),
        total_count=st.just(4),
    ),
    st.builds(lambda percent: STARTED | {"progress": percent}, st.integers(0, 100)),
)
COMPLETE = st.builds(lambda name: [phase(name), {"type": "phase_complete", "phase_id": name}], NAME)
MIDDLE = st.one_of(st.builds(lambda event: [event], ONE), COMPLETE)
ENDS = st.sampled_from([status("RETRY", retry_in=1), status("SUCCESS"), status("FAILURE")])
ATTEMPT = st.tuples(
    st.lists(MIDDLE, max_size=6).map(lambda each: [e for events in each for e in events]), ENDS
)
TASK = st.lists(ATTEMPT, min_size=1, max_size=3)

Said = tuple[int, str, dict[str, Any]]  # which task, its attempt, what is said


def said(n: int, attempts: Sequence[tuple[list[dict[str, Any]], dict[str, Any]]]) -> list[Said]:
    found: list[Said] = []
    for number, (middle, end) in enumerate(attempts):
        last = end if number == len(attempts) - 1 or end["status"] == "RETRY" else status("RETRY")
        found += [(n, f"{number}", event) for event in (STARTED, *middle, last)]
    return [
        (n, name, event | {"timestamp": at}) for (n, name, event), at in zip(found, SECONDS, strict=False)
    ]


def streams(tasks: Tasks, program: Program, events: Sequence[Said], cuts: Sequence[int]) -> list[Any]:
    """Sends the events, a new batch after each of the cuts; returns what each task's stream holds then."""
    ids = [str(uuid.uuid4()) for _ in range(2)]
    for begin, end in zip((0, *cuts), (*cuts, len(events)), strict=True):
        parts: list[dict[str, Any]] = []
        for n, name, event in events[begin:end]:
            if parts and (parts[-1]["task_id"], parts[-1].get("attempt")) == (ids[n], name):
                parts[-1]["events"].append(event)
            else:
                parts.append(part(ids[n], event, attempt=name, job_type="shop.mail"))
        for first in range(0, max(1, len(parts)), 50):
            assert program.send(*parts[first : first + 50])["refused"] == []
    return [
        [
            {name: value for name, value in event.items() if name not in OF_THE_RUN}
            for event in tasks.events(id)
        ]
        for id in ids
    ]


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(st.data(), TASK, TASK)
def test_random_splits_give_the_same_streams(tasks: Tasks, data: st.DataObject, one: Any, two: Any) -> None:
    program = Program(tasks)
    program.lookups = WithoutHistory(0)
    events, other = said(0, one), said(1, two)
    places = sorted(
        data.draw(st.lists(st.integers(0, len(events)), min_size=len(other), max_size=len(other)))
    )
    for shift, (place, event) in enumerate(zip(places, other, strict=True)):
        events.insert(place + shift, event)
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(events) - 1)), max_size=8)))

    whole, split = streams(tasks, program, events, []), streams(tasks, program, events, cuts)

    assert split == whole
    assert (
        sql(
            tasks.database,
            "SELECT 1 FROM leases JOIN tasks ON tasks.id = task_id WHERE status NOT IN ('STARTED', 'RETRY')",
        )
        == []
    )


def test_a_task_in_one_part_and_in_many_is_the_same_state(tasks: Tasks) -> None:
    program = Program(tasks)
    events = [
        STARTED,
        phase("read", total_count=2),
        line("x"),
        phase("read", "in_progress", processed_count=2),
    ]
    whole, pieces = new_task(*events), new_task(events[0])

    program.send(whole)
    program.send(pieces)
    for event in events[1:]:
        program.send(part(pieces["task_id"], event))

    def shape(task_id: str) -> Any:
        state = tasks.state(task_id)
        times = ("started_at", "attempt_started_at", "updated_at", "created_at", "task_id", "half_seconds")
        task = {name: value for name, value in state["task"].items() if name not in times}
        return (
            task,
            [{n: v for n, v in p.items() if n not in times} for p in state["phases"]],
            state["sequence"],
        )

    assert shape(whole["task_id"]) == shape(pieces["task_id"])
