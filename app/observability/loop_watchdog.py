"""Turns of the loop that take too long, and what ran in them.

A turn is what the loop does between two waits for sockets and timers: nobody else is served meanwhile. The loop itself
measures each, with two looks at a clock; a thread of the system's own looks at what runs, for no greenlet can while a
turn goes on. A busy loop leaves the alarm of that thread on, an idle one sets it for each turn alone, so that nothing
wakes it. A loop that waits takes no turn, however long that is.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from app import green
from app.observability.alarm import Alarm

LIMIT_SECONDS = 0.05
# So often a turn is looked at that is half as old or older: at least once, whenever it began, before the limit.
LOOK_SECONDS = 0.03
QUIET_SECONDS = 0.01  # after such a wait there may be another: the alarm is not left on
NAMES = 50  # that are told apart; later ones are OTHER
OTHER, UNSEEN, COLLECTING = "other", "unseen", "garbage collection"
SAY_SECONDS = 60.0
ROOT = str(Path(__file__).resolve().parents[2]) + "/"
LIBRARIES = ("/site-packages/", "/dist-packages/")

logger = logging.getLogger("taskroom.loop")


class Watchdog:
    """``over`` counts turns over the limit and ``longest`` has the seconds of the longest, both by what ran most of the
    turn, as ``module:function``, and by how: ``computed`` for longer than the limit itself, or ``waited``, because
    something blocks or because the machine had no core free.

    ``collected`` tells the seconds of garbage collections so far, ``cpu`` those that the loop's thread has computed.
    """

    def __init__(
        self,
        collected: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
        cpu: Callable[[], float] = time.thread_time,
        alarm: Alarm | None = None,
    ) -> None:
        self.over: Counter[tuple[str, str]] = Counter()
        self.longest: dict[tuple[str, str], float] = {}
        self._names: set[str] = set()
        self._collected, self._clock, self._cpu = collected, clock, cpu
        self._alarm = alarm or Alarm(LOOK_SECONDS, self.look)
        self._began = 0.0  # 0: the loop waits
        self._waits_since = 0.0
        self._quiet = True
        self._computed = self._garbage = 0.0  # when the turn before had ended
        self._loop = green.real_threading().get_ident()
        self._seen: tuple[float, dict[str, float]] = (0.0, {})  # the beginning of a turn, and seconds by name
        self._worst: tuple[float, str, str] | None = None  # since something was last said
        self._unwatch: Callable[[], None] = lambda: None
        self._stopped = threading.Event()

    def start(self) -> None:
        """To be called in the loop's thread, which is the main thread."""
        self._loop = green.real_threading().get_ident()
        self._alarm.start()
        self._unwatch = green.watch_turns(self.ended, self.began)
        threading.Thread(target=self._tell, name="taskroom-watchdog-log", daemon=True).start()

    def stop(self) -> None:
        self._unwatch()
        self._alarm.stop()
        self._stopped.set()

    def began(self) -> None:
        """The loop has waited, and now does what is due."""
        self._began = now = self._clock()
        self._quiet = now - self._waits_since > QUIET_SECONDS
        if not self._alarm.is_set:
            self._alarm.set()

    def ended(self) -> None:
        """All that was due is done."""
        began, self._began = self._began, 0.0
        self._waits_since = now = self._clock()
        if self._quiet and self._alarm.is_set:
            self._alarm.clear()
        computed, garbage = self._computed, self._garbage
        self._computed, self._garbage = self._cpu(), self._collected()
        if not began or (took := now - began) <= LIMIT_SECONDS:
            return
        turn, seen = self._seen
        what = max(seen, key=lambda name: seen[name]) if turn == began else UNSEEN
        if self._garbage - garbage > took / 2:
            what = COLLECTING
        if what not in self._names and len(self._names) >= NAMES:
            what = OTHER
        self._names.add(what)
        how = "computed" if self._computed - computed > LIMIT_SECONDS else "waited"
        self.over[what, how] += 1
        self.longest[what, how] = max(took, self.longest.get((what, how), 0.0))
        if self._worst is None or took > self._worst[0]:
            self._worst = took, what, how

    def look(self) -> None:
        """Notes what runs, where a turn has gone on for a while."""
        began = self._began
        if not began:
            self._alarm.clear()
            if self._began:  # by now
                self._alarm.set()
            return
        age = self._clock() - began
        if age < LOOK_SECONDS / 2:
            return
        frame = sys._current_frames().get(self._loop)
        what = UNSEEN if frame is None else what_runs(frame)
        del frame  # else it keeps alive what its function holds
        if self._began == began:  # else it may be of the next turn
            turn, seen = self._seen
            if turn != began:
                seen = {}
            self._seen = began, seen | {what: seen.get(what, 0.0) + age - sum(seen.values())}

    def say(self) -> None:
        """A line about the worst since the last one, if there was any."""
        if self._worst is None:
            return
        took, what, how = self._worst
        self._worst = None
        logger.warning(
            "a turn of the loop took %.0f ms, most of it in %s (%s); so far over %.0f ms: %d",
            *(took * 1e3, what, how, LIMIT_SECONDS * 1e3, self.over.total()),
        )

    def _tell(self) -> None:
        """In a greenlet: the log's locks are green."""
        pause = 1.0
        while not self._stopped.wait(pause):
            pause = SAY_SECONDS if self._worst else 1.0
            self.say()


def what_runs(frame: FrameType) -> str:
    """The innermost function of the project's own code, as ``module:function``; where there is none, the innermost."""
    each: FrameType | None = frame
    while each is not None:
        path = each.f_code.co_filename
        if path.startswith(ROOT) and not any(folder in path for folder in LIBRARIES):
            return _name(each)
        each = each.f_back
    return _name(frame)


def _name(frame: FrameType) -> str:
    return f"{frame.f_globals.get('__name__', '?')}:{frame.f_code.co_qualname}"
