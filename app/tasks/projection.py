"""The rows of tasks and phases: loaded as the fold's state, changed only in the transaction of an event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json

from app.db.clock import TIME_TEXT
from app.stream.background import with_pauses
from app.stream.event import Draft, Event, is_task
from app.tasks.fold import NEW_PHASE, PENDING, RETRY, STARTED, TASK_FIELDS, TERMINAL, WAITING, State, fold
from app.tasks.outputs import output_change
from app.tasks.sections import SECTION_FIELDS
from app.tasks.user_events import OWNER_EVENT_TYPES, owner_events

RESEND_SECONDS = 30  # a hint that no worker claimed is sent again after this, then with back-off
# A retry that is due within this gets its message at once, with a countdown. A worker would hold a later message in
# memory, and the broker would deliver it again every hour; a round sends that one when the task is due.
SOON_SECONDS = 60
FOLDED_IN_A_TURN = 100  # events; then other threads run

Change = tuple[str, tuple[Any, ...]]  # a statement and its values

_TIMES = frozenset(
    {"created_at", "started_at", "updated_at", "finished_at", "attempt_started_at", "ended_at"}
)
_JSON = frozenset({"params", "result", "error", "plan", "usual"})
_COLUMNS = {"task_id": "id"}
# ``attempt`` is a column of streams, where it fences; ``is_running`` follows from ``status``.
_TASK_ROW = tuple(name for name in TASK_FIELDS if name not in ("attempt", "is_running"))
_PHASE_ROW = ("phase_id", *NEW_PHASE)


def _select(table: str, names: Sequence[str], **instead: str) -> str:
    """Selects columns in the format of events: times as RFC 3339 text with microseconds. ``instead`` has an expression
    for a column that is selected otherwise."""
    columns = []
    for name in names:
        column = instead.get(name, f"{table}.{_COLUMNS.get(name, name)}")
        if name in _TIMES:
            column = TIME_TEXT.format(column)
        elif name.endswith("_id") or name in ("retry_of", "again_of"):
            column = f"{column}::text"
        columns.append(f"{column} AS {name}")
    return ", ".join(columns)


TASK_COLUMNS = _select("tasks", _TASK_ROW)
# Lists leave out fields that may be large; snapshots have them.
_LIST_ROW = tuple(name for name in _TASK_ROW if name not in ("params", "result", "plan", "usual"))
LIST_COLUMNS = tuple(_COLUMNS.get(name, name) for name in _LIST_ROW)
# Read in one statement, which is consistent by itself, without a transaction.
STATE_COLUMNS = f"""streams.last_seq,
    (SELECT json_agg(phase) FROM (SELECT {_select("phases", _PHASE_ROW)} FROM phases
        WHERE task_id = tasks.id ORDER BY position) AS phase),
    (SELECT json_agg(section) FROM (SELECT {_select("log_sections", SECTION_FIELDS)} FROM log_sections
        WHERE task_id = tasks.id ORDER BY position) AS section),
    streams.attempt, {TASK_COLUMNS}"""


def listed_columns(**instead: str) -> str:
    """Selects the columns of ``row_of`` from ``tasks``, and an expression ``instead`` of some."""
    return _select("tasks", _LIST_ROW, **instead)


def row_of(attempt: int, row: Sequence[Any]) -> State:
    """Returns a task as lists have it, from a row of LIST_COLUMNS or ``listed_columns``."""
    return _task(_LIST_ROW, attempt, row)


def _task(names: Sequence[str], attempt: int, row: Sequence[Any]) -> State:
    task = dict(zip(names, row, strict=True))
    return task | {"attempt": attempt, "is_running": task["status"] == STARTED}


def load(cur: Cursor, streams: Sequence[str]) -> dict[str, State]:
    """Returns the states of these task streams, each with its last sequence."""
    cur.execute(
        f"""SELECT streams.name, {STATE_COLUMNS} FROM tasks JOIN streams ON streams.id = tasks.stream_id
            WHERE streams.name = ANY(%s)""",
        (list(streams),),
    )
    return {name: state_of(*row) for name, *row in cur.fetchall()}


def state_of(
    last_seq: int, phases: list[State] | None, sections: list[State] | None, attempt: int, *row: Any
) -> State:
    """Returns the fold's state from a row of STATE_COLUMNS."""
    task = _task(_TASK_ROW, attempt, row)
    return {"task": task, "phases": phases or [], "sections": sections or [], "sequence": last_seq}


Changed = list[tuple[State, Mapping[str, Any]]]
"""Tasks with a status event in the batch, in their state after it, each with the event's fields."""


def project(cur: Cursor, events: Sequence[tuple[Event, Draft]]) -> tuple[list[Draft], Changed]:
    """Folds a batch into the rows: one update for each task and phase, however many events change it. Returns the
    events for the owners of the tasks, and the tasks whose status changed."""
    events = [pair for pair in events if is_task(pair[0].stream)]  # the other streams are shared
    relevant = {e.stream for e, draft in events if draft.data is not None or e.type in OWNER_EVENT_TYPES}
    if not relevant:
        return [], []
    states = load(cur, list(relevant))
    before = dict(states)
    for_owners: list[Draft] = []
    tenants: dict[str, str | None] = {}
    for event, draft in with_pauses(events, FOLDED_IN_A_TURN):
        state = states.get(event.stream)
        if state is None:
            continue
        after, data = state, draft.data
        if data is not None:
            states[event.stream] = after = fold(state, event.type, {**data, "sequence": event.sequence})
        if event.type in OWNER_EVENT_TYPES:
            fields = event.decoded() if data is None else data
            tenant = partial(_tenant, cur, event.stream, before, tenants)
            for_owners += owner_events(state, after, event, fields, tenant)
    changed: Changed = []
    changes = [change for stream, state in states.items() for change in _row_changes(before[stream], state)]
    for event, draft in events:
        if draft.data is None or event.stream not in states:
            continue
        task = states[event.stream]["task"]
        task_id = task["task_id"]
        if event.type == "task_status":
            changes += (_observed_changes if task["observed"] else _queue_changes)(task_id, draft.data)
            changed.append((task, draft.data))
        elif event.type.startswith("approval_"):
            changes += _approval_changes(task_id, event.type, draft.data)
        elif event.type == "output":
            changes.append(output_change(task_id, draft, event.sequence))
    if changes:
        statements = [cur.mogrify(sql, values) for sql, values in with_pauses(changes, FOLDED_IN_A_TURN)]
        cur.execute(b";".join(statements))  # one round trip
    return for_owners, changed


def _tenant(cur: Cursor, stream: str, streams: Iterable[str], known: dict[str, str | None]) -> str | None:
    """Returns the tenant of the stream's task. The first call reads those of all streams of the batch."""
    if not known:
        cur.execute(
            "SELECT name, tenant FROM tasks JOIN streams ON streams.id = tasks.stream_id WHERE name = ANY(%s)",
            (list(streams),),
        )
        known |= dict(cur.fetchall())
    return known[stream]


def _row_changes(before: State, state: State) -> Iterator[Change]:
    task, old = state["task"], before["task"]
    known = {p["phase_id"]: p for p in before["phases"]}
    columns = ", ".join(_PHASE_ROW)
    updates = ", ".join(f"{name} = EXCLUDED.{name}" for name in _PHASE_ROW[1:])
    for position, phase in enumerate(state["phases"]):
        if known.get(phase["phase_id"]) != phase:
            yield (
                f"""INSERT INTO phases (task_id, position, {columns}) VALUES %s
                    ON CONFLICT (task_id, phase_id) DO UPDATE SET {updates}""",
                ((task["task_id"], position, *(phase[n] for n in _PHASE_ROW)),),
            )
    # After its phases: the trigger of the end of a task sums them up.
    changed = [name for name in _TASK_ROW if task[name] != old[name]]
    if changed:
        sets = ", ".join(f"{_COLUMNS.get(name, name)} = %s" for name in changed)
        yield f"UPDATE tasks SET {sets} WHERE id = %s", (*(_value(task, n) for n in changed), task["task_id"])
    known_sections: Sequence[State] = before["sections"]
    changed_sections = () if state["sections"] is known_sections else state["sections"]
    for position, section in enumerate(changed_sections):
        if position >= len(known_sections) or known_sections[position] != section:
            yield (
                f"""INSERT INTO log_sections (task_id, position, {", ".join(SECTION_FIELDS)}) VALUES %s
                    ON CONFLICT (task_id, position) DO UPDATE SET
                    last_sequence = EXCLUDED.last_sequence, ended_at = EXCLUDED.ended_at""",
                ((task["task_id"], position, *(section[n] for n in SECTION_FIELDS)),),
            )


def _value(task: Mapping[str, Any], name: str) -> Any:
    value = task[name]
    return Json(value) if name in _JSON and value is not None else value


def _queue_changes(task_id: str, event: Mapping[str, Any]) -> Iterator[Change]:
    """Returns the changes of the queue and the leases that the event's status requires."""
    status = event.get("status")
    if status in (PENDING, RETRY):
        due_in = event.get("retry_in_seconds") or 0
        yield "DELETE FROM leases WHERE task_id = %s", (task_id,)
        yield (
            """INSERT INTO dispatches (task_id, number, due_at, next_send_at)
               SELECT tasks.id, streams.attempt + 1, due.at, due.at + make_interval(secs => %s)
               FROM tasks JOIN streams ON streams.id = tasks.stream_id,
                    (SELECT now() + make_interval(secs => %s) AS at) AS due
               WHERE tasks.id = %s""",
            (RESEND_SECONDS if due_in <= SOON_SECONDS else 0, due_in, task_id),
        )
    elif status == STARTED and event.get("attempt"):
        yield "DELETE FROM dispatches WHERE task_id = %s", (task_id,)
        yield "INSERT INTO leases (task_id, attempt) VALUES (%s, %s)", (task_id, event["attempt"])
    elif status == WAITING:
        yield "DELETE FROM dispatches WHERE task_id = %s", (task_id,)
        # A task that was cancelled meanwhile keeps its lease: if its worker dies now, the lease expires and ends it.
        yield (
            """DELETE FROM leases WHERE task_id = %s AND NOT (SELECT cancel_requested FROM streams JOIN tasks
                   ON tasks.stream_id = streams.id WHERE tasks.id = %s)""",
            (task_id, task_id),
        )
    elif status in TERMINAL:
        yield "DELETE FROM dispatches WHERE task_id = %s", (task_id,)
        yield "DELETE FROM leases WHERE task_id = %s", (task_id,)


def _observed_changes(task_id: str, event: Mapping[str, Any]) -> Iterator[Change]:
    """An observed task is in no queue of ours, and its reporter's batches make its leases."""
    if event.get("status") != STARTED:
        yield "DELETE FROM leases WHERE task_id = %s", (task_id,)


def _approval_changes(task_id: str, type: str, event: Mapping[str, Any]) -> Iterator[Change]:
    if type == "approval_needed":
        # Drops the request of an attempt that died after it asked and before it waited.
        yield (
            "DELETE FROM approvals WHERE task_id = %s AND decided_at IS NULL AND key <> %s",
            (task_id, event["key"]),
        )
        yield (
            """INSERT INTO approvals (task_id, key, title, risk_level, estimated_cost, asked_at)
               VALUES (%s, %s, %s, %s, %s, %s)
               ON CONFLICT (task_id, key) DO UPDATE SET asked_at = EXCLUDED.asked_at, title = EXCLUDED.title,
                   risk_level = EXCLUDED.risk_level, estimated_cost = EXCLUDED.estimated_cost""",
            (task_id, *(event[n] for n in ("key", "title", "risk_level", "estimated_cost", "timestamp"))),
        )
    elif type == "approval_decided":
        yield (
            "UPDATE approvals SET decided_at = %s, approved = %s, decided_by = %s WHERE task_id = %s AND key = %s",
            (event["timestamp"], event["approved"], event["by"], task_id, event["key"]),
        )
