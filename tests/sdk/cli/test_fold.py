"""What a command shows of a run is the protocol's fold of its events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from taskroom.cli.fold import State

FOLDER = Path(__file__).parents[2] / "vectors"
VECTORS = [v for name in ("fold.json", "recorded.json") for v in json.loads((FOLDER / name).read_text())]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_vector(vector: dict[str, Any]) -> None:
    fields = dict.fromkeys(vector["snapshot"]["task"])
    state = State({"task": fields, "phases": [], "sequence": 0})

    for event in vector["events"]:
        state.apply(event["type"], event)

    assert state.task == vector["snapshot"]["task"]
    assert list(state.phases.values()) == vector["snapshot"]["phases"]
    assert state.sequence == vector["snapshot"]["sequence"]
