"""The measured figures by server, with their targets. Stored as JSON, so that scenarios can run one by one."""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
OURS = "Taskroom"
LIMIT = "limit (C, only sends)"


@dataclass(slots=True)
class Figure:
    """One line of the table. ``values`` by server, in ``unit``; ``target`` is the limit for Taskroom.

    ``doubts`` by server are reasons why the load client may have limited a value, or faults of the run.
    """

    scenario: str
    name: str
    unit: str
    values: dict[str, float] = field(default_factory=dict)
    target: float | None = None
    at_least: bool = False
    doubts: dict[str, str] = field(default_factory=dict)
    at: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the target is met; None without a target or a value."""
        ours = self.values.get(OURS)
        if self.target is None or ours is None:
            return None
        return ours >= self.target if self.at_least else ours <= self.target

    @property
    def best_peer(self) -> str | None:
        """The server with the best value, among those that delivered everything if there are any."""
        peers = [name for name in self.values if name not in (OURS, LIMIT)]
        sound = [name for name in peers if "delivered" not in self.doubts.get(name, "")] or peers
        return (max if self.at_least else min)(sound, key=lambda name: self.values[name], default=None)


def median(runs: list[list[Figure]]) -> list[Figure]:
    """Merges several runs of a scenario: the median of each value and target, and all doubts."""
    merged = []
    for same in zip(*runs, strict=True):
        figure = same[-1]
        names = dict.fromkeys(name for one in same for name in one.values)
        figure.values = {
            name: statistics.median(one.values[name] for one in same if name in one.values) for name in names
        }
        if figure.target is not None:  # in some scenarios it is a multiple of a measured value
            figure.target = statistics.median(one.target for one in same if one.target is not None)
        figure.doubts = {name: text for one in same for name, text in one.doubts.items()}
        merged.append(figure)
    return merged


@dataclass(slots=True)
class Results:
    """All figures, and the unavailable peers with the reasons."""

    figures: list[Figure] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls) -> Results:
        path = RESULTS / "figures.json"
        if not path.exists():
            return cls()
        known = json.loads(path.read_text())
        return cls([Figure(**one) for one in known["figures"]], known["absent"])

    def replace(self, fresh: list[Figure], order: list[str], absent: dict[str, str]) -> None:
        """Replaces the older figures of the same scenarios."""
        again = {figure.scenario for figure in fresh}
        kept = [f for f in self.figures if f.scenario not in again and f.scenario in order]
        self.figures = sorted([*kept, *fresh], key=lambda figure: order.index(figure.scenario))
        there = {name for figure in self.figures for name in figure.values}
        self.absent = {name: why for name, why in (self.absent | absent).items() if name not in there}

    def write(self) -> None:
        RESULTS.mkdir(exist_ok=True)
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False)
        (RESULTS / "figures.json").write_text(text + "\n")
