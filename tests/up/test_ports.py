from __future__ import annotations

import random

from app.up.embedded import free_port


def test_processes_that_are_seeded_alike_want_different_ports() -> None:
    wanted = []
    state = random.getstate()
    for _ in range(5):
        random.seed(7)
        wanted.append(free_port())
    random.setstate(state)

    assert len(set(wanted)) > 1
