"""Connections to Postgres: the web's pool, and single ones for a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import PoolProxiedConnection

from app import green
from app.db.breaker import Breaker, Call, Refused
from app.errors import causes
from app.errors.causes import Cause
from app.green.turn import LoopTurn
from app.stream.store import Connect, DatabaseUnavailable

# A process stopped in the middle of a transaction would hold its stream's lock for ever and block
# cancel and the reaper with it; the server ends such a session.
SERVER_LIMITS = {
    "idle_in_transaction_session_timeout": "3s",
    "lock_timeout": "5s",
    "statement_timeout": "10s",
    "tcp_user_timeout": "5s",
}

# A request waits so long for a connection that others use,
POOL_SECONDS = 2.0
# the server so long for a statement: longer than for an idle transaction, behind whose lock it may wait,
POOLED_STATEMENT = "4s"
# and we so long for the server. It comes after the server's own limit, so that a slow query is never taken for an
# outage: who says that a statement took too long is there. A server that is stopped, or cut off, says nothing.
ANSWER_SECONDS = 5.0
TRIAL_SECONDS = 2.0  # all others are refused meanwhile


def connect_args(**more: str) -> dict[str, Any]:
    """Arguments of psycopg2.connect: time limits on both ends of the connection."""
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
    """The web's pool, as SQLAlchemy takes it."""
    return {
        "connect_args": connect_args(statement_timeout=POOLED_STATEMENT),
        "pool_size": size,
        "max_overflow": 0,
        "pool_timeout": POOL_SECONDS,
        "pool_use_lifo": True,
    }


def pooled(engine: Engine, breaker: Breaker, autocommit: bool = False) -> Connect:
    """Lends connections of the engine's pool, for a transaction or, with ``autocommit``, for single reads:
    those need no BEGIN and COMMIT, which are two of three round trips. While Postgres is away it refuses at once."""

    @contextmanager
    def connect() -> Iterator[Connection]:
        call = _enter(breaker)
        seconds = TRIAL_SECONDS if call.tries else ANSWER_SECONDS
        lent: PoolProxiedConnection | None = None
        spoilt = False
        try:
            with green.limit(seconds, DatabaseUnavailable(f"no answer in {seconds:.0f} s")):
                lent = engine.raw_connection()
                raw = lent.driver_connection
                assert raw is not None
                raw.autocommit = autocommit
                with _transaction(raw):
                    yield raw
        except Exception as error:
            cause = _cause(error, lent)
            spoilt = cause not in (None, Cause.INVALID_DATA, Cause.BUSY, Cause.BUG)
            busy = isinstance(error, PoolTimeout)
            why = f"no connection came free in {POOL_SECONDS:.0f} s" if busy else causes.first_line(error)
            if cause is not Cause.UNAVAILABLE:
                breaker.answered(call)
            elif breaker.failed(call, why) and lent is not None:
                # The others are most likely gone too; without this each would cost somebody an error.
                engine.dispose(close=False)
            if cause is not None and cause.is_temporary:
                raise DatabaseUnavailable(why, cause) from error
            raise
        except BaseException:
            spoilt = True  # this greenlet ends in the middle of a statement, which runs on in the server
            breaker.left(call)
            raise
        else:
            breaker.answered(call)
        finally:
            if lent is not None:
                if spoilt or _closed(lent):
                    lent.invalidate()
                else:
                    lent.close()
        LoopTurn.give_way()  # what many have read at once is not made into answers in one turn of the loop

    return connect


def writing(connect: Connect, writes: Breaker, reconnect: Callable[[], None]) -> Connect:
    """As ``connect``, for who writes: while Postgres is read only they are refused at once, and those who read are not.
    ``reconnect`` is called when one finds it so: the server that takes writes may be another one by now."""

    @contextmanager
    def lend() -> Iterator[Connection]:
        call = _enter(writes)
        try:
            with connect() as connection:
                if call.tries:
                    _look_for_writes(connection)
                yield connection
        except DatabaseUnavailable as error:
            if error.cause is Cause.READ_ONLY and writes.failed(call, str(error)):
                reconnect()
            else:
                writes.left(call)
            raise
        except BaseException:
            writes.left(call)
            raise
        if call.tries:
            writes.answered(call)
        else:
            writes.left(call)  # it may have read only, and so know nothing of writes

    return lend


def _look_for_writes(connection: Connection) -> None:
    """Raises DatabaseUnavailable: one that tries for all must not be one that only reads."""
    with connection.cursor() as cur:
        if is_read_only(cur):
            raise DatabaseUnavailable("it is read only", Cause.READ_ONLY)


def is_read_only(cur: Cursor) -> bool:
    """Whether Postgres takes no writes now. Raises psycopg2.Error when the tables are not there."""
    cur.execute("SELECT current_setting('transaction_read_only') = 'on', EXISTS (SELECT FROM streams)")
    return bool(cur.fetchall()[0][0])


def _enter(breaker: Breaker) -> Call:
    try:
        return breaker.enter()
    except Refused as error:
        raise DatabaseUnavailable(str(error), breaker.cause) from error


def _cause(error: Exception, lent: PoolProxiedConnection | None) -> Cause | None:
    """What of Postgres is at fault; None when it has nothing to do with the error."""
    if isinstance(error, (psycopg2.Error, DBAPIError)):
        cause = causes.of(error)
    elif isinstance(error, DatabaseUnavailable) and error.cause is not Cause.UNAVAILABLE:
        return error.cause
    elif lent is not None and not _closed(lent):
        return None
    else:
        cause = Cause.UNAVAILABLE
    return cause if lent is not None or cause.is_temporary else Cause.UNAVAILABLE


@contextmanager
def _transaction(connection: Connection) -> Iterator[None]:
    """psycopg2's own block begins a transaction under autocommit too, and hides the reason why it was closed."""
    try:
        yield
    except BaseException:
        if not connection.closed:
            connection.rollback()
        raise
    connection.commit()


def _closed(lent: PoolProxiedConnection) -> bool:
    return lent.driver_connection is None or bool(lent.driver_connection.closed)


class Single:
    """One connection for one thread, opened when first needed and again after a failure."""

    def __init__(self, dsn: str, **limits: str) -> None:
        self._dsn, self._limits = dsn, limits
        self._connection: Connection | None = None

    def __call__(self) -> AbstractContextManager[Connection]:
        return self._lend()

    @contextmanager
    def _lend(self) -> Iterator[Connection]:
        try:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg2.connect(self._dsn, **connect_args(**self._limits))
            with _transaction(self._connection):
                yield self._connection
        except psycopg2.Error as error:
            cause = causes.of(error)
            if cause is not Cause.INVALID_DATA:
                self.close()
            if cause.is_temporary:
                raise DatabaseUnavailable(causes.first_line(error), cause) from error
            raise

    def close(self) -> None:
        if self._connection is not None:
            with suppress(psycopg2.Error):
                self._connection.close()
            self._connection = None
