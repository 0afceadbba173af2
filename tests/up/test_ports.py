from __future__ import annotations

import random

import pytest

from app.up.embedded import free_port, port_range
from app.up.errors import UpError


def test_processes_with_the_same_random_seed_choose_different_ports() -> None:
    chosen = []
    state = random.getstate()
    for _ in range(5):
        random.seed(7)
        chosen.append(free_port())
    random.setstate(state)

    assert len(set(chosen)) > 1


def test_a_port_is_assigned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    only = free_port()
    monkeypatch.setenv("EMBEDDED_PORTS", f"{only}-{only}")

    with pytest.raises(UpError, match=f"no free port from {only} to {only}"):
        free_port()


@pytest.mark.parametrize("text", ["20000", "20000-", "x-y", "30000-20000", "80-90", "60000-70000"])
def test_an_invalid_range_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBEDDED_PORTS", text)

    with pytest.raises(UpError, match="EMBEDDED_PORTS is"):
        port_range()
