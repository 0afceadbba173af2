"""Limits of tasks, of what they tell and leave behind, of those who hear of it, and of what stands around them."""

from __future__ import annotations

import re
from inspect import signature
from typing import Any

import msgspec

from app import broker
from app.api import agent, events, external, history, logs, reported_batch, task_list
from app.api import fleet as fleet_pages
from app.api import notifications as notices
from app.api import tasks as task_pages
from app.api import webhooks as hooks
from app.broker import client as client_of_broker
from app.broker import connections
from app.bus import FINISH_SECONDS, all_users, publishing, subscriber
from app.bus import source as bus_source
from app.http import concurrency
from app.inbox import notification
from app.inbox import store as inbox
from app.jobs import catalog, packages
from app.jobs import params as job_params
from app.jobs import steps as job_steps
from app.models.observed import QueueReport, WorkerReport
from app.models.streams import EventId, Writer
from app.models.webhooks import Delivery
from app.notifications import reminders
from app.outgoing import http_client, url_policy
from app.stream import claims, event, pages, store, writer
from app.tasks import (
    approvals,
    budget,
    cleanup,
    dispatch,
    fair_claims,
    forsaken,
    lease_reaper,
    listing,
    parents,
    plan,
    projection,
    removal,
    reports,
    retention,
    slots,
    snapshot,
    steps,
    task_types,
    throughput,
)
from app.tasks import external as stored
from app.tasks import logs as task_logs
from app.tasks.observed import cancel, fleet, fleet_list, groups, lookups, part, resends, tree
from app.up import __main__ as up
from app.up import home, supervisor
from app.up import plan as up_plan
from app.webhooks import delivery, poller, queue, subscriptions
from tests.limits.product import (
    ROOT,
    Row,
    client,
    constant,
    file,
    found,
    interval,
    most,
    repeats,
    same,
    source,
    unless_asked,
)
from workers import declarations, outcomes, phases, progress, runtime, values
from workers.jobs import _documents, _files, _topics, artifact, knowledge_base, orchestrate
from workers.jobs.artifact import ArtifactOptions, ArtifactParams
from workers.jobs.knowledge_base import KnowledgeBaseParams

NGINX = file("deploy/nginx.conf")
BUFFER = signature(writer.Writer.__init__).parameters
PAGED = ((task_list.TaskQuery, "limit"), (history.HistoryQuery, "limit"), (notices.ListQuery, "limit"),
         (hooks.DeliveriesQuery, "limit"), (fleet_pages.FleetQuery, "limit"))  # fmt: skip
CURSORS = (
    (task_list.TaskQuery, "cursor"),
    (history.HistoryQuery, "cursor"),
    (hooks.DeliveriesQuery, "cursor"),
)


def longest(struct: type[msgspec.Struct], field: str) -> Any:
    """The largest length that the field of a typed struct takes."""
    (found,) = [each for each in msgspec.inspect.type_info(struct).fields if each.name == field]  # type: ignore[attr-defined]
    return found.type.max_length


def expires(entry: str) -> Any:
    pattern = rf'(?s)"{entry}": {{[^}}]*"expires": (\w+)}}'
    (value,) = re.findall(pattern, file("workers/celery_app.py"))
    return int(value) if value.isdigit() else constant(ROOT / "workers/celery_app.py", value)


ROWS: list[Row] = [
    ("what the rows of a task count", "2,000 bytes", lambda: found(
        file("migrations/versions/0019_bytes_of_users.py"), r"size := (\d+) \+")),
    ("values in them among which", "2,000", lambda: job_params.MOST_VALUES),
    ("age of what a web process knows of the job types", "1 s; 1 h; 7 days", lambda: (
        catalog.FRESH_SECONDS, declarations.KEEP_SECONDS, packages.FORGOTTEN_DAYS * 86_400)),
    ("steps of `orchestrate`", "100; 3", lambda: (job_steps.MOST_STEPS, job_steps.DEEPEST)),
    ("title of a task or step", "255; 64; 64 characters", lambda: (
        same(most(agent.Start, "title"), most(orchestrate.StepParams, "title"), parents.LONGEST_TITLE),
        same(most(agent.Start, "job_type"), most(orchestrate.StepParams, "job_type")), most(agent.Start, "intent"))),
    ("key of an approval", "128; 255 characters", lambda: (approvals.LONGEST_KEY, approvals.LONGEST_TITLE)),
    ("rounds that a worker may miss", "4; 200",
     lambda: (same(lease_reaper.MISSED_LIMIT, slots.MISSED_ROUNDS), lease_reaper.LOST_MOST)),
    ("silence of the web process that leads", "20 s", lambda: lease_reaper.LEADER_SECONDS),
    ("when a message that nobody claimed", "30 s; 10 min",
     lambda: (projection.RESEND_SECONDS, dispatch.RESEND_LIMIT_SECONDS)),
    ("messages of one queue at the broker", "2,000; 1,000", lambda: (
        broker.MAX_QUEUED, client_of_broker.DELIVER_QUEUED)),
    ("until a retry is due", "60 s", lambda: projection.SOON_SECONDS),
    ("messages sent again in a round", "2,000; 200; 50; 200",
     lambda: (dispatch.MAX_RESENT, dispatch.RESEND_BATCH, fair_claims.HELD_TASKS, fair_claims.HELD_USERS)),
    ("wait for a broker that hangs", "2 s; 4", lambda: (broker.SEND_SECONDS, connections.IDLE_CONNECTIONS)),
    ("users that a claim compares", "100; 10; 60 s", lambda: (
        fair_claims.CANDIDATE_USERS, fair_claims.TRIES, constant(ROOT / "workers/execute.py", "CLAIM_SECONDS"))),
    ("runs that what a job's phases take", "20; 200; 100", lambda: (plan.RUNS, plan.SCANNED_RUNS, plan.MAX_PHASES)),
    ("how long a message of beat's waits", "12 h; 1 h; 10 min; 1 min", lambda: (
        same(expires("approval-reminder-daily"), expires("trial-expiry-check")), expires("housekeeping"),
        expires("retention"), expires("sums"))),
    ("characters of a line of the log", "16,384; 2,000", lambda: (reports.LINE_LIMIT, reports.TEXT_LIMIT)),
    ("characters of the name of a phase", "128; 128; 128", lambda: (
        reports.NAME_LIMIT, most(external.Batch, "writer"), most(external.ReportedError, "type"))),
    ("phases of a task", "500", lambda: reports.PHASE_LIMIT),
    ("a result as JSON", "256 kB", lambda: reports.RESULT_LIMIT),
    ("the results of all steps", "200 kB", lambda: steps.RESULTS_LIMIT),
    ("characters of a traceback", "16,000; 2,000", lambda: (reports.TRACEBACK_LIMIT, outcomes.MESSAGE_LIMIT)),
    ("the largest count or time", "9,007,199,254,740,992", lambda: same(values.LARGEST, external.LARGEST)),
    ("how often a phase reports", "0.1 s", lambda: phases.REPORT_SECONDS),
    ("events that wait in a worker's process", "20,000; 16 MB",
     lambda: (BUFFER["limit_events"].default, BUFFER["limit_bytes"].default)),
    ("events stored in one go", "1,000; 1 MB", lambda: (
        same(store.BATCH_EVENTS, most(external.Batch, "events")), same(store.BATCH_BYTES, stored.BATCH_BYTES))),
    ("pauses between tries while Postgres", "0.05 s; 5 s", lambda: writer.RETRY_SECONDS),
    ("how long a process that ends waits until", "10 s", lambda: runtime.CLOSE_SECONDS),
    ("the longest `countdown`", "30 days", lambda: progress.MAX_COUNTDOWN),
    ("tasks of a batch; its events", "50; 2,000; 2 MB",
     lambda: (part.MOST_TASKS, part.MOST_EVENTS, events.BATCH_BYTES)),
    ("characters of a task's id", "155; 64; 128", lambda: (
        part.LONGEST_ID, part.LONGEST_ATTEMPT, longest(reported_batch.Envelope, "writer"))),
    ("characters of a job type; of a title", "155; 255; 255",
     lambda: (part.LONGEST_TYPE, part.LONGEST_TITLE, part.LONGEST_NAME)),
    ("parameters as JSON; larger ones", "64 KiB", lambda: part.PARAMS_LIMIT),
    ("a lease: unless said otherwise", "60 s; 5 s; 86,400 s",
     lambda: (part.DEFAULT_LEASE, part.LEAST_LEASE, part.LONGEST_LEASE)),
    ("tasks above a task", "1,000", lambda: tree.HIGHEST),
    ("how long a group without open members", "10 s; 200", lambda: (groups.QUIET_SECONDS, groups.ENDED_MOST)),
    ("tasks that one transaction cancels", "200; 50; 30 s",
     lambda: (cancel.MOST, resends.MOST, resends.SILENT_SECONDS)),
    ("workers of a batch, and queues", "200; 500; 50",
     lambda: (fleet.MOST_REPORTED, fleet.MOST_RUNNING, fleet.MOST_TEXTS)),
    ("workers of an installation, and queues", "5,000; 1 day", lambda: (
        fleet.MOST_ROWS, same(*(cleanup.EXPIRES[model][1].total_seconds() for model in (WorkerReport, QueueReport))))),
    ("how often a worker or a queue is reported", "10 s; 3,600 s; 30 s; 3", lambda: (
        fleet.DEFAULT_BEAT, fleet.LONGEST_BEAT, fleet_list.ALIVE_SECONDS, fleet_list.ALIVE_BEATS)),
    ("what a web process remembers: plans", "30 s; 5 s; 10,000",
     lambda: (lookups.PLAN_SECONDS, lookups.BUDGET_SECONDS, lookups.KEPT)),
    ("job types of a list that are named", "200", lambda: task_types.MOST_TYPES),
    ("characters of a cursor of workers", "4,500", lambda: most(fleet_pages.FleetQuery, "cursor")),
    ("rows of a page of tasks", "50; 200", lambda: (
        same(*(unless_asked(*page) for page in PAGED)), same(*(most(*page) for page in PAGED)))),
    ("events of a page: unless", "500; 1,000", lambda: (
        unless_asked(task_pages.EventQuery, "limit"), most(task_pages.EventQuery, "limit"))),
    ("lines of a page of a log", "100; 1,000",
     lambda: (unless_asked(logs.LogQuery, "limit"), most(logs.LogQuery, "limit"))),
    ("bytes of any page", "1 MB", lambda: pages.PAGE_BYTES),
    ("tasks that a filter looks at", "5,000; 50,000", lambda: (listing.SCAN_TASKS, task_logs.SCAN_ROWS)),
    ("characters of a text that is looked for", "200; 200", lambda: (
        same(most(task_list.CountQuery, "q"), most(logs.FilterQuery, "q")),
        same(*(most(*cursor) for cursor in CURSORS)))),
    ("the largest sequence", "4,611,686,018,427,387,904", lambda: event.MAX_SEQUENCE),
    ("lines of the log in a snapshot", "50; 120", lambda: (snapshot.RECENT_LOGS, throughput.POINTS)),
    ("downloads of logs of a user", "4; 32",
     lambda: (concurrency.DOWNLOADS_PER_USER, concurrency.DOWNLOADS_IN_TOTAL)),
    ("lines that a download reads", "500; 64,000", lambda: (task_logs.DOWNLOAD_PAGE, logs.GZIP_BLOCK)),
    ("files that `knowledge_base` reads", "4,000; 20,000",
     lambda: (unless_asked(KnowledgeBaseParams, "limit"), most(KnowledgeBaseParams, "limit"))),
    ("of one file; of all files", "1 MB; 512 MB; 64 MB", lambda: (
        knowledge_base.MAX_FILE_BYTES, knowledge_base.MAX_CACHE_BYTES, knowledge_base.MAX_OUTPUT_BYTES)),
    ("characters of its folder", "1,000; 200; 32", lambda: (
        most(KnowledgeBaseParams, "root"), most(KnowledgeBaseParams, "pattern"), _files.MAX_ALTERNATIVES)),
    ("terms that it remembers", "64; 50,000; 65,536; 10", lambda: (
        _documents.KEPT_TERMS, _topics.VOCABULARY, _documents.terms.cache_parameters()["maxsize"],
        knowledge_base.SHOWN)),
    ("characters of an `artifact`'s content", "60,000; 60,000; 5; 50; 2", lambda: (
        most(ArtifactParams, "content"), artifact.MAX_RESULT_BYTES, unless_asked(ArtifactOptions, "num_questions"),
        most(ArtifactOptions, "num_questions"), artifact.REPAIRS)),
    ("time of one worker that a run", "60 s; 2,000", lambda: (
        same(retention.RUN_SECONDS, removal.RUN_SECONDS, forsaken.RUN_SECONDS),
        same(retention.BATCH_EVENTS, removal.EVENTS_AT_ONCE))),
    ("deliveries, ids of published events", "7 days", lambda: same(
        *(cleanup.EXPIRES[model][1].total_seconds() for model in (Delivery, EventId, Writer)),
        budget.KEPT_DAYS * 86_400)),
    ("a worker that reports no more, in the table of workers", "1 h", lambda: interval(source(slots.register_worker))),
    ("rows that go in one transaction", "5,000; 1,000; 1,000; 100; 2,000; 200", lambda: (
        cleanup.BATCH_ROWS, inbox.PRUNED_ROWS, subscriptions.DELETED_ROWS, reminders.PAGE, retention.PAGE_STREAMS,
        same(removal.PAGE_TASKS, forsaken.PAGE_TASKS))),
    ("characters of a title; of a message", "255; 10,000", lambda: (
        same(notification.LONGEST_TITLE, most(notices.Announcement, "title")),
        same(notification.LONGEST_MESSAGE, most(notices.Announcement, "message")))),
    ("characters of any other text", "255; 8 KiB", lambda: (
        same(notification.LONGEST_RELATED, notification.LONGEST_URL), notification.LONGEST_METADATA)),
    ("when an approval that waits", "3 days; 3 days; 1 day", lambda: (
        reminders.WAITS_LONG.total_seconds(), *(days * 86_400 for days in reminders.TRIAL_DAYS))),
    ("characters of a type; bytes", "64; 256 kB; 255", lambda: (
        1 + repeats(event.EVENT_TYPE.pattern), publishing.PUBLISHED_BYTES, claims.LONGEST_ID)),
    ("bytes of events that wait for a handler", "1 MB; 500", lambda: (subscriber.KEPT_BYTES, subscriber.PAGE_EVENTS)),
    ("how late handlers by type", "5 s; 1 s; 5 s",
     lambda: (all_users.CHECK_SECONDS, all_users.OUTAGE_CHECK_SECONDS, FINISH_SECONDS)),
    ("streams looked at in one statement", "2,000; 2", lambda: (all_users.PAGE_STREAMS, bus_source.CONNECTIONS)),
    ("webhooks of a user", "20; 50; 2,048", lambda: (
        subscriptions.MOST, same(hooks.MOST_TYPES, most(hooks.NewWebhook, "event_types")),
        same(url_policy.LONGEST_URL, most(hooks.NewWebhook, "url")))),
    ("requests on their way", "2; 4; 16", lambda: (queue.PER_WEBHOOK, queue.PER_OWNER, delivery.CONCURRENCY)),
    ("until the answer is there", "10 s; 3; 1,024", lambda: (
        same(http_client.SECONDS, signature(delivery.attempt).parameters["seconds"].default), http_client.REDIRECTS,
        http_client.RESPONSE_BYTES)),
    ("failures in a row", "20; 5 min", lambda: (queue.Policy(()).failures, queue.MAX_BACKOFF)),
    ("when what a killed worker was sending", "60 s; 20 s; 15.5 s",
     lambda: (queue.LEASE_SECONDS, delivery.RUN_SECONDS, sum(delivery.RECORD_RETRY_SECONDS))),
    ("interval of the check for due deliveries", "0.5 s; 30 s; 10 s",
     lambda: (poller.POLL_SECONDS, poller.MAX_INTERVAL, client_of_broker.DELIVER_SECONDS)),
    ("rooms on a WebSocket", "64; 16", lambda: (
        found(file("static/src/client/socketWire.ts"), r"capacity = (\d+);"), client("sseWire", "STREAM_ROOMS"))),
    ("back-off: the first wait", "1 s; 30 s; 10", lambda: (
        client("backoff", "FIRST_MS"), client("backoff", "LONGEST_MS"), client("carrier", "TRIES"))),
    ("how often it polls", "10 s; 60 s; 10 s", lambda: (
        client("pollingWire", "POLL_SECONDS"), client("carrier", "PROBE_MS"), client("opening", "PROVED_MS"))),
    ("until a WebSocket is open", "5 s; 10 s; 10 s; 10 s; 15 s; 15 s", lambda: (
        *(client("socketWire", f"{what}_TIMEOUT_MS") for what in ("OPEN", "SIGN_IN", "ANSWER")),
        *(client(name, "OPEN_TIMEOUT_MS") for name in ("sseWire", "sharedWire")), client("http", "TIMEOUT_MS"))),
    ("silence after which a stream", "40 s", lambda: client("sseWire", "SILENCE_MS")),
    ("how long a connection stays", "5 s; 0.5 s",
     lambda: (client("connection", "LINGER_MS"), client("userStreams", "PATIENCE_MS"))),
    ("messages that a tab may leave", "4,096; 8; 5 s; 20 s", lambda: (
        client("member", "MOST_NOTICES"), client("member", "MOST_BEATS"), client("leader", "BEAT_MS"),
        client("member", "ANSWER_TIMEOUT_MS"))),
    ("events of a page that it asks for", "1,000; 200",
     lambda: found(file("static/src/client/api.ts"), r"(?s)limit = ([\d_]+)\).*limit: ([\d_]+) }")),
    ("connections of one public address", "2,000", lambda: found(NGINX, r"limit_conn addresses (\d+);")),
    ("a head; a wait within a body", "10 s; 30 s; 5 s; 75 s", lambda: tuple(
        found(NGINX, rf"{name}_timeout (\d+)s;")
        for name in ("client_header", "client_body", "proxy_connect", "proxy_read"))),
    ("a body; over it 413", "2 MiB", lambda: found(NGINX, r"client_max_body_size (\d+)m;") * 1024**2),
    ("connections of one of its processes", "50,000", lambda: found(NGINX, r"worker_connections (\d+);")),
    ("a log that is longer", "10 MiB; 5 s; 3", lambda: (home.LOG_LIMIT, supervisor.LOG_CHECK_SECONDS, home.LOGS_KEPT)),
    ("connections of the embedded Postgres", "75; 25",
     lambda: found(source(up), r"max_connections=(\d+) \+ (\d+) \* settings.web_processes")),
    ("pause before a process that died", "0.2 s; 10 s; 3; 90 s", lambda: (
        supervisor.BACKOFF_FIRST, supervisor.BACKOFF_LAST, supervisor.MAX_START_FAILURES, supervisor.START_SECONDS)),
    ("how long a web process has to end", "15 s; 8 s; 8 s", lambda: (
        found(source(up_plan._web), r"SIGTERM, ([\d.]+)"),
        *found(source(up_plan.application_plan), r"SIGTERM, ([\d.]+)\), \(signal.SIGQUIT, ([\d.]+)"))),
]  # fmt: skip
