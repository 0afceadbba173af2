"""The fold: the shared vectors, purity, and rows in Postgres that equal the fold of the same events."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.projections import project
from app.stream.event import draft, now, task_stream
from app.stream.store import append
from app.tasks.endings import WORKER_LOST
from app.tasks.fold import NEW_PHASE, PHASE_STATUSES, STATUSES, TASK_FIELDS, empty, fold, open_phases
from tests.tasks.helpers import Tasks, folded

FOLDER = Path(__file__).parents[1] / "vectors"
VECTORS = json.loads((FOLDER / "fold.json").read_text())
RECORDED = json.loads((FOLDER / "recorded.json").read_text())  # by tests/vectors/record.py


@pytest.mark.parametrize("vector", VECTORS + RECORDED, ids=lambda vector: vector["name"])
def test_a_vector(vector: dict[str, Any]):
    assert folded(vector["events"]) == vector["snapshot"]


def test_the_vectors_name_every_field_and_every_status():
    assert all(set(v["snapshot"]["task"]) == set(TASK_FIELDS) for v in VECTORS)
    phases = [p for v in VECTORS for p in v["snapshot"]["phases"]]
    assert all(set(p) == {"phase_id", *NEW_PHASE} for p in phases)
    assert {p["status"] for p in phases} == set(PHASE_STATUSES)
    assert {v["snapshot"]["task"]["status"] for v in VECTORS} == {None, *STATUSES}


def test_open_phases_are_those_that_have_not_ended():
    phases = [{"phase_id": status, "status": status} for status in PHASE_STATUSES]

    assert open_phases({"phases": phases}) == ["active", "in_progress"]


def half_seconds(*reports: tuple[float, int, int | None], status: str = "in_progress") -> float | None:
    """Returns when a phase was half done, by its reports: seconds since its begin, items and total."""
    state = empty()
    for sequence, (at, done, total) in enumerate(reports):
        counts = {"processed_count": done, "total_count": total, "status": status if sequence else "active"}
        event = {"phase_id": "read", "timestamp": f"2026-01-02T03:04:{at:09.6f}Z", "sequence": sequence}
        state = fold(state, "phase_update", event | counts)
    half: float | None = state["phases"][0]["half_seconds"]
    return half


def test_when_a_phase_was_half_done_is_read_between_two_reports_and_kept():
    assert half_seconds((0, 0, 10), (4, 4, 10)) is None
    assert half_seconds((0, 0, 10), (4, 4, 10), (6, 8, 10)) == 4.5
    assert half_seconds((0, 0, 10), (4, 4, 10), (6.0019, 8, 10), (9, 10, 10)) == 4.5
    assert half_seconds((0, 0, 10), (6, 8, 10), (7, 8, 100)) is None, "the total has grown"
    assert half_seconds((0, 0, None), (6, 8, None), (7, 9, 10)) is None, "it was half done before"
    assert half_seconds((0, 0, 10), (6, 10, 10), status="completed") is None


PHASE = st.sampled_from(["read", "sort", "write a\u2028b"])
COUNT = st.none() | st.integers(0, 1000)
NUMBER = st.none() | st.integers(0, 100) | st.floats(0, 100)
UPDATE = st.fixed_dictionaries(
    {"phase_id": PHASE, "status": st.sampled_from(PHASE_STATUSES)},
    optional={
        "message": st.none() | st.text(st.characters(codec="utf-8"), max_size=8),
        "processed_count": COUNT,
        "total_count": COUNT,
        "error_count": COUNT,
        "eta_seconds": NUMBER,
        "progress": NUMBER,
    },
)
COMPLETE = st.fixed_dictionaries(
    {"phase_id": PHASE},
    optional={"processed_count": COUNT, "total_count": COUNT, "duration_seconds": NUMBER, "progress": NUMBER},
)
STATUS = st.fixed_dictionaries(
    {"status": st.just("STARTED")},
    optional={
        "current_phase": st.none() | PHASE,
        "current_phase_message": st.none() | st.text(st.characters(codec="utf-8"), max_size=8),
        "progress": st.floats(0, 100),
        "eta_seconds": NUMBER,
    },
)
LOG = st.fixed_dictionaries(
    {"level": st.just("INFO"), "message": st.just("status: FAILURE"), "progress": NUMBER}
)
EVENT = st.one_of(
    st.tuples(st.just("phase_update"), UPDATE),
    st.tuples(st.just("phase_complete"), COMPLETE),
    st.tuples(st.just("task_status"), STATUS),
    st.tuples(st.just("log"), LOG),
    st.tuples(st.just("artifact_progress"), UPDATE),
)


@settings(
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.lists(EVENT, max_size=12))
def test_the_fold_changes_neither_state_nor_event(events: list[tuple[str, dict[str, Any]]]):
    state = empty()
    for sequence, (type, fields) in enumerate(events, 1):
        event = {"timestamp": now(), "sequence": sequence, **fields}
        before, given_event = copy.deepcopy(state), copy.deepcopy(event)

        after = fold(state, type, event)

        assert state == before and event == given_event
        assert after["sequence"] == sequence
        assert fold(state, type, event) == after
        state = after


@pytest.mark.slow
@settings(
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=20,
    suppress_health_check=list(
        HealthCheck
    ),  # a fixture of all examples, and a machine that is slow to make them
)
@given(
    batches=st.lists(st.lists(EVENT, min_size=1, max_size=6), max_size=4),
    retried=st.booleans(),
    status=st.sampled_from(["SUCCESS", "FAILURE", "REVOKED", None]),
)
def test_rows_equal_the_fold_of_the_events(
    tasks: Tasks, batches: list[list[tuple[str, dict[str, Any]]]], retried: bool, status: str | None
):
    """However the events were cut into batches, over a retry, and up to the end."""
    task_id = tasks.started()
    stream = task_stream(task_id)

    def same() -> None:
        assert tasks.state(task_id) == folded(tasks.events(task_id))

    same()
    for number, batch in enumerate(batches):
        if retried and number == 1:
            tasks.end(task_id, "RETRY", retry_in=3, retry_count=1, error=WORKER_LOST)
            same()
            assert tasks.claim(task_id, 2)
        at = now()
        given_batch = [
            draft(
                stream,
                type,
                {"timestamp": at, **fields, **({"updated_at": at} if type == "task_status" else {})},
            )
            for type, fields in batch
        ]
        assert not tasks.append(given_batch).refused
        same()
    if status:
        attempt = tasks.state(task_id)["task"]["attempt"]
        tasks.end(
            task_id, status, attempt, phases=open_phases(tasks.state(task_id)), result={"a": [None, 1.5]}
        )
    same()


def test_a_batch_touches_each_row_once(tasks: Tasks):
    task_id = tasks.started()
    stream = task_stream(task_id)
    updates = [
        draft(
            stream,
            "phase_update",
            {"timestamp": now(), "phase_id": "a", "status": "in_progress", "processed_count": n},
        )
        for n in range(1, 101)
    ]
    counts = """SELECT relname, n_tup_ins + n_tup_upd FROM pg_stat_xact_user_tables
        WHERE relname IN ('tasks', 'phases', 'streams')"""
    with tasks.connect() as connection, connection.cursor() as cur:
        cur.execute(counts)
        before = dict(cur.fetchall())
        append(cur, updates, project)
        cur.execute(counts)
        touched = {table: count - before[table] for table, count in cur.fetchall()}

    assert touched == {"tasks": 1, "phases": 1, "streams": 1}
    assert tasks.state(task_id)["phases"][0]["processed_count"] == 100
