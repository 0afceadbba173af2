"""Kills and stops each part once while viewers watch: the table of docs/reliability.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.faults import MATRIX, Fault
from tests.faults.network import bad_network
from tests.faults.run import TRANSPORTS, Outcome, running
from tests.faults.system import Taskroom
from tests.faults.viewers import Sockets

EVENTS, RATE, VIEWERS = 5_000, 500.0, 20
INJECT_AT = 0.3  # share of the events


@dataclass(frozen=True, slots=True)
class Row:
    what: str
    outcome: Outcome


def run_with_fault(
    taskroom: Taskroom,
    host: Sockets,
    fault: Fault,
    *,
    events: int = EVENTS,
    rate: float = RATE,
    viewers: int = VIEWERS,
) -> Row:
    """One run with one fault in its middle: the task waits for the end of the fault. Afterwards all parts must run
    again, and no other process may have exited."""
    before = len(taskroom.exits())
    with running(taskroom, host, events=events, rate=rate, viewers=viewers, held=True) as run:
        run.wait_seen(int(events * INJECT_AT))
        fault.inject(taskroom, run.task_id)
        run.let_go()
        outcome = run.finish(fault.endings)
    taskroom.wait_whole()
    exits = taskroom.exits()[before:]
    if exits != fault.exits:
        outcome.faults.append(f"these processes exited: {exits}, not {fault.exits}")
    return Row(str(fault), outcome)


def run_with_bad_network(
    taskroom: Taskroom,
    host: Sockets,
    *,
    events: int = EVENTS,
    rate: float = RATE,
    viewers: int = VIEWERS,
    seed: int = 0,
) -> Row:
    """One run in which every viewer's network slices, delays and resets. The task waits until a viewer has
    reconnected."""
    with bad_network(taskroom.port, seed) as network:
        watched = running(
            taskroom, host, events=events, rate=rate, viewers=viewers, urls=[network.url], held=True
        )
        with watched as run:
            run.wait_returned()
            run.let_go()
            outcome = run.finish()
        if not network.resets:
            outcome.faults.append("the bad network reset no connection")
    return Row("viewers' network cut", outcome)


def matrix(taskroom: Taskroom, host: Sockets, on_row: Callable[[Row], None], seed: int = 0) -> list[Row]:
    """Runs all faults; calls ``on_row`` with each finished row."""
    rows = []
    for fault in MATRIX:
        rows.append(run_with_fault(taskroom, host, fault))
        on_row(rows[-1])
    rows.append(run_with_bad_network(taskroom, host, seed=seed))
    on_row(rows[-1])
    return rows


def table(rows: list[Row]) -> str:
    """Returns a Markdown table with a line for each row and transport."""
    lines = [
        "| fault | task's end | events | transport | viewers | came back "
        "| lost | repeated | out of order | wrong end |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        for name in TRANSPORTS:
            verdict, outcome = row.outcome.verdicts[name], row.outcome
            cells = [row.what, outcome.ending, f"{outcome.events:,}", name, verdict.viewers]
            cells += [outcome.returns[name], verdict.lost, verdict.repeated]
            cells += [verdict.disordered + verdict.different, verdict.endings]
            lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(lines)
