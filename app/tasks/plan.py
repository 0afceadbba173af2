"""The plan of a run: its expected phases, the share of the whole run that each takes, and their usual durations.

A plan is made when the run begins and does not change until its end, so that progress never goes back. How it is learnt
from earlier runs, and how well it does: docs/eta.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, quantiles
from typing import Any

from app.tasks.history import EarlierRun, Span

RUNS_OVER_DECLARED = 3  # earlier runs whose shares count more than the weights that a job declares
POWERS = (0, 1, 2)  # of the total, with which the duration of a phase may grow
CLEARLY = (
    0.6  # by this factor durations lie closer together where a rule is believed that is not the ordinary one
)
MOST_BENT = 4.0
NEXT_TO_NOTHING = 1e-9

Phases = Mapping[str, float | None]
Declared = Callable[[str], Phases]
"""Returns the phases that a job type declares, each with its weight; None where the job declares only names."""

Plan = list[dict[str, Any]]
"""[{phase_id, weight, seconds, total, power, bend, scales}] in the order of the phases. ``weight`` is the share of the
run; all shares sum up to 1. ``seconds`` is the usual duration, None when no earlier run has it: with ``total`` items,
and with n items it is ``seconds * (n / total) ** power``. Before n is known, it grows with the size of the run if
``scales``. When a share of the items is done, ``share ** bend`` of the time has passed."""

Usual = dict[str, Any]
"""{runs, seconds, p95_seconds, outside_seconds, retry_seconds}: how long so many earlier runs took as a whole, the
median and the 95th percentile; the median of their time outside of all phases; and for each attempt the median of the
time from its begin to that of the last attempt."""


def nothing_declared(job_type: str) -> Phases:
    return {}


def plan_from(phases: Phases, runs: Sequence[EarlierRun]) -> Plan | None:
    """Makes a plan of the declared phases and of earlier runs; None when neither says how long a phase takes."""
    runs = [run for run in runs if run.spans]
    learnt = _learnt(runs)
    given = {name: weight for name, weight in phases.items() if weight is not None}
    if sum(given.values()) > 0 and (len(runs) < RUNS_OVER_DECLARED or not learnt.keys() & given.keys()):
        return _shares([_entry(name, weight, learnt.get(name)) for name, weight in given.items()])
    names = [*phases] or [*learnt]
    nothing = {"weight": 0.0, "seconds": 0.0, "total": None, "power": 0, "bend": 1, "scales": False}
    return _shares([{"phase_id": name, **learnt.get(name, nothing)} for name in names])


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run is expected to do when it begins."""

    plan: Plan | None = None
    usual: Usual | None = None


def forecast(phases: Phases, runs: Sequence[EarlierRun]) -> Forecast:
    return Forecast(plan_from(phases, runs), usual_from(runs))


def usual_from(runs: Sequence[EarlierRun]) -> Usual | None:
    """Returns how long earlier runs took; None without one."""
    if not runs:
        return None
    seconds = [run.seconds for run in runs]
    of_phases = [run.outside for run in runs if run.spans]
    return {
        "runs": len(runs),
        "seconds": round(median(seconds), 3),
        "p95_seconds": round(
            quantiles(seconds, n=20, method="inclusive")[-1] if len(runs) > 1 else seconds[0], 3
        ),
        "outside_seconds": round(median(of_phases or [run.seconds - run.lost for run in runs]), 3),
        "retry_seconds": _retry_seconds(runs),
    }


def _retry_seconds(runs: Sequence[EarlierRun]) -> list[float]:
    """Counts only the runs that had the attempt: who is in the second one knows that the first has failed."""
    found = list[float]()
    for attempt in range(1 + max(run.retries for run in runs)):
        after = [run for run in runs if run.retries >= attempt]
        lost = [run.lost * (run.retries - attempt) / run.retries if run.retries else 0.0 for run in after]
        found.append(round(median(lost), 3))
    while found and not found[-1]:
        found.pop()
    return found


def _entry(name: str, weight: float, learnt: Mapping[str, Any] | None) -> dict[str, Any]:
    nothing = {"seconds": None, "total": None, "power": 0, "bend": 1, "scales": False}
    return {"phase_id": name, **(learnt or nothing), "weight": weight}


def _shares(entries: Plan) -> Plan | None:
    whole = sum(entry["weight"] for entry in entries)
    if whole <= 0:
        return None
    for entry in entries:
        entry["weight"] = round(entry["weight"] / whole, 4)
        entry["seconds"] = None if entry["seconds"] is None else round(entry["seconds"], 3)
    return entries


def _learnt(runs: Sequence[EarlierRun]) -> dict[str, dict[str, Any]]:
    """Returns what is learnt of each phase that most of the runs had, in their usual order. Shares are computed for
    each run, so a run over ten times as much data counts the same."""
    spans, shares = dict[str, dict[int, Span]](), dict[str, list[float]]()
    for n, run in enumerate(runs):
        whole = sum(span.seconds for span in run.spans)
        for span in run.spans:
            spans.setdefault(span.phase_id, {})[n] = span
            shares.setdefault(span.phase_id, []).append(span.seconds / whole)
    usual = [name for name in spans if 2 * len(spans[name]) > len(runs)]
    usual.sort(key=lambda name: median(span.position for span in spans[name].values()))
    learnt = dict[str, dict[str, Any]]()
    for name in usual:
        seen = spans[name]
        sizes = {n: size_of(learnt, {p: spans[p][n] for p in learnt if n in spans[p]}) for n in seen}
        learnt[name] = {"weight": median(shares[name]), **_duration(seen, sizes)}
    return learnt


def _duration(seen: Mapping[int, Span], sizes: Mapping[int, float]) -> dict[str, Any]:
    """Returns how long a phase takes, by its total and by the size of the run, whichever says it better."""
    seconds = {n: max(span.seconds, 0.0) for n, span in seen.items()}
    totals = {n: span.total for n, span in seen.items() if span.total}
    counts = 2 * len(totals) > len(seen)
    plain, sized = spread(seconds.values()), spread(seconds[n] / sizes[n] for n in seen)
    # What a phase counts is taken to grow with the run, another phase not to, unless its runs clearly say otherwise.
    scales = not plain < CLEARLY * sized if counts else sized < CLEARLY * plain
    usual = median(seconds[n] / sizes[n] if scales else seconds[n] for n in seen)
    if not counts:
        return {"seconds": usual, "total": None, "power": 0, "bend": 1, "scales": scales}
    # A phase that counts is expected by its total as soon as that is known.
    total, bend = median(totals.values()), _bend(seen.values())
    at_total = {
        power: [seconds[n] * (total / items) ** power for n, items in totals.items()]
        for power in (*POWERS, bend)
    }
    linear = spread(at_total[1])
    power: float = min(POWERS, key=lambda power: spread(at_total[power]))
    if not spread(at_total[power]) < CLEARLY * linear:
        power = bend if spread(at_total[bend]) < linear else 1
    return {
        "seconds": median(at_total[power]),
        "total": total,
        "power": power,
        "bend": bend,
        "scales": scales,
    }


def _bend(seen: Iterable[Span]) -> float:
    """Returns with which power of the share of its items that are done the time of a phase passes: 1 when all take as
    long, more when later ones take longer."""
    halves = [span.half / span.seconds for span in seen if span.half and span.seconds > span.half]
    if not halves:
        return 1.0
    return round(min(MOST_BENT, max(1 / MOST_BENT, math.log(median(halves)) / math.log(0.5))), 2)


def size_of(plan: Mapping[str, Mapping[str, Any]], begun: Mapping[str, Span]) -> float:
    """Returns how large a run is compared with the usual one, by the totals of its phases, and the durations of those
    that count nothing. ``begun`` has an endless span where the duration is not known yet. 1 when nothing is known."""
    whole = known = 0.0
    for name, span in begun.items():
        usual = plan.get(name)
        if not usual or not usual["seconds"]:
            continue
        total = usual.get("total")  # not in plans of older runs
        if total and span.total:
            ratio = span.total / total
        elif total or not math.isfinite(span.seconds):
            continue
        else:
            ratio = span.seconds / usual["seconds"]
        whole, known = whole + usual["seconds"] * ratio, known + usual["seconds"]
    return whole / known if whole > 0 else 1.0


def spread(values: Iterable[float]) -> float:
    """Returns how far values are apart, as the mean distance of their logarithms from the median."""
    logs = [math.log(max(value, NEXT_TO_NOTHING)) for value in values]
    middle = median(logs)
    return fmean(abs(value - middle) for value in logs)
