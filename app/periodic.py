"""A function that is called again and again by a thread of its own, whatever becomes of each call."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from app.errors import causes
from app.errors.survived import survived


class Periodic:
    """Calls ``function`` every ``seconds`` in the thread ``taskroom-<name>`` until ``stop``, then ``at_end``.

    ``seconds`` may be a function, which is asked before each wait. The wait begins when a call has ended; ``steady``
    calls come by the clock, however long each takes. With ``at_once`` the first call does not wait. A call that fails
    is logged by the logger ``taskroom.<name>``: a cause that passes by itself, such as Postgres being away, in one line
    until a call succeeds; anything else each time, with its traceback.
    """

    def __init__(
        self,
        name: str,
        seconds: float | Callable[[], float],
        function: Callable[[], object],
        *,
        at_once: bool = False,
        steady: bool = False,
        at_end: Callable[[], None] = lambda: None,
    ) -> None:
        self.name, self._seconds, self._function = name, seconds, function
        self._at_once, self._steady, self._at_end = at_once, steady, at_end
        self._logger = logging.getLogger(f"taskroom.{name}")
        self._soon = threading.Event()
        self._started = self._failing = self.stopped = False

    def start(self) -> None:
        """Starts the thread; nothing when it was started before."""
        if not self._started:
            self._started = True
            threading.Thread(target=self._run, name=f"taskroom-{self.name}", daemon=True).start()

    def stop(self) -> None:
        """Returns at once; a call that goes on comes to its end."""
        self.stopped = True
        self._soon.set()

    def wake(self) -> None:
        """The next call is due now. Returns at once."""
        self._soon.set()

    def _run(self) -> None:
        wait = 0.0 if self._at_once else self._pause()
        due = time.monotonic() + wait
        while True:
            self._soon.wait(wait)
            self._soon.clear()
            if self.stopped:
                return self._at_end()
            self._call()
            wait, now = self._pause(), time.monotonic()
            if self._steady:
                due = max(due + wait, now)
                wait = due - now

    def _pause(self) -> float:
        return self._seconds() if callable(self._seconds) else self._seconds

    def _call(self) -> None:
        try:
            self._function()
            self._failing = False
        except Exception as error:  # whatever it is, the next call must come
            temporary = causes.of(error).is_temporary
            what = "cannot do its work for now" if temporary else "failed"
            if not (temporary and self._failing):
                survived(self._logger, error, "taskroom-%s %s", self.name, what)
            self._failing = self._failing or temporary
