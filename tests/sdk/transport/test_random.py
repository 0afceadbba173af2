"""Random sequences of lines, faults, waits and ends of processes: each line is stored once, in its order."""

from __future__ import annotations

import random

import pytest

from tests.sdk.transport import server as faults
from tests.sdk.transport.conftest import MakeReporter
from tests.sdk.transport.server import Fault, Server

FAULTS: list[Fault] = [
    faults.status(500),
    faults.status(503, Retry_After="3"),
    faults.status(401),
    faults.cut,
    faults.gone,
    faults.stored_and_gone,
    faults.garbage,
    faults.page,
]


@pytest.mark.parametrize("seed", range(30))
def test_each_line_once_and_in_order(make_reporter: MakeReporter, server: Server, seed: int) -> None:
    chance = random.Random(seed)
    limits = {"batch_events": chance.choice([1, 3, 50]), "memory_events": chance.choice([3, 10_000])}
    server.most_bytes = chance.choice([1_500, 2_000_000])
    reporter, said = make_reporter(**limits), 0
    reporter.begin("t")

    for _ in range(60):
        what = chance.randrange(10)
        if what < 4:
            for _ in range(chance.choice([1, 2, 30])):
                reporter.log("t", f"line {said}")
                said += 1
        elif what < 6:
            server.script.append(chance.choice(FAULTS))
        elif what < 8:
            reporter.after(chance.choice([0.1, 1, 30, 90]))
        elif what == 8:
            reporter.client.spool_now()
        else:  # the process ends, perhaps in the midst of an unclear answer, and another goes on
            reporter.client.spool_now()
            reporter.client._outbox.leave_file()
            reporter = make_reporter(**limits)
            reporter.begin("t")
    server.script.clear()
    reporter.all()
    reporter.all()

    assert server.messages("t") == [f"line {n}" for n in range(said)]
