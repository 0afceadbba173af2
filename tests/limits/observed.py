"""Limits of observed tasks, and of what works where."""

from __future__ import annotations

from typing import Any

import msgspec

from app.api import events, folded, reported_batch, task_tree
from app.api import fleet as fleet_pages
from app.api import tasks as task_pages
from app.api.job_list import JobListQuery
from app.http import compressed
from app.models.observed import QueueReport, ScheduleReport, WorkerReport
from app.models.queue import Hold, LostAttempt
from app.tasks import below, cleanup, holds, queued, task_types, tree_page
from app.tasks.observed import (
    ahead,
    batch,
    cancel,
    consumers,
    fleet,
    fleet_details,
    groups,
    leases,
    lookups,
    part,
    resends,
    schedules,
    task,
    tree,
    waiting,
)
from tests.limits.product import Row, most, same


def longest(struct: type[msgspec.Struct], field: str) -> Any:
    """The largest length that the field of a typed struct takes."""
    (found,) = [each for each in msgspec.inspect.type_info(struct).fields if each.name == field]  # type: ignore[attr-defined]
    return found.type.max_length


ROWS: dict[str, list[Row]] = {
    "Limits of observed tasks": [
        ("tasks of a batch", "50", lambda: part.MOST_TASKS),
        ("events of a batch", "2,000", lambda: part.MOST_EVENTS),
        ("bytes of a batch, inflated", "2 MB", lambda: events.BATCH_BYTES),
        ("characters of a task's id", "155", lambda: part.LONGEST_ID),
        ("characters of the name of an attempt", "64", lambda: part.LONGEST_ATTEMPT),
        ("characters of a `writer`", "128", lambda: longest(reported_batch.Envelope, "writer")),
        ("characters of a job type", "155", lambda: part.LONGEST_TYPE),
        ("characters of a title, of the name of a worker or queue, and of any other name", "255",
         lambda: same(part.LONGEST_TITLE, part.LONGEST_NAME)),
        ("parameters as JSON", "64 KiB", lambda: part.PARAMS_LIMIT),
        ("parts that come after a task", "24", lambda: ahead.MOST),
        ("characters of the name of such a part", "155", lambda: ahead.LONGEST),
        ("a lease, unless said otherwise", "60 s", lambda: part.DEFAULT_LEASE),
        ("the shortest lease", "5 s", lambda: part.LEAST_LEASE),
        ("the longest lease", "86,400 s", lambda: part.LONGEST_LEASE),
        ("tasks above a task that are looked at before it gets a parent", "1,000", lambda: tree.HIGHEST),
        ("tasks below a task that are counted", "1,000", lambda: below.MOST),
        ("children of a task in a page of its tree", "100", lambda: most(task_tree.TreeQuery, "limit")),
        ("children of a task further below in such a page", "20", lambda: tree_page.FIRST),
        ("rows of such a page", "300", lambda: tree_page.MOST),
        ("children of a row that are counted", "200", lambda: tree_page.COUNTED),
        ("characters of the message of an error in a row", "300", lambda: tree_page.SHORT),
        ("characters of the reason of a rejection", "500", lambda: task_pages.LONGEST_REASON),
        ("tasks below a task of a list that are counted", "100", lambda: below.LOOKED_AT),
        ("failures below a task that are named, the newest", "3", lambda: below.NAMED),
        ("characters of the type and of the message of such a failure", "200", lambda: below._TEXT_LIMIT),
        ("wait of a group without open members for new ones", "10 s", lambda: groups.QUIET_SECONDS),
        ("the same wait of a parent that was not reported", "600 s", lambda: groups.UNREPORTED_SECONDS),
        ("groups and such parents ended in one round", "200", lambda: groups.ENDED_MOST),
        ("least lease of a task that waits in a queue for its next attempt", "3,600 s",
         lambda: leases.QUEUED_SECONDS),
        ("wait for the next attempt that a lease counts", "366 days", lambda: leases.LONGEST_WAIT),
        ("tasks that one transaction cancels", "200", lambda: cancel.MOST),
        ("retries that one answer asks for", "50", lambda: resends.MOST),
        ("silence of the writer of the last attempt", "30 s", lambda: resends.SILENT_SECONDS),
        ("workers of a batch, and as many queues and schedules", "200", lambda: fleet.MOST_REPORTED),
        ("running tasks of a worker, and as many that it holds", "500", lambda: fleet.MOST_RUNNING),
        ("queues of a worker, and as many versions", "50", lambda: fleet.MOST_TEXTS),
        ("workers of an account, and as many queues and schedules", "1,000", lambda: fleet.MOST_OF_ONE),
        ("workers of all accounts, and as many queues and schedules", "10,000", lambda: fleet.MOST_ROWS),
        ("how long a worker, queue or schedule that nobody reports is kept", "1 day",
         lambda: same(*(cleanup.EXPIRES[model][1].total_seconds()
                        for model in (WorkerReport, QueueReport, ScheduleReport)))),
        ("how often a worker, queue or schedule is reported, unless said otherwise", "10 s",
         lambda: fleet.DEFAULT_BEAT),
        ("longest time between two such reports that may be said", "3,600 s", lambda: fleet.LONGEST_BEAT),
        ("silence of a worker, queue or schedule", "30 s", lambda: fleet.ALIVE_SECONDS),
        ("reports that one may miss, where that takes longer", "3", lambda: fleet.ALIVE_BEATS),
        ("tasks that a worker runs, of which a list says what they are", "20", lambda: fleet_details.MOST_TASKS),
        ("tasks lost with a worker that a list names", "10", lambda: fleet_details.MOST_LOST),
        ("how long a lost task is named", "1 day", lambda: cleanup.EXPIRES[LostAttempt][1].total_seconds()),
        ("workers of a queue that a list names", "20", lambda: consumers.MOST_NAMED),
        ("reported tasks of a queue that are counted as waiting", "1,000", lambda: waiting.MOST),
        ("how long a drained worker that does not run stays so", "7 days",
         lambda: cleanup.EXPIRES[Hold][1].total_seconds()),
        ("hints that are sent at once when a queue goes on", "200", lambda: holds.HINTS),
        ("tasks whose hints are due at once then", "10,000", lambda: holds.DUE_AT_ONCE),
        ("tasks before a queued one that are counted, and users that are compared", "100",
         lambda: same(queued.MOST, queued.USERS)),
        ("characters of the error of a scheduled run", "300",
         lambda: same(schedules.LONGEST_ERROR, fleet_details.MESSAGE)),
        ("characters of a cursor of workers, queues, schedules and job types", "4,500",
         lambda: same(most(fleet_pages.FleetQuery, "cursor"), most(JobListQuery, "cursor"))),
        ("job types of a list that are named", "200", lambda: same(task_types.MOST_TYPES, task_types.MOST_OWNERS)),
        ("age of the plan of a job type in a web process", "2 s", lambda: lookups.FORECAST_SECONDS),
        ("age of what it knows of a user's daily budget", "5 s", lambda: lookups.BUDGET_SECONDS),
        ("plans that a web process remembers, and as many budgets", "10,000", lambda: lookups.KEPT),
        ("tasks of a batch decoded in a row, or made", "10",
         lambda: same(reported_batch.TASKS_IN_A_TURN, batch.PARTS_IN_A_TURN)),
        ("events of a task checked in a row", "500", lambda: reported_batch.EVENTS_IN_A_TURN),
        ("bytes of a task whose values of a wrong kind are made sense of", "32,768", lambda: folded.MOST_BYTES),
        ("fields of a task that `warnings` of an answer name", "50", lambda: folded.MOST_NAMED),
        ("events of a task made ready in a row", "100", lambda: task.EVENTS_IN_A_TURN),
        ("pieces of a body inflated in a row", "4", lambda: compressed.PIECES_IN_A_TURN),
        ("bytes of such a piece", "64 KiB", lambda: compressed.PIECE_BYTES),
        ("bytes of a compressed body", "16 KiB", lambda: compressed.READ_BYTES),
    ],
}  # fmt: skip
