"""Measures turns of the event loop that take too long, and names the code that ran in them.

A turn is the work of the loop between two waits for sockets and timers; other greenlets wait meanwhile. The loop
measures each turn with two clock readings. An operating-system thread samples the stack, because no greenlet can run
during a turn. A busy loop leaves the alarm of that thread set; an idle loop sets it for each turn only, so that nothing
wakes the process. The time that the loop waits is no turn.
"""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from app import green
from app.observability.alarm import Alarm
from app.periodic import Periodic

LIMIT_SECONDS = 0.05
# The interval of the samples. A turn is sampled from half this age on, so at least once before the limit.
SAMPLE_SECONDS = 0.03
IDLE_SECONDS = 0.01  # after so long a wait the loop counts as idle, and the alarm is not left set
NAMES = 50  # distinct names; further ones are counted as OTHER
OTHER, UNSEEN, COLLECTING = "other", "unseen", "garbage collection"
LOG_SECONDS = 60.0
ROOT = str(Path(__file__).resolve().parents[2]) + "/"
LIBRARIES = ("/site-packages/", "/dist-packages/")

logger = logging.getLogger("taskroom.loop")


class Watchdog:
    """``over`` counts turns over the limit, ``longest`` has the seconds of the longest turn. Both have two keys: the
    code that ran for most of the turn, as ``module:function``, and ``computed`` or ``waited``. ``computed`` means more
    CPU time than the limit; ``waited`` means that something blocked or that no core was free.

    ``collected`` returns the seconds of garbage collections so far, ``cpu`` the CPU seconds of the loop's thread.
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
        self._alarm = alarm or Alarm(SAMPLE_SECONDS, self.sample)
        self._began = 0.0  # 0 while the loop waits
        self._waits_since = 0.0
        self._idle = True
        self._computed = self._garbage = 0.0  # at the end of the turn before
        self._loop = green.real_threading().get_ident()
        self._seen: tuple[float, dict[str, float]] = (0.0, {})  # the start of a turn, and its seconds by name
        self._worst: tuple[float, str, str] | None = None  # since the last log line
        self._unwatch: Callable[[], None] = lambda: None
        self._logged = False
        # In a greenlet: the locks of logging are green.
        self._log = Periodic("watchdog-log", lambda: LOG_SECONDS if self._logged else 1.0, self.log_longest)

    def start(self) -> None:
        """Call this in the loop's thread, which is the main thread."""
        self._loop = green.real_threading().get_ident()
        self._alarm.start()
        self._unwatch = green.watch_turns(self.ended, self.began)
        self._log.start()

    def stop(self) -> None:
        self._unwatch()
        self._alarm.stop()
        self._log.stop()

    def began(self) -> None:
        """The loop calls this after a wait, at the start of a turn."""
        self._began = now = self._clock()
        self._idle = now - self._waits_since > IDLE_SECONDS
        if not self._alarm.is_set:
            self._alarm.set()

    def ended(self) -> None:
        """The loop calls this at the end of a turn, before it waits."""
        began, self._began = self._began, 0.0
        self._waits_since = now = self._clock()
        if self._idle and self._alarm.is_set:
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

    def sample(self) -> None:
        """Samples the running code of a turn that has lasted for a while. The alarm's thread calls this."""
        began = self._began
        if not began:
            self._alarm.clear()
            if self._began:  # a turn has begun meanwhile
                self._alarm.set()
            return
        age = self._clock() - began
        if age < SAMPLE_SECONDS / 2:
            return
        frame = sys._current_frames().get(self._loop)
        what = UNSEEN if frame is None else what_runs(frame)
        del frame  # a reference would keep the frame's variables alive
        if self._began == began:  # else the sample may be of the next turn
            turn, seen = self._seen
            if turn != began:
                seen = {}
            self._seen = began, seen | {what: seen.get(what, 0.0) + age - sum(seen.values())}

    def log_longest(self) -> None:
        """Logs a line about the longest turn since the last line, if there was one over the limit."""
        self._logged = self._worst is not None
        if self._worst is None:
            return
        took, what, how = self._worst
        self._worst = None
        logger.warning(
            "a turn of the loop took %.0f ms, most of it in %s (%s); so far over %.0f ms: %d",
            *(took * 1e3, what, how, LIMIT_SECONDS * 1e3, self.over.total()),
        )


def what_runs(frame: FrameType) -> str:
    """Returns the innermost function of the project's own code as ``module:function``, or the innermost of all."""
    each: FrameType | None = frame
    while each is not None:
        path = each.f_code.co_filename
        if path.startswith(ROOT) and not any(folder in path for folder in LIBRARIES):
            return _name(each)
        each = each.f_back
    return _name(frame)


def _name(frame: FrameType) -> str:
    return f"{frame.f_globals.get('__name__', '?')}:{frame.f_code.co_qualname}"
