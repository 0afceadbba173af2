"""Progress and remaining time of a parent, from its steps.

When a parent begins, the usual durations of its steps' job types make its plan. What a step says of itself while it
runs is the estimate of its phase there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from psycopg2.extensions import cursor as Cursor

from app.db.clock import seconds_between
from app.jobs import ORCHESTRATE
from app.tasks.fold import State
from app.tasks.history import earlier_runs
from app.tasks.plan import RUNS_OVER_DECLARED, Declared, Plan, usual_from
from app.tasks.progress_estimate import MOST_SPREAD
from app.tasks.steps import STEP_TOTAL, phase_of

PARALLEL = "parallel"
MOST_TYPES = 20  # job types of steps whose earlier runs are read: more would delay the claim

Params = Mapping[str, Any]


def plan_of_steps(cur: Cursor, task_id: str, params: Params, declared: Declared) -> Plan | None:
    """Returns the plan of a parent: a phase for each step, with the median duration of its job type. None unless each
    of them is known from enough earlier runs that took about as long as each other."""
    steps: Sequence[Params] = params.get("steps") or ()
    types = _types_of(steps)
    if len(types) > MOST_TYPES:
        return None
    usual = dict[str, float]()
    for job_type in sorted(types):
        seconds = _usual_seconds(cur, task_id, job_type, declared)
        if seconds is None:
            return None
        usual[job_type] = seconds
    each = [_seconds(step, usual) for step in steps]
    whole = sum(each)
    if whole <= 0:
        return None
    nothing = {"total": None, "power": 0, "bend": 1, "scales": False}
    return [
        {
            "phase_id": phase_of(number, step["job_type"]),
            "weight": round(seconds / whole, 4),
            "seconds": round(seconds, 3),
            **nothing,
        }
        for number, (step, seconds) in enumerate(zip(steps, each, strict=True), 1)
    ]


def _types_of(steps: Sequence[Params]) -> set[str]:
    """Returns the job types that do the work, also those of steps within steps."""
    found = set[str]()
    for step in steps:
        nested = step["job_type"] == ORCHESTRATE
        found |= _types_of(step["params"]["steps"]) if nested else {step["job_type"]}
    return found


def _usual_seconds(cur: Cursor, task_id: str, job_type: str, declared: Declared) -> float | None:
    usual = usual_from(earlier_runs(cur, job_type, declared(job_type), task_id))
    if usual is None or usual["runs"] < RUNS_OVER_DECLARED:
        return None
    seconds: float = usual["seconds"]
    return seconds if usual["p95_seconds"] <= MOST_SPREAD * seconds else None


def _seconds(step: Params, usual: Mapping[str, float]) -> float:
    if step["job_type"] != ORCHESTRATE:
        return usual[step["job_type"]]
    within = [_seconds(each, usual) for each in step["params"]["steps"]]
    return max(within) if step["params"].get("mode") == PARALLEL else sum(within)


def planned_seconds(parent: State, phase: str) -> float | None:
    """Returns how long a step usually takes; None where that is not known."""
    planned = _by_phase(parent).get(phase)
    return planned["seconds"] if planned else None


def overall_progress(state: State, done: Mapping[str, float]) -> float:
    """Returns the parent's progress, 0 to 100: that of all its steps, also of those not begun, each with its weight in
    the plan, else all alike. ``done`` is the progress of steps that is newer than the state. Only success has 100."""
    fractions = {
        p["phase_id"]: STEP_TOTAL if p["status"] in ("completed", "error") else p["processed_count"]
        for p in state["phases"]
    }
    fractions |= dict(done)
    plan, alike = _by_phase(state), 1 / len(state["task"]["params"]["steps"])
    weights = {phase: plan[phase]["weight"] if phase in plan else alike for phase in fractions}
    total = sum(fractions[phase] * weights[phase] for phase in fractions)
    return max(float(state["task"]["progress"]), min(99.9, round(total, 1)))


def remaining(state: State, at: str, estimates: Mapping[str, float | None]) -> float | None:
    """Returns the seconds until a parent ends, as of ``at``; None where a step is not known, or waits, or will wait for
    an approval. ``estimates`` has what is newer than the state: the seconds that are left of a step, 0 of one that has
    ended."""
    params, known = state["task"]["params"], {phase["phase_id"]: phase for phase in state["phases"]}
    left = list[float]()
    for number, asked in enumerate(params["steps"], 1):
        phase = phase_of(number, asked["job_type"])
        rest = estimates[phase] if phase in estimates else _rest(state, asked, known.get(phase), phase, at)
        if rest is None:
            return None
        left.append(rest)
    whole = max(left) if params.get("mode") == PARALLEL else sum(left)
    if whole <= 0:
        return None
    return float(math.ceil(whole)) if whole >= 10 else round(whole, 1) or None


def _rest(state: State, asked: Params, phase: State | None, name: str, at: str) -> float | None:
    if phase is None:
        return None if asked.get("approval") else planned_seconds(state, name)
    if phase["status"] in ("completed", "error"):
        return 0.0
    if phase["eta_seconds"] is None:
        return None
    rest: float = phase["eta_seconds"] - seconds_between(phase["updated_at"], at)
    return rest if rest > 0 else None


def _by_phase(state: State) -> dict[str, Mapping[str, Any]]:
    return {planned["phase_id"]: planned for planned in state["task"]["plan"] or ()}
