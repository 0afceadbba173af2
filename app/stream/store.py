"""The SQL of streams and events: append a batch, read after a cursor, read heads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from app.errors import TaskroomError
from app.errors.causes import Cause
from app.stream import pages
from app.stream.event import Draft, Event, finished, is_line, is_shared, json_prefix, number
from app.stream.pg_arrays import QuotedText, array, texts

Connect = Callable[[], AbstractContextManager[Connection]]
"""Lends a connection: a block that ends well commits, else it rolls back. Raises DatabaseUnavailable."""

Project = Callable[[Cursor, Sequence[tuple[Event, Draft]]], Sequence[Draft]]
"""Folds the inserted events into their projections, in the same transaction. Returns the events that follow from events
of tasks: on the streams of a task's parents, and on shared streams (a user's, everybody's)."""


class DatabaseUnavailable(TaskroomError):
    """Postgres is unreachable, takes no writes, or gave up on a lock or a statement. A retry may succeed."""

    def __init__(self, why: str, cause: Cause = Cause.UNAVAILABLE) -> None:
        super().__init__(why)
        self.cause = cause


class NoSuchStream(TaskroomError, LookupError):
    """There is no such stream. A KeyError would be taken for a fault of this program."""


BATCH_EVENTS = 1_000
BATCH_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Head:
    """The state of a stream. ``pruned_to`` is the last sequence that was deleted; 0 when all events are kept."""

    last_seq: int
    pruned_to: int
    closed: bool


@dataclass(slots=True)
class Appended:
    """The result of an append. ``refused`` streams are closed, gone, or belong to a newer attempt."""

    events: list[Event] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    cancel_requested: set[str] = field(default_factory=set)

    def add(self, other: Appended) -> None:
        """Adds the result of another append in the same transaction."""
        self.events += other.events
        self.refused |= other.refused
        self.closed |= other.closed
        self.cancel_requested |= other.cancel_requested

    def by_stream(self) -> dict[str, list[Event]]:
        streams: dict[str, list[Event]] = defaultdict(list)
        for event in self.events:
            streams[event.stream].append(event)
        return streams


@dataclass(slots=True)
class _Locked:
    id: int
    last_seq: int
    attempt: int
    attempt_given_up: bool
    closed: bool
    cancel_requested: bool
    lines: int | None  # of its log so far; None where they were not counted from the first

    def refuses(self, attempt: int | None) -> bool:
        """Whether an event of this attempt comes too late; None is an event that no attempt sends."""
        return self.closed or (attempt is not None and (attempt != self.attempt or self.attempt_given_up))


_LOCK = """SELECT name, id, last_seq, attempt, attempt_given_up, closed, cancel_requested, lines FROM streams
    WHERE name = ANY(%(names)s){} ORDER BY id FOR NO KEY UPDATE"""
_ANCESTORS = " OR id = ANY(ARRAY(SELECT unnest(ancestors) FROM streams WHERE name = ANY(%(ending)s)))"


def lock(
    cur: Cursor, names: Iterable[str], ending: Collection[str] = (), wait: bool = True
) -> dict[str, _Locked]:
    """Locks stream rows in the order of their ids: a multi-row UPDATE locks in no order and deadlocks.

    The ancestors of the streams in ``ending`` are locked too, for an end changes them; they have lower ids, so the
    holder of a parent's lock may lock any of its children. Without ``wait`` rows that are locked are left out.
    """
    statement = _LOCK.format(_ANCESTORS if ending else "") + ("" if wait else " SKIP LOCKED")
    cur.execute(statement, {"names": list(names), "ending": list(ending)})
    return {name: _Locked(*rest) for name, *rest in cur}


def append(cur: Cursor, drafts: Sequence[Draft], project: Project) -> Appended:
    """Numbers and stores a batch within the caller's transaction. The one way into a stream.

    The row lock is held from here to the commit, so sequence order is commit order. Events of shared streams are
    appended last, so no transaction waits for another lock while it holds one of theirs. Nothing follows from them.
    """
    done, shared, ending = Appended(), list[Draft](), {d.stream for d in drafts if d.closes}
    while drafts:
        names = {d.stream for d in drafts}
        if of_all := {name for name in names if is_shared(name)}:
            shared += [d for d in drafts if d.stream in of_all]
            drafts = [d for d in drafts if d.stream not in of_all]
        streams = lock(cur, names - of_all, ending) if drafts else {}
        drafts, ending = _append_locked(cur, drafts, project, streams, done), set()
    if shared:
        streams = lock_shared(cur, {d.stream for d in shared})
        _append_locked(cur, finished(cur, shared), project, streams, done)
    return done


def _append_locked(
    cur: Cursor, drafts: Sequence[Draft], project: Project, streams: Mapping[str, _Locked], done: Appended
) -> Sequence[Draft]:
    prefixes = {name: json_prefix(name) for name in streams}
    events, stored = list[Event](), list[Draft]()
    for draft in drafts:
        row = streams.get(stream := draft.stream)
        if row is None or row.refuses(draft.attempt):
            done.refused.add(stream)
            continue
        row.last_seq += 1
        if draft.closes:
            row.closed = True
            done.closed.add(stream)
        if counted := row.lines is not None and is_line(draft):
            row.lines += 1
        events.append(number(draft, prefixes[stream], row.last_seq, row.lines if counted else None))
        stored.append(draft)
    done.cancel_requested |= {name for name, row in streams.items() if row.cancel_requested}
    if not events:
        return ()
    _insert(cur, events, streams)
    done.events += events
    return project(cur, list(zip(events, stored, strict=True)))


def lock_shared(cur: Cursor, names: set[str]) -> dict[str, _Locked]:
    """Locks shared streams as ``lock`` does and creates missing ones: a user's stream begins with its first event."""
    streams = lock(cur, names)
    if missing := sorted(names - streams.keys()):
        cur.execute("INSERT INTO streams (name) SELECT unnest(%s) ON CONFLICT DO NOTHING", (missing,))
        streams = lock(cur, names)
    return streams


def _insert(cur: Cursor, events: Sequence[Event], streams: Mapping[str, _Locked]) -> None:
    """Stores events and the new heads of their streams: two statements in one round trip.

    A payload is one line, so the payloads are sent as one text that Postgres splits: an array takes twice the time.
    """
    sizes: dict[str, int] = {}
    for e in events:
        # Python knows whether a text is ASCII, and then its length in bytes without encoding it.
        size = len(e.payload) if e.payload.isascii() else len(e.payload.encode())
        sizes[e.stream] = sizes.get(e.stream, 0) + size
    touched = [streams[name] for name in sizes]
    payloads = "\n".join([e.payload for e in events])
    cur.execute(
        """INSERT INTO events (stream_id, seq, type, level, phase, payload)
           SELECT unnest(%s::bigint[]), unnest(%s::bigint[]), unnest(%s::text[]), unnest(%s::text[]),
                  unnest(%s::text[]), unnest(string_to_array(%s, E'\\n'));
           UPDATE streams SET last_seq = new.last_seq, closed = new.closed, lines = new.lines,
               bytes = streams.bytes + new.bytes
           FROM unnest(%s::bigint[], %s::bigint[], %s::boolean[], %s::bigint[], %s::bigint[])
               AS new (id, last_seq, closed, lines, bytes)
           WHERE streams.id = new.id""",
        (
            array([str(streams[e.stream].id) for e in events]),
            array([str(e.sequence) for e in events]),
            texts([e.type for e in events]),
            texts([e.level for e in events]),
            texts([e.phase for e in events]),
            # In other encodings a byte of a letter may look like a backslash, which the driver escapes rightly.
            QuotedText(payloads) if cur.connection.encoding == "UTF8" else payloads,
            *([r.id for r in touched], [r.last_seq for r in touched], [r.closed for r in touched]),
            [r.lines for r in touched],
            list(sizes.values()),
        ),
    )


def open_stream(cur: Cursor, name: str, parent: str | None = None) -> int:
    """Inserts the stream's row; returns its id."""
    cur.execute(
        """INSERT INTO streams (name, ancestors) VALUES (%s, (SELECT ancestors || id FROM streams WHERE name = %s))
           RETURNING id""",
        (name, parent),
    )
    return int(cur.fetchall()[0][0])


class Store:
    """Reads streams, a statement at a time, and creates shared ones over ``write``, by default ``connect`` too."""

    def __init__(self, connect: Connect, write: Connect | None = None) -> None:
        self.connect, self._write = connect, write or connect

    def after(self, stream: str, cursor: int, limit: int = 500) -> list[Event]:
        """Returns the events after the cursor, contiguous from ``cursor + 1``, about a megabyte at most; [] for none.

        A page is cut before a gap: the caller reads the head and finds that its cursor was pruned meanwhile.
        """
        with self.connect() as conn, conn.cursor() as cur:
            return pages.after(cur, stream, cursor, limit)

    def page_part(self, stream: str, start: int, limit: int, cursor: int) -> list[Event]:
        """Returns the contiguous part of the ``limit`` events after ``start`` that holds the event after ``cursor``,
        about a megabyte at most; [] when that event does not exist."""
        with self.connect() as conn, conn.cursor() as cur:
            return pages.page_part(cur, stream, start, limit, cursor)

    def head_or_create(self, stream: str) -> Head | None:
        """Returns the stream's head, None for an unknown stream. A shared stream is created here when it is missing.
        That commit does not wait for the disk: a row lost in a crash is created again before it gets an event."""
        head = self.heads([stream]).get(stream)
        if head is not None or not is_shared(stream):
            return head
        with self._write() as conn, conn.cursor() as cur:
            cur.execute(
                """SET LOCAL synchronous_commit = off;
                   INSERT INTO streams (name) VALUES (%s) ON CONFLICT DO NOTHING""",
                (stream,),
            )
            made = cur.rowcount == 1
        return Head(0, 0, False) if made else self.heads([stream]).get(stream)

    def heads(self, streams: Sequence[str]) -> dict[str, Head]:
        """Returns the heads of the streams, in one query; unknown streams are left out."""
        with self.connect() as conn, conn.cursor() as cur:
            cur.execute(
                "SELECT name, last_seq, pruned_to, closed FROM streams WHERE name = ANY(%s)", (list(streams),)
            )
            return {name: Head(*rest) for name, *rest in cur}
