"""Limits of tasks: how they start, wait, report and are listed, and those of the jobs that are shipped."""

from __future__ import annotations

import re
from inspect import signature
from typing import Any

from app import broker
from app.api import (
    agent,
    bulk_title,
    cursors,
    downloads,
    external_workers,
    fleet,
    job_history,
    job_stats,
    logs,
    starting,
    task_histogram,
    task_list,
)
from app.api import bulk as api_bulk
from app.api import notifications as notices
from app.api import outputs as output_files
from app.api import tasks as task_pages
from app.broker import client as client_of_broker
from app.broker import connections
from app.http import concurrency
from app.jobs import catalog, packages
from app.jobs import params as job_params
from app.jobs import step_params as job_steps
from app.storage import files
from app.stream import event, pages, store, writer
from app.tasks import (
    approvals,
    budget,
    bulk,
    dispatch,
    fair_claims,
    lease_reaper,
    list_filter,
    listing,
    log_marks,
    parents,
    projection,
    related,
    reports,
    sections,
    slots,
    snapshot,
    steps,
)
from app.tasks import external_batches as stored
from app.tasks import history as earlier
from app.tasks import logs as task_logs
from app.tasks import outputs as saved
from taskroom import limits, phases
from tests.limits.product import ROOT, Row, constant, file, found, most, same, unless_asked
from workers import declarations, outputs, progress, runtime
from workers.jobs import _documents, _files, _topics, artifact, bulk_action, knowledge_base, orchestrate
from workers.jobs.artifact import ArtifactOptions, ArtifactParams
from workers.jobs.knowledge_base import KnowledgeBaseParams

BUFFER = signature(writer.Writer.__init__).parameters
PAGED = ((task_list.TaskQuery, "limit"), (job_history.HistoryQuery, "limit"), (notices.ListQuery, "limit"),
         (cursors.PageQuery, "limit"), (fleet.FleetQuery, "limit"))  # fmt: skip
CURSORS = (
    (task_list.TaskQuery, "cursor"),
    (job_history.HistoryQuery, "cursor"),
    (cursors.PageQuery, "cursor"),
)


def expires(entry: str) -> Any:
    pattern = rf'(?s)"{entry}": _scheduled\(.*?(\w+)\s*\),\n'
    (value,) = re.findall(pattern, file("workers/celery_app.py"))
    return int(value) if value.isdigit() else constant(ROOT / "workers/celery_app.py", value)


ROWS: dict[str, list[Row]] = {
    "Limits of starts": [
        ("bytes that the rows of a task count there", "2,000",
         lambda: same(
             found(file("migrations/versions/0019_bytes_of_users.py"), r"size := (\d+) \+"), budget.ROWS_BYTES)),
        ("parameters of a task as JSON", "64 KiB", lambda: starting.PARAMS_LIMIT),
        ("runs that a bulk action names", "1,000",
         lambda: same(bulk.MOST_IDS, most(api_bulk.BulkSchema, "ids"))),
        ("runs of a filter that a bulk action cancels or retries", "10,000", lambda: bulk.MOST_FOUND),
        ("runs of a filter that a bulk action reads at once", "1,000", lambda: bulk.PAGE),
        ("pages that it reads so", "2,000", lambda: bulk.MOST_PAGES),
        ("bulk actions of a user that have not ended", "1", lambda: bulk.AT_ONCE),
        ("characters of a text, a job type and a person in the title", "60", lambda: bulk_title.LONGEST_PART),
        ("runs of which the result of a bulk action says", "500", lambda: bulk_action.NAMED),
        ("values in the parameters among which each mistake is named", "2,000", lambda: job_params.MOST_VALUES),
        ("age of what a web process knows of the job types, while Postgres answers", "1 s",
         lambda: catalog.FRESH_SECONDS),
        ("pause between two signs of a worker that it has its job types", "1 h", lambda: declarations.KEEP_SECONDS),
        ("how long a job type stays without such a sign", "7 days", lambda: packages.FORGOTTEN_DAYS * 86_400),
        ("steps of `orchestrate`, those within others too", "100", lambda: job_steps.MOST_STEPS),
        ("levels of steps within steps", "3", lambda: job_steps.DEEPEST),
        ("characters of the title of a task or step", "255",
         lambda: same(bulk_title.LONGEST_TITLE, most(agent.Start, "title"), most(orchestrate.StepParams, "title"),
                      parents.LONGEST_TITLE)),
        ("characters of a job type", "64",
         lambda: same(most(agent.Start, "job_type"), most(orchestrate.StepParams, "job_type"))),
        ("characters of an intent", "64", lambda: most(agent.Start, "intent")),
        ("characters of the key of an approval", "128", lambda: approvals.LONGEST_KEY),
        ("characters of the title of an approval", "255", lambda: approvals.LONGEST_TITLE),
    ],
    "Limits of the queue": [
        ("rounds that a worker may miss", "4", lambda: same(lease_reaper.MISSED_LIMIT, slots.MISSED_ROUNDS)),
        ("lost tasks ended in one round", "200", lambda: lease_reaper.LOST_MOST),
        ("silence of the web process that leads; four rounds where", "20 s", lambda: lease_reaper.LEADER_SECONDS),
        ("wait until a message that nobody claimed is sent again", "30 s", lambda: projection.RESEND_SECONDS),
        ("longest wait between two such messages", "10 min", lambda: dispatch.RESEND_LIMIT_SECONDS),
        ("messages that wait in one queue at the broker", "2,000", lambda: broker.MAX_QUEUED),
        ("messages of these that are hints to send webhooks", "1,000", lambda: client_of_broker.DELIVER_QUEUED),
        ("time until a retry is due whose message is sent at once", "60 s", lambda: projection.SOON_SECONDS),
        ("messages sent again in a round", "2,000", lambda: dispatch.MAX_RESENT),
        ("messages sent again in one transaction", "200", lambda: dispatch.RESEND_BATCH),
        ("messages of one user's held tasks in a round, no more than", "50", lambda: fair_claims.HELD_TASKS),
        ("users whose held tasks are looked at in a round", "200", lambda: fair_claims.HELD_USERS),
        ("wait for a broker that hangs, once for all that a commit or", "2 s", lambda: broker.SEND_SECONDS),
        ("connections to the broker that a process keeps", "4", lambda: connections.IDLE_CONNECTIONS),
        ("users that a claim compares, from a random one on", "100", lambda: fair_claims.CANDIDATE_USERS),
        ("tries of a claim when others are quicker", "10", lambda: fair_claims.TRIES),
        ("wait of a claim for Postgres", "60 s", lambda: constant(ROOT / "workers/execute.py", "CLAIM_SECONDS")),
        ("runs that the shares of a job's phases are learnt from, once", "20", lambda: earlier.RUNS),
        ("phases of each of these runs", "100", lambda: earlier.MAX_PHASES),
        ("wait of beat's message for a worker: reminders", "12 h",
         lambda: same(expires("approval-reminder-daily"), expires("trial-expiry-check"))),
        ("wait of beat's message for a worker: what expires", "1 h", lambda: expires("housekeeping")),
        ("wait of beat's message for a worker: retention", "10 min", lambda: expires("retention")),
        ("wait of beat's message for a worker: sums", "1 min", lambda: expires("sums")),
    ],
    "Limits of reports": [
        ("characters of a line of the log", "16,384", lambda: same(reports.LINE_LIMIT, limits.LINE_LIMIT)),
        ("characters of any other text", "2,000", lambda: same(reports.TEXT_LIMIT, limits.TEXT_LIMIT)),
        ("characters of the name of a phase, group or component", "128",
         lambda: same(reports.NAME_LIMIT, limits.NAME_LIMIT)),
        ("characters of the name of a `writer` over REST", "128", lambda: most(external_workers.BatchSchema, "writer")),
        ("characters of the type of an error over REST", "128", lambda: most(external_workers.ErrorSchema, "type")),
        ("phases of a task, in all its attempts, without those that its steps are", "500",
         lambda: same(reports.PHASE_LIMIT, limits.PHASE_LIMIT)),
        ("groups in the log of an attempt", "400", lambda: limits.GROUP_LIMIT),
        ("groups within one another", "8", lambda: same(limits.OPEN_GROUPS, sections.MOST_OPEN_GROUPS)),
        ("sections of a log: attempts, phases and groups", "500", lambda: sections.MOST_SECTIONS),
        ("a result as JSON", "256 kB", lambda: same(reports.RESULT_LIMIT, limits.RESULT_LIMIT)),
        ("the results of all steps within their parent's", "200 kB", lambda: steps.RESULTS_LIMIT),
        ("characters of a traceback", "16,000", lambda: same(reports.TRACEBACK_LIMIT, limits.TRACEBACK_LIMIT)),
        ("characters of an error's message", "2,000", lambda: same(reports.TEXT_LIMIT, limits.TEXT_LIMIT)),
        ("lines of source beside an error, with the one that failed", "7",
         lambda: same(
        reports.SOURCE_LINES, 2 * limits.SOURCE_AROUND + 1, most(external_workers.SourceSchema, "lines"))),
        ("characters of one of them", "200", lambda: same(reports.SOURCE_LINE_LIMIT, limits.SOURCE_LINE_LIMIT)),
        ("the largest count or time", "9,007,199,254,740,992", lambda: same(limits.LARGEST, external_workers.LARGEST)),
        ("pause between two reports of a phase", "0.1 s", lambda: phases.REPORT_SECONDS),
        ("events that wait in a worker's process to be stored", "20,000", lambda: BUFFER["limit_events"].default),
        ("bytes of these events", "16 MB", lambda: BUFFER["limit_bytes"].default),
        ("events stored at once", "1,000",
         lambda: same(store.BATCH_EVENTS, most(external_workers.BatchSchema, "events"))),
        ("bytes of events stored at once", "1 MB", lambda: same(store.BATCH_BYTES, stored.BATCH_BYTES)),
        ("first pause between tries while Postgres is unavailable", "0.05 s", lambda: writer.RETRY_SECONDS[0]),
        ("longest pause between tries while Postgres is unavailable", "5 s", lambda: writer.RETRY_SECONDS[1]),
        ("wait of a process that ends until its reports are stored", "10 s", lambda: runtime.CLOSE_SECONDS),
        ("the longest `countdown` of `RetryTask`", "30 days", lambda: progress.MAX_COUNTDOWN),
    ],
    "Limits of outputs": [
        ("bytes that the smallest output counts", "16 KiB", lambda: saved.LEAST_BYTES),
        ("outputs of a run", "100", lambda: saved.MOST),
        ("characters of the name of an output", "128", lambda: saved.LONGEST_NAME),
        ("wait for Postgres, which says how much is stored", "60 s", lambda: outputs.ASKED_SECONDS),
        ("bytes copied at a time", "1 MiB", lambda: files.PIECE_BYTES),
        ("tries to begin a file in a folder that others remove", "100", lambda: files.MOST_TRIES),
        ("bytes of an output that are read at a time", "128 KiB", lambda: output_files.PIECE_BYTES),
        ("age of a file without a row", "3,600 s", lambda: saved.ORPHAN_SECONDS),
        ("files whose rows are looked up together", "500", lambda: saved.SWEPT_AT_ONCE),
    ],
    "Limits of lists": [
        ("rows of a page of tasks, of the history, notifications, deliveries", "50",
         lambda: same(*(unless_asked(*page) for page in PAGED))),
        ("rows of such a page at most", "200", lambda: same(*(most(*page) for page in PAGED))),
        ("events of a page, unless asked otherwise", "500", lambda: unless_asked(task_pages.EventQuery, "limit")),
        ("events of a page at most", "1,000", lambda: most(task_pages.EventQuery, "limit")),
        ("lines of a page of a log, unless asked otherwise", "100", lambda: unless_asked(logs.LogQuery, "limit")),
        ("lines of a page of a log at most", "1,000", lambda: most(logs.LogQuery, "limit")),
        ("bytes of any page, without its first row", "1 MB", lambda: pages.PAGE_BYTES),
        ("tasks that a filter looks at in one request", "5,000", lambda: list_filter.SCAN_TASKS),
        ("phases of a row in a list of tasks", "24", lambda: listing.PHASES_OF_ROW),
        ("phases of all rows of a page", "2,000", lambda: listing.PHASES_OF_PAGE),
        ("longest time of a histogram of a list", "366 days", lambda: job_stats.LONGEST.total_seconds()),
        ("longest time of a histogram by hours", "31 days", lambda: task_histogram.HOURLY.total_seconds()),
        ("events that a search of a log looks at in one request", "50,000", lambda: task_logs.SCAN_ROWS),
        ("events that a page of a log without replaced lines looks at", "20,000", lambda: task_logs.FINAL_ROWS),
        ("errors or warnings of a log that are all marked", "5,000", lambda: log_marks.MOST_PLACES),
        ("marks of a log that has more of them", "2,000", lambda: log_marks.STRETCHES),
        ("characters of a text that is looked for", "200",
         lambda: same(most(task_list.CountQuery, "q"), most(logs.FilterQuery, "q"))),
        ("characters of a cursor", "200", lambda: same(*(most(*cursor) for cursor in CURSORS))),
        ("the largest sequence that a cursor may name", "4,611,686,018,427,387,904", lambda: event.MAX_SEQUENCE),
        ("lines of the log in a snapshot", "50", lambda: snapshot.RECENT_LOGS),
        ("points of the throughput", "120", lambda: snapshot.POINTS),
        ("runs of `tasks/<id>/earlier`", "24", lambda: related.EARLIER),
        ("runs of `tasks/<id>/again`", "20", lambda: related.AGAIN),
        ("downloads of logs, outputs and the trail of a user at a time", "4", lambda: concurrency.DOWNLOADS_PER_USER),
        ("downloads of logs, outputs and the trail from an address at a time", "16",
         lambda: concurrency.DOWNLOADS_PER_ADDRESS),
        ("downloads of logs, outputs and the trail at a time through the shares that a user made", "16",
         lambda: concurrency.DOWNLOADS_THROUGH_SHARES),
        ("downloads of logs, outputs and the trail of a web process at a time", "32",
         lambda: concurrency.DOWNLOADS_IN_TOTAL),
        ("downloads beyond these, each of a user and an address that have none", "8",
         lambda: concurrency.DOWNLOADS_OF_NEWCOMERS),
        ("lines that a download reads at a time", "500", lambda: task_logs.DOWNLOAD_PAGE),
        ("bytes that a download sends together", "64,000", lambda: downloads.GZIP_BLOCK),
    ],
    "Limits of the jobs that are shipped": [
        ("files that `knowledge_base` reads, unless asked otherwise", "4,000",
         lambda: unless_asked(KnowledgeBaseParams, "limit")),
        ("files that `knowledge_base` reads at most", "20,000", lambda: most(KnowledgeBaseParams, "limit")),
        ("bytes of one file", "1 MB", lambda: knowledge_base.MAX_FILE_BYTES),
        ("bytes of all files", "512 MB", lambda: knowledge_base.MAX_CACHE_BYTES),
        ("bytes of what `knowledge_base` writes", "64 MB", lambda: knowledge_base.MAX_OUTPUT_BYTES),
        ("characters of its folder", "1,000", lambda: most(KnowledgeBaseParams, "root")),
        ("characters of its pattern", "200", lambda: most(KnowledgeBaseParams, "pattern")),
        ("alternatives in braces in its pattern", "32", lambda: _files.MAX_ALTERNATIVES),
        ("terms that it remembers of a file", "64", lambda: _documents.KEPT_TERMS),
        ("terms that it remembers of all files", "50,000", lambda: _topics.VOCABULARY),
        ("words that it knows without looking again", "65,536", lambda: _documents.terms.cache_parameters()["maxsize"]),
        ("topics, and files that failed, that its result names", "10", lambda: knowledge_base.SHOWN),
        ("characters of an `artifact`'s content", "60,000", lambda: most(ArtifactParams, "content")),
        ("bytes of its result", "60,000", lambda: artifact.MAX_RESULT_BYTES),
        ("its questions, unless asked otherwise", "5", lambda: unless_asked(ArtifactOptions, "num_questions")),
        ("its questions at most", "50", lambda: most(ArtifactOptions, "num_questions")),
        ("its repairs", "2", lambda: artifact.REPAIRS),
    ],
}  # fmt: skip
