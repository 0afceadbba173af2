"""The current turn (iteration) of the event loop, and how long requests may start in it."""

from __future__ import annotations

import math
import time

# A request starts in an iteration of the loop that has run for no longer than this, else it waits for the next.
BEGIN_SECONDS = 0.02
# On a busy machine every turn may be old when it is looked at. So a request that has waited for this many turns starts
# in an old turn. Only so many of them start in one turn: else hundreds that came at once would make it a long one.
TURNS = 8
LATE_IN_A_TURN = 16


class LoopTurn:
    """The current turn of this process. Without a watchdog it is always young."""

    began = math.inf  # by the monotonic clock
    waiting = 0
    late = 0  # requests that started in this turn although it was old

    @classmethod
    def begin(cls) -> None:
        cls.began = time.monotonic()
        cls.late = 0

    @classmethod
    def forget(cls) -> None:
        """Called when turns are not watched any more."""
        cls.began = math.inf

    @classmethod
    def give_way(cls) -> None:
        """Waits for a young turn, if one comes soon. Callers continue in the order of their calls. Many calls in
        one turn, or one caller with endless work, are spread over several turns. Called in a greenlet."""
        if not cls.waiting and cls._is_young():
            return
        cls.waiting += 1
        try:
            turns = 0
            while True:
                time.sleep(0)
                turns += 1
                if cls._is_young():
                    return
                if turns >= TURNS and cls.late < LATE_IN_A_TURN:
                    cls.late += 1
                    return
        finally:
            cls.waiting -= 1

    @classmethod
    def _is_young(cls) -> bool:
        return time.monotonic() - cls.began < BEGIN_SECONDS
