"""Limits of what is left behind, of those who hear of it, and of what stands around the processes."""

from __future__ import annotations

from inspect import signature

from app.api import job_stats
from app.api import notifications as notices
from app.api import webhooks as hooks
from app.api.notification_choices import Choices
from app.auth import refusals, trail, trail_list
from app.broker import client as client_of_broker
from app.bus import FINISH_SECONDS, all_users, publishing, subscriber
from app.bus import source as bus_source
from app.inbox import choices, notification
from app.inbox import store as inbox
from app.models.streams import EventId, WriterRow
from app.models.webhooks import WebhookDelivery
from app.notifications import reminders
from app.outgoing import http_client, resolver, url_policy
from app.stream import claims, event
from app.tasks import budget, cleanup, job_list, job_sums, old_tasks, removal, retention, run_sums, slots
from app.tasks import job_stats as stats_of_jobs
from app.up import __main__ as up
from app.up import home, supervisor
from app.up import process_plan as up_plan
from app.webhooks import delivery_queue, poller, sending, subscriptions
from tests.limits.product import Row, client, file, found, interval, most, repeats, same, source

NGINX = file("deploy/nginx.conf")
PHASE_TRIGGER = file("migrations/versions/0045_sums_of_jobs.py")

ROWS: dict[str, list[Row]] = {
    "Limits of what is kept": [
        ("entries of the trail that one request looks at", "5,000", lambda: trail_list.SCAN_ENTRIES),
        ("entries of the trail that a download reads", "500", lambda: trail_list.EXPORT_PAGE),
        ("entries of the trail deleted in one transaction", "5,000", lambda: trail_list.DELETED_ROWS),
        ("characters of a note in the trail", "500", lambda: trail.LONGEST_NOTE),
        ("characters of a name in the trail", "255", lambda: trail.LONGEST_TITLE),
        ("time in which refusals of one kind are one entry", "60 s", lambda: refusals.ENTRY_SECONDS),
        ("kinds of refusals that a web process counts at a time", "200", lambda: refusals.MOST_KINDS),
        ("time of one worker that a run of the retention takes for", "60 s",
         lambda: old_tasks.RUN_SECONDS),
        ("events deleted in one transaction", "2,000", lambda: same(retention.BATCH_EVENTS, removal.EVENTS_AT_ONCE)),
        ("how long deliveries, ids of published events, writers and", "7 days",
         lambda: same(
        *(cleanup.EXPIRES[model][1].total_seconds() for model in (WebhookDelivery, EventId, WriterRow)),
        budget.KEPT_DAYS * 86_400)),
        ("how long a worker that reports no more stays in the table of workers", "1 h",
         lambda: interval(source(slots.register_worker))),
        ("expired rows deleted in one transaction", "5,000", lambda: cleanup.BATCH_ROWS),
        ("notifications deleted in one transaction", "1,000", lambda: inbox.PRUNED_ROWS),
        ("deliveries of a webhook that is deleted, in one transaction", "1,000", lambda: subscriptions.DELETED_ROWS),
        ("reminders in one transaction", "100", lambda: reminders.PAGE),
        ("how long ended runs are summed up by hours", "8 days", lambda: run_sums.HOURLY_DAYS * 86_400),
        ("how long sums of ended runs are kept", "400 days", lambda: run_sums.KEPT_DAYS * 86_400),
        ("days before today (UTC) whose durations have sums by hour", "2", lambda: job_sums.LOOSE_DAYS),
        ("phases of a run, of an hour and in an answer whose durations are summed up", "50",
         lambda: same(job_sums.MOST_PHASES, found(PHASE_TRIGGER, r"position < (\d+)"))),
        ("last runs of a job type in the list of job types", "16", lambda: job_list.LAST_RUNS),
        ("tasks of a job type that are looked at for its last runs in that list", "500", lambda: job_list.LOOKED_AT),
        ("errors in the statistics of a job type", "10", lambda: stats_of_jobs.ERRORS),
        ("runs in the statistics of a job type", "50", lambda: stats_of_jobs.RUNS),
        ("longest time of the statistics of a job type", "366 days", lambda: job_stats.LONGEST.total_seconds()),
        ("streams that one statement of the retention looks at", "2,000", lambda: retention.PAGE_STREAMS),
        ("tasks that one statement of the retention looks at", "200",
         lambda: old_tasks.PAGE_TASKS),
    ],
    "Limits of notifications": [
        ("characters of a title", "255",
         lambda: same(notification.LONGEST_TITLE, most(notices.AnnouncementSchema, "title"))),
        ("characters of a message", "10,000",
         lambda: same(notification.LONGEST_MESSAGE, most(notices.AnnouncementSchema, "message"))),
        ("characters of any other text and of an address", "255",
         lambda: same(notification.LONGEST_RELATED, notification.LONGEST_URL)),
        ("bytes of `metadata`", "8 KiB", lambda: notification.LONGEST_METADATA),
        ("job types for which a user chooses what it is told", "200",
         lambda: same(choices.MOST, most(Choices, "job_types"))),
        ("wait of an approval", "3 days", lambda: reminders.WAITS_LONG.total_seconds()),
        ("time before the end of a trial", "3 days", lambda: reminders.TRIAL_DAYS[0] * 86_400),
        ("time before the end of a trial, again", "1 day", lambda: reminders.TRIAL_DAYS[1] * 86_400),
    ],
    "Limits of the bus": [
        ("characters of a type", "64", lambda: 1 + repeats(event.EVENT_TYPE.pattern)),
        ("bytes of an event's JSON", "256 kB", lambda: publishing.PUBLISHED_BYTES),
        ("characters of an `event_id`", "255", lambda: claims.LONGEST_ID),
        ("bytes of events that wait for a handler in memory", "1 MB", lambda: subscriber.KEPT_BYTES),
        ("events that are read so at a time", "500", lambda: subscriber.PAGE_EVENTS),
        ("delay of handlers by type of an event that Redis lost", "5 s", lambda: all_users.CHECK_SECONDS),
        ("delay of handlers by type while Redis is unavailable", "1 s", lambda: all_users.OUTAGE_CHECK_SECONDS),
        ("wait of a script that ends for its handlers", "5 s", lambda: FINISH_SECONDS),
        ("streams looked at in one statement", "2,000", lambda: all_users.PAGE_STREAMS),
        ("connections to Postgres of a script that has handlers", "2", lambda: bus_source.CONNECTIONS),
    ],
    "Limits of webhooks": [
        ("webhooks of a user", "20", lambda: subscriptions.MOST),
        ("types of one webhook", "50", lambda: same(hooks.MOST_TYPES, most(hooks.NewWebhook, "event_types"))),
        ("characters of an address", "2,048", lambda: same(url_policy.LONGEST_URL, most(hooks.NewWebhook, "url"))),
        ("requests on their way to one webhook, one while it fails", "2", lambda: delivery_queue.PER_WEBHOOK),
        ("requests on their way to all webhooks of an owner", "4", lambda: delivery_queue.PER_OWNER),
        ("requests on their way to all webhooks", "16", lambda: sending.CONCURRENCY),
        ("wait for the answer", "10 s",
         lambda: same(http_client.SECONDS, signature(sending.attempt).parameters["seconds"].default)),
        ("redirects", "3", lambda: http_client.REDIRECTS),
        ("names of receivers that a worker looks up", "256", lambda: resolver.LOOKUPS),
        ("bytes of the answer that are kept", "1,024", lambda: http_client.RESPONSE_BYTES),
        ("failures in a row", "20", lambda: delivery_queue.Policy(()).failures),
        ("longest pause of a webhook that fails", "5 min", lambda: delivery_queue.MAX_BACKOFF),
        ("time until a delivery that a killed worker was sending is due again", "60 s",
         lambda: delivery_queue.LEASE_SECONDS),
        ("how long a worker sends", "20 s", lambda: sending.RUN_SECONDS),
        ("wait of a worker for Postgres to write down what it sent", "15.5 s",
         lambda: sum(sending.RECORD_RETRY_SECONDS)),
        ("interval of the check for due deliveries", "0.5 s", lambda: poller.POLL_SECONDS),
        ("longest interval of hints to workers about the same delivery", "30 s", lambda: poller.MAX_INTERVAL),
        ("age of a hint", "10 s", lambda: client_of_broker.DELIVER_SECONDS),
    ],
    "Limits of the browser client": [
        ("rooms on a WebSocket", "64", lambda: found(file("static/src/client/socketWire.ts"), r"capacity = (\d+);")),
        ("rooms on a stream", "16", lambda: client("sseWire", "STREAM_ROOMS")),
        ("first wait of the back-off", "1 s", lambda: client("backoff", "FIRST_MS")),
        ("longest wait of the back-off", "30 s", lambda: client("backoff", "LONGEST_MS")),
        ("tries of a wire", "10", lambda: client("carrier", "TRIES")),
        ("interval of polls", "10 s", lambda: client("pollingWire", "POLL_SECONDS")),
        ("interval of tries of a better wire", "60 s", lambda: client("carrier", "PROBE_MS")),
        ("how long a wire stays open, without a room", "10 s", lambda: client("opening", "PROVED_MS")),
        ("wait until a WebSocket is open", "5 s", lambda: client("socketWire", "OPEN_TIMEOUT_MS")),
        ("wait until a WebSocket is signed in", "10 s", lambda: client("socketWire", "SIGN_IN_TIMEOUT_MS")),
        ("wait for an answer over a WebSocket", "10 s", lambda: client("socketWire", "ANSWER_TIMEOUT_MS")),
        ("wait until a stream sends something", "10 s", lambda: client("sseWire", "OPEN_TIMEOUT_MS")),
        ("wait until a tab receives something of the shared stream", "15 s",
         lambda: client("sharedWire", "OPEN_TIMEOUT_MS")),
        ("wait for an answer of REST", "15 s", lambda: client("http", "TIMEOUT_MS")),
        ("silence of a stream, or of the tab that leads", "40 s", lambda: client("sseWire", "SILENCE_MS")),
        ("silence of the server until a visible page asks for a sign of life", "8 s",
         lambda: client("../state/pulse", "ASK_MS")),
        ("wait for that sign", "4 s", lambda: client("../state/pulse", "ANSWER_MS")),
        ("how long a connection stays that nothing uses", "5 s", lambda: client("connection", "LINGER_MS")),
        ("wait of a watcher of the user's stream for a connection", "0.5 s",
         lambda: client("userStreams", "PATIENCE_MS")),
        ("messages that a tab may leave untaken", "4,096", lambda: client("member", "MOST_NOTICES")),
        ("signs of life that a tab may leave untaken", "8", lambda: client("member", "MOST_BEATS")),
        ("interval of these signs", "5 s", lambda: client("leader", "BEAT_MS")),
        ("wait for a tab that is to ask by REST for one of its rooms", "20 s",
         lambda: client("member", "ANSWER_TIMEOUT_MS")),
        ("events of a page that it asks for", "1,000",
         lambda: found(file("static/src/client/api.ts"), r"limit = ([\d_]+)\)")),
        ("tasks of a tree that are live at a time", "40",
         lambda: found(file("static/src/state/live-rows.ts"), r"MOST = ([\d_]+);")),
        ("warnings of a run that it asks for, to list the retries", "1,000", lambda: client("api", "WARNINGS")),
        ("interval of asking for the children of the run of another user", "10 s",
         lambda: found(file("static/src/views/run-page.tsx"), r"OTHERS_MS = ([\d_]+);") / 1_000),
    ],
    "Limits of nginx": [
        ("connections of one public address", "2,000", lambda: found(NGINX, r"limit_conn addresses (\d+);")),
        ("wait for the head of a request", "10 s", lambda: found(NGINX, r"client_header_timeout (\d+)s;")),
        ("wait within a body", "30 s", lambda: found(NGINX, r"client_body_timeout (\d+)s;")),
        ("wait until a web process is reached", "5 s", lambda: found(NGINX, r"proxy_connect_timeout (\d+)s;")),
        ("silence of a web process", "75 s", lambda: found(NGINX, r"proxy_read_timeout (\d+)s;")),
        ("a body", "2 MiB", lambda: found(NGINX, r"client_max_body_size (\d+)m;") * 1024**2),
        ("connections of one process of nginx, two a viewer", "50,000",
         lambda: found(NGINX, r"worker_connections (\d+);")),
    ],
    "Limits of `script/up`": [
        ("size of a log", "10 MiB", lambda: home.LOG_LIMIT),
        ("how often that is looked at", "5 s", lambda: supervisor.LOG_CHECK_SECONDS),
        ("logs of a process that are put aside", "3", lambda: home.LOGS_KEPT),
        ("connections of the embedded Postgres, without the next row", "75",
         lambda: found(source(up), r"max_connections=(\d+) \+ \d+ \* settings.web_processes")),
        ("connections of the embedded Postgres for each web process", "25",
         lambda: found(source(up), r"max_connections=\d+ \+ (\d+) \* settings.web_processes")),
        ("first pause before a process that died starts again", "0.2 s", lambda: supervisor.BACKOFF_FIRST),
        ("longest pause before a process that died starts again", "10 s", lambda: supervisor.BACKOFF_LAST),
        ("deaths of a process at the start", "3", lambda: supervisor.MAX_START_FAILURES),
        ("time until all processes are ready", "90 s", lambda: supervisor.START_SECONDS),
        ("time that a web process has to end", "15 s", lambda: found(source(up_plan._web), r"SIGTERM, ([\d.]+)")),
        ("time that a worker has to end after the first signal", "8 s",
         lambda: found(source(up_plan.application_plan), r"SIGTERM, ([\d.]+)\), \(signal.SIGQUIT, [\d.]+")),
        ("time that a worker has to end after the second signal", "8 s",
         lambda: found(source(up_plan.application_plan), r"SIGTERM, [\d.]+\), \(signal.SIGQUIT, ([\d.]+)")),
    ],
}  # fmt: skip
