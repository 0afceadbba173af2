"""The earlier runs of a job type: what the plan of a new run is learnt from."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

from psycopg2.extensions import cursor as Cursor

RUNS = 20  # the newest runs that count
MAX_PHASES = 100  # of a run whose phases count: more would delay the claim
UNCOVERED_SECONDS = 1.0  # that a run whose phases count may spend outside of all phases, whatever they took

_COLUMNS = "id, tenant, started_at, finished_at, retry_count, attempt_started_at"
# Each arm is a range of an index; the second finds a user's own runs.
_NEWEST = """WITH mine AS (
        SELECT ids.user_id, ids.tenant, coalesce(role <> 'worker', false) AS reads_tenant
        FROM ({mine}) AS ids LEFT JOIN users ON users.id = ids.user_id),
    newest AS (
        (SELECT {columns} FROM tasks WHERE job_type = %(job_type)s AND status = 'SUCCESS'
            AND coalesce(tenant, '') = (SELECT coalesce(tenant, '') FROM mine)
            AND (%(declared)s OR (SELECT tenant IS NOT NULL AND reads_tenant FROM mine))
            ORDER BY finished_at DESC LIMIT %(runs)s)
        UNION ALL
        (SELECT {columns} FROM tasks WHERE job_type = %(job_type)s AND status = 'SUCCESS'
            AND user_id = (SELECT user_id FROM mine) ORDER BY finished_at DESC LIMIT %(runs)s)),
    runs AS (
        SELECT DISTINCT ON (finished_at, id) {columns} FROM newest
        WHERE tenant IS NOT DISTINCT FROM (SELECT tenant FROM mine)
        ORDER BY finished_at DESC, id LIMIT %(runs)s)
    SELECT runs.id, extract(epoch FROM started_at)::float8, extract(epoch FROM finished_at)::float8, retry_count,
        extract(epoch FROM attempt_started_at)::float8,
        (SELECT extract(epoch FROM max(decided_at))::float8 FROM approvals WHERE task_id = runs.id),
        phase.*
    FROM runs LEFT JOIN LATERAL (
        SELECT phase_id, position, extract(epoch FROM started_at)::float8, extract(epoch FROM updated_at)::float8,
            duration_seconds, total_count, half_seconds FROM phases
        WHERE task_id = runs.id AND (NOT %(declared)s OR phase_id = ANY(%(names)s)) AND NOT EXISTS (
            SELECT FROM phases AS many WHERE many.task_id = runs.id AND many.position >= %(most)s)) AS phase ON true
    ORDER BY runs.id"""


@dataclass(frozen=True, slots=True)
class Span:
    """The begin and end of a phase, in seconds of any clock; ``position`` counts the run's phases. ``half``: after how
    many seconds half of its ``total`` items were done."""

    phase_id: str
    position: int
    begin: float
    end: float
    total: float | None = None
    half: float | None = None

    @property
    def seconds(self) -> float:
        return self.end - self.begin


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """A run that succeeded. ``spans`` are the phases of its last attempt, none within another; [] when most of the
    attempt lies outside of them. ``seconds``: of the whole run, without the time before its last approval.
    ``outside``: seconds of the last attempt in no phase. ``lost``: seconds until the last attempt began."""

    seconds: float
    spans: list[Span] = field(default_factory=list)
    outside: float = 0.0
    retries: int = 0
    lost: float = 0.0


def earlier_runs(cur: Cursor, job_type: str, names: Collection[str], task_id: str) -> list[EarlierRun]:
    """Returns the newest runs of a job type that succeeded, for a run of this task.

    They are those of the task's tenant, or of accounts without a tenant where it has none. Names of phases that nobody
    declared could say what a run was about. So without ``names``, the declared phases, they are only runs that the
    task's owner may see: its own, and those of its tenant, which an account of the role ``worker`` may not read
    (``READ_TENANT`` of ``app/auth/principal.py``).
    """
    mine = "SELECT user_id, tenant FROM tasks WHERE id = %(task_id)s"
    return _read(cur, mine, job_type, names, task_id=task_id)


def own_earlier_runs(cur: Cursor, job_type: str, user_id: str, tenant: str | None) -> list[EarlierRun]:
    """Returns them as ``earlier_runs`` does without names, for tasks of this user and tenant."""
    mine = "SELECT %(user_id)s::uuid AS user_id, %(tenant)s::text AS tenant"
    return _read(cur, mine, job_type, (), user_id=user_id, tenant=tenant)


def _read(cur: Cursor, mine: str, job_type: str, names: Collection[str], **whose: Any) -> list[EarlierRun]:
    values = {"job_type": job_type, "names": list(names), "declared": bool(names)}
    cur.execute(
        _NEWEST.format(mine=mine, columns=_COLUMNS), whose | values | {"runs": RUNS, "most": MAX_PHASES}
    )
    found = (_run(list(rows)) for _, rows in groupby(cur.fetchall(), key=itemgetter(0)))
    return [run for run in found if run]


def _run(rows: list[tuple[Any, ...]]) -> EarlierRun | None:
    """Returns a run from its rows, one for each phase; None when it cannot be measured."""
    _, started, finished, retries, attempt, decided = rows[0][:6]
    if started is None or (retries and attempt is None):  # before attempts had times
        return None
    spans = list[Span]()
    for name, position, begin, end, duration, total, half in (row[6:] for row in rows):
        if begin is None and duration is not None:
            begin = end - duration
        if begin is not None and 0 <= end - begin < float("inf"):
            spans.append(Span(name, position, begin, end, total, half))
    return earlier_run(spans, started, finished, retries, attempt, decided)


def earlier_run(
    spans: list[Span],
    started: float,
    finished: float,
    retries: int = 0,
    attempt: float | None = None,
    decided: float | None = None,
) -> EarlierRun | None:
    """Returns a run from its phases and times in seconds. ``attempt``: when its last attempt began; ``decided``: when
    its last approval was given, which began an attempt too. None for impossible times."""
    lost = attempt - started if retries and attempt is not None and decided is None else 0.0
    began = max(started, decided or started, attempt if retries and attempt is not None else started)
    if not began <= finished:
        return None
    # What an earlier attempt left behind has ended before this one.
    top = _outermost([span for span in spans if not retries or span.end > began])
    inside = sum(span.seconds for span in top)
    outside = max(0.0, finished - began - inside)
    # The row of a phase that began several times has only the last time, so its share would be far too small.
    if inside <= 0 or outside > inside + UNCOVERED_SECONDS:
        top = []
    return EarlierRun(finished - max(started, decided or started), top, outside, retries, lost)


def _outermost(run: list[Span]) -> list[Span]:
    """Leaves out phases that ran within another phase, whose time has theirs."""
    found = list[Span]()
    for span in sorted(run, key=lambda span: (span.begin, -span.end)):
        if not found or span.begin >= found[-1].end or span.end > found[-1].end:
            found.append(span)
    return found
