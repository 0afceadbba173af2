"""The current turn of the loop, and how long something may begin in it."""

from __future__ import annotations

import math
import time

# A request begins in a turn of the loop that is no older than this; the others wait for the next turns.
BEGIN_SECONDS = 0.02
# On a busy machine a turn may be old whenever it is looked at. So a request that has waited for so many turns begins in
# an old one, and only so many of these in each: else hundreds that came at once would all begin in the same turn.
TURNS = 8
LATE_IN_A_TURN = 16


class LoopTurn:
    """The one turn of the process. Where turns are not watched it is always young."""

    began = math.inf  # by the monotonic clock
    waiting = 0
    late = 0  # requests that began in this turn although it was old

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
        """Waits for a young turn, if one comes soon; callers go on in the order of their calls. Of many calls in one
        turn, or of one caller that always finds more to do, some go on in the next turns. Called in a greenlet."""
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
