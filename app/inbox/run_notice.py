"""Notifications of runs: what their owner has chosen is sent, and a run has one entry in the list, which changes.

Both depend on rows that others change, so they are decided when the owner's stream is locked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from psycopg2.extensions import cursor as Cursor

from app.db.clock import TIME_TEXT
from app.inbox.notification import notification
from app.stream.event import Draft, LateDraft, draft

CHOICES = ("none", "approvals", "failures", "all")
"""What an owner is told of runs of a type. Each includes those before it."""
USUAL = "all"
ASKS = "approval_required"

# Literal: one statement for a batch on the path of events.
_STANDING = f"""SELECT coalesce(own.choice, general.choice, %(usual)s), users.email, inboxes.unread,
        before.id::text, before.notification_type, {TIME_TEXT.format("before.read_at")}
    FROM unnest(%(users)s::uuid[], %(runs)s::uuid[], %(types)s::text[])
        WITH ORDINALITY AS run (user_id, run_id, job_type, position)
    LEFT JOIN users ON users.id = run.user_id
    LEFT JOIN notification_choices AS own ON own.user_id = run.user_id AND own.job_type = run.job_type
    LEFT JOIN notification_choices AS general ON general.user_id = run.user_id AND general.job_type = ''
    LEFT JOIN inboxes ON inboxes.user_id = run.user_id
    LEFT JOIN LATERAL (
        SELECT id, notification_type, coalesce(read_at, (SELECT read_marks.read_at FROM read_marks
            WHERE read_marks.user_id = run.user_id AND read_to >= sequence ORDER BY read_to LIMIT 1)) AS read_at
        FROM notifications WHERE notifications.user_id = run.user_id AND notifications.run_id = run.run_id
        ORDER BY sequence DESC LIMIT 1) AS before ON true
    ORDER BY position"""


@dataclass(slots=True, eq=False)
class RunNotice(LateDraft):
    """A notification of a run, before it is known whether its owner wants it. ``choice`` is the least one with which it
    is sent. ``again``: an entry that was read is unread again. ``only_changes``: it makes no entry; it changes one that
    asks for what is not to be done any more. ``by`` is the email of who did it: nobody is told what they
    did themselves, perhaps to hundreds of runs at once."""

    job_type: str = ""
    run_id: str = ""
    choice: str = USUAL
    again: bool = False
    only_changes: bool = False
    by: str = ""

    @staticmethod
    def finish(cur: Cursor, drafts: Sequence[RunNotice]) -> list[Draft | None]:
        users = [notice.stream.partition(":")[2] for notice in drafts]
        lists = {"users": users, "runs": [n.run_id for n in drafts], "types": [n.job_type for n in drafts]}
        cur.execute(_STANDING, lists | {"usual": USUAL})
        entries: dict[tuple[str, str], _Entry | None] = {}
        unread: dict[str, int] = {}
        found: list[Draft | None] = []
        for notice, user, (choice, email, count, *before) in zip(drafts, users, cur.fetchall(), strict=True):
            unread.setdefault(user, count or 0)
            key = user, notice.run_id
            entry = entries.setdefault(key, _Entry(*before) if before[0] else None)
            sent = notice._changed(entry, "none" if email and notice.by == email else choice)
            if sent is not None:
                data = sent["id"], sent["notification_type"], sent["read_at"]
                entries[key] = now = _Entry(*data)
                unread[user] += now.is_unread - (entry is not None and entry.is_unread)
                sent["unread_count"] = unread[user]
            found.append(None if sent is None else draft(notice.stream, notice.type, sent))
        return found

    def _changed(self, entry: _Entry | None, choice: str) -> dict[str, Any] | None:
        """Returns the fields of the event, which takes the place of this entry."""
        is_told = not self.only_changes and CHOICES.index(choice) >= CHOICES.index(self.choice)
        if not is_told and (entry is None or entry.type != ASKS):
            return None
        assert self.data is not None
        read_at = None if entry is None or (is_told and self.again) else entry.read_at
        read = {
            "read": read_at is not None,
            "status": "unread" if read_at is None else "read",
            "read_at": read_at,
        }
        return dict(self.data) | read | {"replaces": entry and entry.id}


class _Entry(NamedTuple):
    id: str
    type: str
    read_at: str | None

    @property
    def is_unread(self) -> bool:
        return self.read_at is None


def run_notice(
    stream: str,
    title: str,
    message: str,
    type: str,
    *,
    run_id: str,
    job_type: str,
    tenant: str | None,
    choice: str = USUAL,
    again: bool = False,
    only_changes: bool = False,
    by: str = "",
    to: str | None = None,
    urgent: bool = False,
    metadata: Mapping[str, Any] | None = None,
) -> RunNotice:
    """Returns the notification of a run, with the fields of ``RunNotice``. ``to`` is the address that it leads to;
    None: the page of the run."""
    made = notification(
        stream,
        title,
        message,
        type,
        tenant=tenant,
        urgent=urgent,
        metadata={"job_type": job_type, **(metadata or {})},
        **link_to(run_id) | ({} if to is None else {"action_url": to}),
    )
    parts = {each.name: getattr(made, each.name) for each in fields(Draft)}
    return RunNotice(
        **parts,
        job_type=job_type,
        run_id=run_id,
        choice=choice,
        again=again,
        only_changes=only_changes,
        by=by,
    )


def link_to(run_id: str) -> dict[str, Any]:
    """Returns the fields of a notification that lead to the run's page."""
    return {"related_type": "task", "related_id": run_id, "action_url": f"/runs/{run_id}"}
