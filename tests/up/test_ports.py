from __future__ import annotations

import random

import pytest

from app.up.embedded import free_port, ports
from app.up.errors import UpError


def test_processes_that_are_seeded_alike_want_different_ports() -> None:
    wanted = []
    state = random.getstate()
    for _ in range(5):
        random.seed(7)
        wanted.append(free_port())
    random.setstate(state)

    assert len(set(wanted)) > 1


def test_a_port_is_given_once(monkeypatch: pytest.MonkeyPatch) -> None:
    few = free_port()
    monkeypatch.setenv("EMBEDDED_PORTS", f"{few}-{few}")

    with pytest.raises(UpError, match=f"no free port from {few} to {few}"):
        free_port()


@pytest.mark.parametrize("text", ["20000", "20000-", "x-y", "30000-20000", "80-90", "60000-70000"])
def test_a_range_that_is_none_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBEDDED_PORTS", text)

    with pytest.raises(UpError, match="EMBEDDED_PORTS is"):
        ports()
