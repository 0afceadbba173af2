"""What many batches ask again: what is expected of job types, and whether a user's daily budget is used up."""

from __future__ import annotations

import time
from collections.abc import Callable

from cachetools import TTLCache
from psycopg2.extensions import cursor as Cursor

from app.errors import TooMany
from app.tasks.budget import check
from app.tasks.history import own_earlier_runs
from app.tasks.plan import Forecast, forecast

FORECAST_SECONDS, BUDGET_SECONDS = 2.0, 5.0
KEPT = 10_000


class Lookups:
    """Kept for some seconds in a process. ``daily_bytes`` is the budget, 0 for none."""

    def __init__(self, daily_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._daily_bytes = daily_bytes
        self._forecasts: TTLCache[tuple[str, str, str | None], Forecast] = TTLCache(
            KEPT, FORECAST_SECONDS, clock
        )
        self._budgets: TTLCache[str, str | None] = TTLCache(KEPT, BUDGET_SECONDS, clock)

    def forecast(self, cur: Cursor, job_type: str, user_id: str, tenant: str | None) -> Forecast:
        """Returns what is expected of a run that begins now, from earlier runs."""
        key = job_type, user_id, tenant
        try:
            return self._forecasts[key]
        except KeyError:
            found = forecast({}, own_earlier_runs(cur, job_type, user_id, tenant))
            self._forecasts[key] = found
            return found

    def over_budget(self, cur: Cursor, user_id: str) -> str | None:
        """Returns why no new task of the user is taken now; None when one is."""
        try:
            return self._budgets[user_id]
        except KeyError:
            found = None
        try:
            check(cur, user_id, self._daily_bytes)
        except TooMany as error:
            found = error.detail
        self._budgets[user_id] = found
        return found
