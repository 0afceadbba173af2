"""The pool of connections to Postgres of a web process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import PoolProxiedConnection

from app import green
from app.db.breaker import Breaker, BreakerOpen, Call
from app.errors import causes
from app.errors.causes import Cause
from app.green.turn import LoopTurn
from app.stream.store import Connect, DatabaseUnavailable

# The server ends the session of a process that is stopped within a transaction: such a session would hold the lock of
# its stream for ever, and block the cancel of the task and the end of its lease.
SERVER_LIMITS = {
    "idle_in_transaction_session_timeout": "3s",
    "lock_timeout": "5s",
    "statement_timeout": "10s",
    "tcp_user_timeout": "5s",
}

POOL_SECONDS = 2.0  # a request's wait for a free connection
NO_CONNECTION = f"no connection became free in {POOL_SECONDS:.0f} s"
# The server's limit for a statement: longer than for an idle transaction, for whose lock the statement may wait.
POOLED_STATEMENT = "4s"
# Our wait for the server: longer than the server's own limit, so that a slow query never looks like an outage. A server
# that reports a timeout is available; a stopped or disconnected server reports nothing.
ANSWER_SECONDS = 5.0

# What the pool does after an error, by its cause; docs/operations.md, "Errors", has the whole table. Errors of all
# temporary causes are raised as DatabaseUnavailable.
REPLACES = frozenset(Cause) - {Cause.INVALID_DATA, Cause.BUSY, Cause.BUG}  # closes the connection
OPENS = Cause.UNAVAILABLE  # opens the breaker: after any other error, Postgres has answered
OPENS_WRITES = Cause.READ_ONLY  # opens the breaker of those who write

TRIAL_SECONDS = 2.0  # of the call that tests the server; other callers are refused meanwhile


def connect_args(**more: str) -> dict[str, Any]:
    """Returns arguments of psycopg2.connect: time limits at both ends of the connection."""
    limits = SERVER_LIMITS | more
    return {
        "connect_timeout": 3,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 5000,
        "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
    }


def engine_options(size: int) -> dict[str, Any]:
    """Returns the options of SQLAlchemy for the pool of a web process."""
    return {
        "connect_args": connect_args(statement_timeout=POOLED_STATEMENT),
        "pool_size": size,
        "max_overflow": 0,
        "pool_timeout": POOL_SECONDS,
        "pool_use_lifo": True,
    }


def pooled(engine: Engine, breaker: Breaker, autocommit: bool = False) -> Connect:
    """Lends connections of the pool, for a transaction or, with ``autocommit``, for single reads: these need no BEGIN
    and COMMIT, which are two of three round trips. While Postgres is unavailable it raises DatabaseUnavailable at
    once."""

    @contextmanager
    def connect() -> Iterator[Connection]:
        call = _enter(breaker)
        seconds = TRIAL_SECONDS if call.tests else ANSWER_SECONDS
        lent: PoolProxiedConnection | None = None
        replaced = False
        try:
            with green.limit(seconds, DatabaseUnavailable(f"no answer in {seconds:.0f} s")):
                lent = engine.raw_connection()
                raw = lent.driver_connection
                assert raw is not None
                raw.autocommit = autocommit
                with in_transaction(raw):
                    yield raw
        except PoolTimeout as error:  # a limit of ours, which says nothing about Postgres
            breaker.left(call)
            raise DatabaseUnavailable(NO_CONNECTION, Cause.BUSY) from error
        except Exception as error:
            cause, reason = _cause(error, lent), causes.first_line(error)
            replaced = cause in REPLACES
            if cause is not OPENS:
                breaker.answered(call)
            elif breaker.failed(call, reason) and lent is not None:
                # The other connections are most likely broken too; each would cost a request an error.
                engine.dispose(close=False)
            if cause.is_temporary:
                raise DatabaseUnavailable(reason, cause) from error
            raise
        except BaseException:
            replaced = True  # the greenlet is ended during a statement, which continues on the server
            breaker.left(call)
            raise
        else:
            breaker.answered(call)
        finally:
            if lent is not None:
                if replaced or _closed(lent):
                    lent.invalidate()
                else:
                    lent.close()
        LoopTurn.give_way()  # else the responses of many reads would be built in one iteration of the loop

    return connect


def writing(connect: Connect, writes: Breaker, reconnect: Callable[[], None]) -> Connect:
    """Wraps ``connect`` for writers: while Postgres is read-only, writers are refused at once and readers are not.
    ``reconnect`` is called when a writer finds Postgres read-only: another server may accept writes now."""

    @contextmanager
    def lend() -> Iterator[Connection]:
        call = _enter(writes)
        try:
            with connect() as connection:
                if call.tests:
                    require_writable(connection)
                yield connection
        except DatabaseUnavailable as error:
            if error.cause is OPENS_WRITES and writes.failed(call, str(error)):
                reconnect()
            else:
                writes.left(call)
            raise
        except BaseException:
            writes.left(call)
            raise
        if call.tests:
            writes.answered(call)
        else:
            writes.left(call)  # the caller may have read only, which says nothing about writes

    return lend


def require_writable(connection: Connection) -> None:
    """Raises DatabaseUnavailable when Postgres is read-only: the caller that tests for all may only read itself."""
    with connection.cursor() as cur:
        cur.execute("SELECT current_setting('transaction_read_only') = 'on', EXISTS (SELECT FROM streams)")
        if cur.fetchall()[0][0]:
            raise DatabaseUnavailable("it is read-only", Cause.READ_ONLY)


def _enter(breaker: Breaker) -> Call:
    try:
        return breaker.enter()
    except BreakerOpen as error:
        raise DatabaseUnavailable(str(error), breaker.cause) from error


def _cause(error: Exception, lent: PoolProxiedConnection | None) -> Cause:
    """Returns the cause of an error in the block, or of the connect when nothing was lent. Every error of the caller's
    own code, such as NotFound, is a BUG here: it says nothing about Postgres, and is raised as it is."""
    if isinstance(error, DatabaseUnavailable) and error.cause is not Cause.UNAVAILABLE:
        return error.cause
    if isinstance(error, (psycopg2.Error, DBAPIError)):
        cause = causes.of(error)
    else:
        cause = Cause.BUG if lent is not None and not _closed(lent) else Cause.UNAVAILABLE
    return cause if lent is not None or cause.is_temporary else Cause.UNAVAILABLE


@contextmanager
def in_transaction(connection: Connection) -> Iterator[None]:
    """Commits or rolls back. psycopg2's own block begins a transaction under autocommit too, and hides the error that
    closed the connection."""
    try:
        yield
    except BaseException:
        if not connection.closed:
            connection.rollback()
        raise
    connection.commit()


def _closed(lent: PoolProxiedConnection) -> bool:
    return lent.driver_connection is None or bool(lent.driver_connection.closed)
