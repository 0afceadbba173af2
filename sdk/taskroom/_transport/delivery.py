"""Posts a batch and does what the answer says: it is stored, or sent again, or given up."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from enum import Enum
from typing import Any

from taskroom._transport.answer import Answer, BadAnswer
from taskroom._transport.availability import ADDRESS, KEY, Availability
from taskroom._transport.batches import Batch, BrokenBatch
from taskroom._transport.connection import Meanwhile
from taskroom._transport.notices import Notices
from taskroom._transport.recent import Recent

AGAIN = frozenset((408, 425, 429))  # and all of 500 and more
KEY_REFUSED = "key refused"


class Outcome(Enum):
    """What became of a batch: LATER it must be sent again."""

    STORED = 1
    GIVEN_UP = 2
    LATER = 3


class Delivery:
    """``heard`` gets each answer of a batch that was stored; ``url`` is for warnings. ``renamed`` has the writers of
    which the server does not take the next numbers any more: their batches go each under a writer of its own."""

    def __init__(
        self,
        post: Callable[[bytes, Meanwhile], Answer],
        availability: Availability,
        heard: Callable[[Batch, dict[str, Any]], None],
        notices: Notices,
        url: str,
    ) -> None:
        self.given_up_events = 0
        self.most_bytes: int | None = None  # of JSON, when the server has refused a batch of twice as many
        self._post, self._availability = post, availability
        self._heard, self._notices = heard, notices
        self._name = f"Taskroom at {url}"  # in a log of others, which does not say whose server it is
        self._renamed: Recent[str, bool] = Recent(1_000)

    def is_void(self, writer: str) -> bool:
        """Whether the server takes no further batch of this writer."""
        return self._renamed.get(writer) is not None

    def deliver(self, batch: Batch, meanwhile: Meanwhile) -> Outcome:
        """Posts the batch. Raises nothing but what ``meanwhile`` raises."""
        try:
            return self._deliver(batch.alone() if self.is_void(batch.writer) else batch, meanwhile)
        except BrokenBatch as error:
            return self._give_up(batch, f"it cannot be read: {error}")

    def _deliver(self, batch: Batch, meanwhile: Meanwhile) -> Outcome:
        try:
            answer = self._post(batch.body, meanwhile)
        except (OSError, http.client.HTTPException, ValueError, BadAnswer) as error:
            return self._failed(f"{type(error).__name__}: {error}")
        status, data = answer.status, answer.data
        if status in (200, 202) and isinstance(data.get("tasks"), list):
            self._answered()
            self._heard(batch, data)
            return Outcome.STORED
        if status < 300:  # a page of a portal between, say
            return self._failed(f"status {status} without an answer of Taskroom")
        if status == 409:
            return self._conflict(batch, data, meanwhile)
        if status == 413:
            return self._divided(batch, meanwhile)
        if status in (400, 422):
            return self._invalid(batch, f"status {status}: {_title(data)}")
        if status in AGAIN or status >= 500:
            return self._failed(f"status {status} {_title(data)}", answer.retry_after)
        return self._refused(answer)

    def _conflict(self, batch: Batch, data: dict[str, Any], meanwhile: Meanwhile) -> Outcome:
        next_batch = data.get("next_batch")
        if not isinstance(next_batch, int):
            return self._invalid(batch, f"status 409: {_title(data)}")
        self._answered()
        if next_batch > batch.number:
            return Outcome.STORED  # by an earlier try
        if batch.number == 1:  # every writer may begin
            return self._invalid(batch, f"status 409: {_title(data)}")
        # The server has forgotten the writer, or lost its newest batches: it certainly does not have this one.
        self._renamed.put(batch.writer, True)
        return self._deliver(batch.alone(), meanwhile)

    def _divided(self, batch: Batch, meanwhile: Meanwhile) -> Outcome:
        self._answered()
        self.most_bytes = min(batch.size // 2, self.most_bytes or batch.size)
        parts = batch.halves()
        if not parts:
            return self._invalid(batch, "it is too large for the server")
        # The number is not used up, so the server will not take the next one of this writer.
        self._renamed.put(batch.writer, True)
        outcome = Outcome.STORED
        for part in parts:
            became = self._deliver(part, meanwhile)
            if became is Outcome.LATER:
                return became  # all of it: a part that is stored will be known by its writer
            if became is Outcome.GIVEN_UP:
                outcome = became
        return outcome

    def _invalid(self, batch: Batch, why: str) -> Outcome:
        self._answered()
        self._renamed.put(batch.writer, True)
        return self._give_up(batch, why)

    def _give_up(self, batch: Batch, why: str) -> Outcome:
        self.given_up_events += batch.events
        self._notices.warn(f"{batch.events} events are lost: {self._name} refuses their batch, {why}")
        return Outcome.GIVEN_UP

    def _answered(self) -> None:
        self._availability.answered()
        self._notices.forget(KEY_REFUSED)

    def _failed(self, why: str, retry_after: float | None = None) -> Outcome:
        self._availability.failed(retry_after)
        self._notices.warn(f"{self._name} cannot be reached, and what it should get is kept: {why}")
        return Outcome.LATER

    def _refused(self, answer: Answer) -> Outcome:
        by_key = answer.status in (401, 403)
        self._availability.refuses(KEY if by_key else ADDRESS)
        if by_key:
            why = f"it refuses the key: {_title(answer.data)}"
        elif answer.location:
            why = f"it sends on to {answer.location}; set TASKROOM_URL to where it is"
        else:
            why = f"status {answer.status}: is TASKROOM_URL the address of a Taskroom?"
        self._notices.once(KEY_REFUSED, f"{self._name} takes nothing, and what it should get is kept: {why}")
        return Outcome.LATER


def _title(data: dict[str, Any]) -> str:
    return ": ".join(str(data[name])[:500] for name in ("title", "detail", "errors") if data.get(name))
