"""The plan of a run: its expected phases, the share of the whole run that each takes, and their usual durations.

A plan is made when the run begins and does not change until its end, so that progress never goes back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from statistics import median
from typing import Any

from psycopg2.extensions import cursor as Cursor

RUNS = 20  # earlier runs whose medians are taken
SCANNED_RUNS = 200  # the newest runs of a type, of which the usable ones are taken
MAX_PHASES = 100  # of a usable run: more would delay the claim
UNCOVERED_SECONDS = 1.0  # that a usable run may spend outside of all phases, whatever they took

Phases = Mapping[str, float | None]
Declared = Callable[[str], Phases]
"""Returns the phases that a job type declares, each with its weight; None where the job declares only names."""

Plan = list[dict[str, Any]]
"""[{phase_id, weight, seconds}] in the order of the phases. ``weight`` is the share of the run; all shares sum up to 1.
``seconds`` is the median duration, None when no earlier run has it."""


@dataclass(frozen=True, slots=True)
class Span:
    """The begin and end of a phase in an earlier run, in seconds of any clock; ``position`` counts the run's phases."""

    phase_id: str
    position: int
    begin: float
    end: float


Spans = list[Span]
"""The phases of one run."""


def nothing_declared(job_type: str) -> Phases:
    return {}


def plan_of(cur: Cursor, task_id: str, job_type: str, phases: Phases) -> Plan | None:
    """Makes a plan from the weights that the job declares, else from earlier runs of its type; None without either.

    Durations of declared phases come from the runs of all users. Undeclared phase names could reveal what a run was
    about, so they come only from runs that the task's owner may see: its own, and those of its tenant, which an account
    of the role ``worker`` may not read (``READ_TENANT`` of ``app/auth/principal.py``).
    """
    return _plan(
        cur, "SELECT user_id, tenant FROM tasks WHERE id = %(task_id)s", job_type, phases, task_id=task_id
    )


def learnt_plan(cur: Cursor, job_type: str, user_id: str, tenant: str | None) -> Plan | None:
    """Makes the plan of an undeclared type as ``plan_of`` does, for tasks of this user and tenant."""
    mine = "SELECT %(user_id)s::uuid AS user_id, %(tenant)s::text AS tenant"
    return _plan(cur, mine, job_type, {}, user_id=user_id, tenant=tenant)


def _plan(cur: Cursor, mine: str, job_type: str, phases: Phases, **whose: Any) -> Plan | None:
    cur.execute(
        f"""WITH newest AS (
               SELECT id, user_id, tenant, started_at, finished_at, retry_count FROM tasks
               WHERE job_type = %(job_type)s AND status = 'SUCCESS' ORDER BY finished_at DESC LIMIT %(looked_at)s),
           runs AS (
               SELECT newest.* FROM newest CROSS JOIN ({mine}) AS mine
               WHERE newest.retry_count = 0
                   AND (%(declared)s OR newest.user_id = mine.user_id OR (newest.tenant = mine.tenant
                       AND (SELECT role FROM users WHERE id = mine.user_id) <> 'worker'))
               ORDER BY newest.finished_at DESC LIMIT %(runs)s)
           SELECT runs.id, phases.phase_id, phases.position,
               extract(epoch FROM phases.started_at)::float8, extract(epoch FROM phases.updated_at)::float8,
               phases.duration_seconds, extract(epoch FROM runs.finished_at - greatest(runs.started_at,
                   (SELECT max(decided_at) FROM approvals WHERE task_id = runs.id)))::float8
           FROM runs JOIN phases ON phases.task_id = runs.id
           WHERE (NOT %(declared)s OR phases.phase_id = ANY(%(names)s))
               AND NOT EXISTS (
                   SELECT FROM phases AS many WHERE many.task_id = runs.id AND many.position >= %(most)s)
           ORDER BY runs.id""",
        whose
        | {
            "job_type": job_type,
            "names": list(phases),
            "declared": bool(phases),
            "looked_at": SCANNED_RUNS,
            "runs": RUNS,
            "most": MAX_PHASES,
        },
    )
    runs = [_spans(list(rows)) for _, rows in groupby(cur.fetchall(), key=itemgetter(0))]
    return plan_from(phases, [run for run in runs if run])


def plan_from(phases: Phases, runs: Iterable[Spans]) -> Plan | None:
    """Makes a plan as ``plan_of`` does, from these earlier runs."""
    learnt = _medians([top for run in runs if (top := _outermost(run)) and _seconds(top) > 0])
    given = {name: weight for name, weight in phases.items() if weight is not None}
    if sum(given.values()) > 0:
        return _shares(
            [(name, weight, learnt[name][1] if name in learnt else None) for name, weight in given.items()]
        )
    names = [*phases] or [*learnt]
    return _shares([(name, *learnt.get(name, (0.0, 0.0))) for name in names])


def _shares(rows: list[tuple[str, float, float | None]]) -> Plan | None:
    whole = sum(weight for _, weight, _ in rows)
    if whole <= 0:
        return None
    return [
        {
            "phase_id": name,
            "weight": round(weight / whole, 4),
            "seconds": None if seconds is None else round(seconds, 3),
        }
        for name, weight, seconds in rows
    ]


def _medians(runs: list[Spans]) -> dict[str, tuple[float, float]]:
    """Returns the median share and the median seconds of each phase that most of the runs had, in their usual order.
    Shares are computed for each run, so a run over ten times as much data counts the same."""
    shares, seconds, positions = dict[str, list[float]](), dict[str, list[float]](), dict[str, list[int]]()
    for run in runs:
        whole = _seconds(run)
        for span in run:
            took = span.end - span.begin
            shares.setdefault(span.phase_id, []).append(took / whole)
            seconds.setdefault(span.phase_id, []).append(took)
            positions.setdefault(span.phase_id, []).append(span.position)
    usual = [name for name in shares if 2 * len(shares[name]) > len(runs)]
    usual.sort(key=lambda name: median(positions[name]))
    return {name: (median(shares[name]), median(seconds[name])) for name in usual}


def _seconds(run: Spans) -> float:
    return sum(span.end - span.begin for span in run)


def _outermost(run: Spans) -> Spans:
    """Leaves out phases that ran within another phase, whose time has theirs."""
    found = Spans()
    for span in sorted(run, key=lambda span: (span.begin, -span.end)):
        if not found or span.begin >= found[-1].end or span.end > found[-1].end:
            found.append(span)
    return found


def _spans(rows: list[tuple[Any, ...]]) -> Spans:
    """Returns the phases of a run from its rows; [] when most of the run's time lies outside of them. The row of a
    phase that began several times has only the last time, so its share would be far too small."""
    run, took = Spans(), rows[0][6]
    for _, name, position, begin, end, duration, _ in rows:
        if begin is None and duration is not None:
            begin = end - duration
        if begin is not None and 0 <= end - begin < float("inf"):
            run.append(Span(name, position, begin, end))
    known = _seconds(_outermost(run))
    return [] if took is None or took - known > known + UNCOVERED_SECONDS else run
