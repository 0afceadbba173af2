"""A webhook whose deliveries the test makes itself."""

from __future__ import annotations

from typing import Any

from app.webhooks import delivery_queue, subscriptions
from app.webhooks.delivery_queue import Claimed, Policy, Tried, claim, record
from tests.stream.helpers import sql
from tests.support.system import SECRET
from tests.tasks.helpers import Tasks

AT = "2030-01-01T00:00:00.000000Z"
PATIENT = Policy((5.0, 60.0, 300.0))


class Hook:
    """A webhook of the user for new tasks; the test claims and records its deliveries itself."""

    def __init__(self, tasks: Tasks) -> None:
        self.tasks = tasks
        with tasks.connect() as connection, connection.cursor() as cur:
            made, _ = subscriptions.create(
                cur, tasks.user_id, "https://x.org/", ["task_created"], None, SECRET
            )
        self.id = str(made["id"])

    def create_tasks(self, count: int = 1) -> None:
        for _ in range(count):
            self.tasks.create()

    def claim(self, limit: int = 10) -> list[Claimed]:
        with self.tasks.connect() as connection, connection.cursor() as cur:
            return [claimed for claimed in claim(cur, limit) if claimed.webhook_id == self.id]

    def record(self, claimed: Claimed, policy: Policy = PATIENT, **how: Any) -> None:
        tried = Tried(AT, 1.5, **how)
        with self.tasks.of_any_thread() as tx:
            record(tx, claimed, tried, policy)

    def fail(self, times: int, policy: Policy = PATIENT, status: int = 500) -> None:
        """Records failed attempts one after another, each when it is due."""
        for _ in range(times):
            self.wait()
            (claimed,) = self.claim(1)
            self.record(claimed, policy, status_code=status)

    def wait(self) -> None:
        """Makes everything due, also leased and held-back deliveries."""
        sql(self.tasks.database, "UPDATE webhooks SET backoff_until = '-infinity'")
        sql(self.tasks.database, "UPDATE deliveries SET due_at = now() WHERE due_at IS NOT NULL")

    def shown(self) -> dict[str, Any]:
        with self.tasks.connect() as connection, connection.cursor() as cur:
            return subscriptions.one(cur, self.tasks.user_id, self.id)

    def log(self) -> list[dict[str, Any]]:
        """Returns the deliveries, the newest first."""
        with self.tasks.connect() as connection, connection.cursor() as cur:
            return delivery_queue.page(cur, self.id, None, 100)[0]

    def due_in(self) -> list[float]:
        rows = sql(
            self.tasks.database,
            "SELECT extract(epoch FROM due_at - now())::float FROM deliveries WHERE due_at IS NOT NULL",
        )
        return [seconds for (seconds,) in rows]

    def notices(self) -> list[tuple[str, str]]:
        return sql(
            self.tasks.database,
            "SELECT title, message FROM notifications WHERE related_id = %s AND user_id = %s",
            *(self.id, self.tasks.user_id),
        )
