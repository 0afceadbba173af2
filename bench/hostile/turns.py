"""The long turns of a web process's event loop, from its metrics."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx
from prometheus_client.parser import text_string_to_metric_families

OVER, LONGEST = "taskroom_loop_turns_over_50ms", "taskroom_loop_turn_longest_seconds"


@dataclass(slots=True)
class Turns:
    """Turns of the loop over 50 ms, by the code that ran: their number, and the seconds of the longest."""

    over: dict[tuple[str, str], float] = field(default_factory=dict)
    longest: dict[tuple[str, str], float] = field(default_factory=dict)

    @classmethod
    def of(cls, url: str) -> Turns:
        """Asks the web process for its metrics."""
        turns = cls()
        for family in text_string_to_metric_families(httpx.get(f"{url}/metrics", timeout=60).text):
            for sample in family.samples:
                if sample.name == f"{OVER}_total":
                    turns.over[sample.labels["what"], sample.labels["how"]] = sample.value
                elif sample.name == LONGEST:
                    turns.longest[sample.labels["what"], sample.labels["how"]] = sample.value
        return turns

    def since(self, before: Turns) -> Turns:
        """Returns the turns since ``before``. Only the longest of each name is known, so it stands for them all."""
        over = {of: count - before.over.get(of, 0) for of, count in self.over.items()}
        over = {of: count for of, count in over.items() if count}
        return Turns(over, {of: self.longest[of] for of in over})

    def those(self, how: str) -> Turns:
        over = {of: count for of, count in self.over.items() if of[1] == how}
        return Turns(over, {of: self.longest[of] for of in over})

    @property
    def worst(self) -> float:
        """Milliseconds; 0 without a turn."""
        return max(self.longest.values(), default=0.0) * 1e3

    def __str__(self) -> str:
        return ", ".join(
            f"{self.longest[of] * 1e3:.0f} ms {of[0]} ({count:.0f} times)"
            for of, count in sorted(self.over.items(), key=lambda each: -self.longest[each[0]])
        )
