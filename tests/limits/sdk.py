"""Limits of the package that reports, in programs that are not Taskroom's own workers."""

from __future__ import annotations

from taskroom._transport import (
    answer,
    beats,
    client,
    encoding,
    forking,
    notices,
    outbox,
    plain,
    sender,
    settings,
    tasks,
)
from tests.limits.product import Row, same

LIMITS = settings.Limits()

ROWS: dict[str, list[Row]] = {
    "Limits of the package that reports": [
        ("time in which events gather for a batch", "0.25 s", lambda: LIMITS.gather_seconds),
        ("events of a batch", "500", lambda: LIMITS.batch_events),
        ("tasks of a batch", "50", lambda: LIMITS.batch_tasks),
        ("bytes of a batch as JSON, about", "1 MB", lambda: LIMITS.batch_bytes),
        ("bytes of a batch, after the server has refused a larger one", "32 kB", lambda: sender.SMALLEST_BATCH),
        ("events of the batches in memory, while the server is away", "10,000", lambda: LIMITS.memory_events),
        ("bytes of the batches in memory", "8 MB", lambda: LIMITS.memory_bytes),
        ("events that are not encoded yet", "20,000", lambda: 2 * LIMITS.memory_events),
        ("bytes of these events, about", "16 MB", lambda: 2 * LIMITS.memory_bytes),
        ("events among them from which on the code that reports encodes too", "10,000",
         lambda: LIMITS.memory_events),
        ("ends of attempts and fields of tasks that are kept although there is no room", "1,000",
         lambda: outbox.MOST_HELD),
        ("bytes of the files of a spool", "64 MB", lambda: LIMITS.spool_bytes),
        ("how often a process looks for what others left in the spool", "5 s", lambda: LIMITS.look_seconds),
        ("wait for a connection", "3 s", lambda: LIMITS.connect_seconds),
        ("wait for an answer", "15 s", lambda: LIMITS.answer_seconds),
        ("bytes of an answer", "8 MB", lambda: answer.LARGEST),
        ("first pause between tries while the server is away", "0.5 s", lambda: LIMITS.shortest_wait),
        ("longest pause between tries while the server is away", "30 s", lambda: LIMITS.longest_wait),
        ("pause that the server may ask for", "5 min", lambda: answer.LONGEST_RETRY_AFTER),
        ("pause after the key was refused", "60 s", lambda: LIMITS.refused_wait),
        ("pause between two warnings that the server is away", "60 s", lambda: notices.PERIOD_SECONDS),
        ("wait of a process that ends", "2 s", lambda: same(forking.CLOSE_SECONDS, client.CLOSE_SECONDS)),
        ("tasks that are remembered", "10,000", lambda: tasks.MOST_TASKS),
        ("time after which a run that reports nothing is lost, unless it says another", "60 s",
         lambda: tasks.LEASE_SECONDS),
        ("workers and queues that are reported at once, of each", "200", lambda: beats.MOST),
        ("bytes of an event as JSON", "512 kB", lambda: encoding.EVENT_LIMIT),
        ("values of a field", "50,000", lambda: plain.MOST_VALUES),
        ("lists within lists", "32", lambda: plain.DEEPEST),
        ("characters of a key of an object", "200", lambda: plain.KEY_LIMIT),
        ("bytes of an array of numbers", "100 kB", lambda: plain.ARRAY_BYTES),
    ],
}  # fmt: skip
