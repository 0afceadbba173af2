"""Each part killed and stopped once while everybody watches: the table of docs/reliability.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.faults import MATRIX, Fault
from tests.faults.network import bad_network
from tests.faults.run import TRANSPORTS, Outcome, running
from tests.faults.system import Taskroom
from tests.faults.viewers import Sockets

EVENTS, RATE, VIEWERS = 5_000, 500.0, 20
STRIKE_AT = 0.3  # of the events


@dataclass(frozen=True, slots=True)
class Row:
    what: str
    outcome: Outcome


def tried(
    taskroom: Taskroom,
    host: Sockets,
    fault: Fault,
    *,
    events: int = EVENTS,
    rate: float = RATE,
    viewers: int = VIEWERS,
) -> Row:
    """One run with one fault in its middle, for it is held until that is done; afterwards the system is whole again,
    and nothing else has died."""
    before = len(taskroom.deaths())
    with running(taskroom, host, events=events, rate=rate, viewers=viewers, held=True) as run:
        run.wait_seen(int(events * STRIKE_AT))
        fault.strike(taskroom, run.task_id)
        run.let_go()
        outcome = run.finish(fault.endings)
    taskroom.wait_whole()
    deaths = taskroom.deaths()[before:]
    if deaths != fault.deaths:
        outcome.faults.append(f"what died was {deaths}, not {fault.deaths}")
    return Row(str(fault), outcome)


def tried_network(
    taskroom: Taskroom,
    host: Sockets,
    *,
    events: int = EVENTS,
    rate: float = RATE,
    viewers: int = VIEWERS,
    seed: int = 0,
) -> Row:
    """One run in which every viewer's network slices, delays and resets all the time; it is held until somebody has
    come back."""
    with bad_network(taskroom.port, seed) as network:
        watched = running(
            taskroom, host, events=events, rate=rate, viewers=viewers, urls=[network.url], held=True
        )
        with watched as run:
            run.wait_returned()
            run.let_go()
            outcome = run.finish()
        if not network.resets:
            outcome.faults.append("the bad network cut nothing")
    return Row("viewers' network cut", outcome)


def matrix(taskroom: Taskroom, host: Sockets, told: Callable[[Row], None], seed: int = 0) -> list[Row]:
    """``told`` hears of each row as it is done."""
    rows = []
    for fault in MATRIX:
        rows.append(tried(taskroom, host, fault))
        told(rows[-1])
    rows.append(tried_network(taskroom, host, seed=seed))
    told(rows[-1])
    return rows


def table(rows: list[Row]) -> str:
    """Markdown, a line a transport and row."""
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
