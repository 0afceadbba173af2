"""The turn of the loop that goes on, and who begins something in it."""

from __future__ import annotations

import math
import time

# A request, once read, begins in a turn of the loop that is not older; the others wait for the next turns.
BEGIN_SECONDS = 0.02
# A turn may be old whenever it is looked at: the machine was busy with something else. Nobody waits for a young one for
# longer than so many turns.
TURNS = 8


class LoopTurn:
    """There is one at a time in a process. Where turns are not watched it is always young."""

    began = math.inf  # by the monotonic clock
    waiting = 0

    @classmethod
    def begin(cls) -> None:
        cls.began = time.monotonic()

    @classmethod
    def forget(cls) -> None:
        """Turns are not watched any more."""
        cls.began = math.inf

    @classmethod
    def give_way(cls) -> None:
        """Returns in a turn that is young, if one comes soon, in the order in which it was called: of many who come to
        here in one turn, or of one who always finds the next thing to do, some go on in the next turns. To be called
        in a greenlet."""
        if not cls.waiting and cls._is_young():
            return
        cls.waiting += 1
        try:
            for _ in range(TURNS):
                time.sleep(0)
                if cls._is_young():
                    break
        finally:
            cls.waiting -= 1

    @classmethod
    def _is_young(cls) -> bool:
        return time.monotonic() - cls.began < BEGIN_SECONDS
