"""The cause of an error of Postgres, Redis, the kernel or the disk, and what each part then does.

================ ============================= ==================== ============= ======================== ========
cause            examples                      the writer           the breaker   a connection             a request
================ ============================= ==================== ============= ======================== ========
INVALID_DATA     22…, 23…, a text with NUL     drops the event      closes        is kept                  500
BUSY             40…, 53…, 55…, 57014          retries              closes        thread's is replaced     503
READ_ONLY        25006, a replica of Redis     retries              "read only"   is replaced              503
SESSION_BROKEN   25P03, 58…, XX…               retries              closes        is replaced              503
NOT_READY        28…, 3D…, 42P01, 42501        retries              closes        is replaced              503
UNAVAILABLE      08…, 57P…, no SQLSTATE        retries              opens         is replaced              503
OUT_OF_RESOURCES EMFILE, ENOSPC, no memory     retries              closes        is replaced              503
BUG              42703, 0A…, all others        retries              closes        thread's is replaced     500
================ ============================= ==================== ============= ======================== ========

Each 503 has ``Retry-After``. ``of_accept`` is for errors of a listening socket; its BUG means that the socket is of no
use any more, and the process exits with one line.
"""

from __future__ import annotations

import errno
from enum import Enum

import psycopg2
from redis import exceptions as redis


class Cause(Enum):
    """The reason of an error. ``is_temporary``: the same operation may succeed later."""

    INVALID_DATA = "invalid data"  # the same values fail again
    BUSY = "busy"
    READ_ONLY = "read only"
    SESSION_BROKEN = "session broken"
    NOT_READY = "not ready"  # tables or rights are missing
    UNAVAILABLE = "unavailable"
    OUT_OF_RESOURCES = "out of resources"
    BUG = "bug"  # in our code

    @property
    def is_temporary(self) -> bool:
        return self in _CLIENT_MESSAGES


_CLIENT_MESSAGES = {
    Cause.BUSY: "The database was too busy; try again",
    Cause.READ_ONLY: "The database is read only for now; try again",
    Cause.SESSION_BROKEN: "The database does not answer; try again",
    Cause.NOT_READY: "The database is not ready for this version; try again",
    Cause.UNAVAILABLE: "The database does not answer; try again",
    Cause.OUT_OF_RESOURCES: "The server is short of files, memory or disk for now; try again",
}

# The whole SQLSTATE decides, else its class, the first two characters.
_SQLSTATES = {
    "22": Cause.INVALID_DATA,
    "23": Cause.INVALID_DATA,
    "40": Cause.BUSY,
    "53": Cause.BUSY,
    "55": Cause.BUSY,
    "57014": Cause.BUSY,
    "25006": Cause.READ_ONLY,
    "25": Cause.SESSION_BROKEN,
    "26": Cause.SESSION_BROKEN,  # a prepared statement that the pooler does not know
    "34": Cause.SESSION_BROKEN,
    "58": Cause.SESSION_BROKEN,
    "F0": Cause.SESSION_BROKEN,
    "XX": Cause.SESSION_BROKEN,
    "08": Cause.UNAVAILABLE,
    "57": Cause.UNAVAILABLE,
    "28": Cause.NOT_READY,
    "3D": Cause.NOT_READY,
    "3F": Cause.NOT_READY,
    "42501": Cause.NOT_READY,
    "42P01": Cause.NOT_READY,
}

# In this driver a failed connect has no SQLSTATE, although the server sends one.
_CONNECT_ERRORS = {
    "sorry, too many clients": "53300",
    "remaining connection slots": "53300",
    "too many connections for": "53300",
    "the database system is": "57P03",  # starting up, shutting down, in recovery
    "password authentication failed": "28P01",
    "no pg_hba.conf entry": "28000",
}

# Errors without a class in the driver, by their first word.
_REDIS = {
    "MISCONF": Cause.OUT_OF_RESOURCES,  # Redis cannot write to its disk
    "MASTERDOWN": Cause.UNAVAILABLE,
    "CLUSTERDOWN": Cause.UNAVAILABLE,
    "TRYAGAIN": Cause.UNAVAILABLE,
}

OUT_OF_FILES_OR_MEMORY = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EAGAIN})
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
# accept() also reports errors of the connection or its network from before the accept.
_PEER = frozenset(
    (
        *(errno.ECONNABORTED, errno.ECONNRESET, errno.EPIPE, errno.EPERM, errno.EPROTO, errno.ENOPROTOOPT),
        *(errno.EINTR, errno.EOPNOTSUPP, errno.ETIMEDOUT),
        *(errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH),
    )
)
_NETWORK = _PEER - {errno.EPERM, errno.EOPNOTSUPP} | {errno.ECONNREFUSED, errno.ENOTCONN, errno.ESHUTDOWN}


def of(error: BaseException) -> Cause:
    """Returns the error's own ``cause``, else the cause of the driver's error (``orig``), else of the error itself."""
    known = getattr(error, "cause", None)
    if isinstance(known, Cause):
        return known
    error = getattr(error, "orig", None) or error
    if isinstance(error, psycopg2.Error):
        return _of_postgres(error)
    if isinstance(error, redis.RedisError):
        return _of_redis(error)
    if isinstance(error, OSError):
        return _of_system(error)
    if isinstance(error, MemoryError) or "can't start new thread" in str(error):
        return Cause.OUT_OF_RESOURCES
    if isinstance(error, (ValueError, TypeError, LookupError, ArithmeticError)):
        return Cause.INVALID_DATA  # a value cannot be encoded or folded
    return Cause.BUG


def sqlstate(error: BaseException) -> str | None:
    """Returns the server's SQLSTATE, also of a failed connect; None when there is none or its text is unknown."""
    error = getattr(error, "orig", None) or error
    state: str | None = getattr(error, "pgcode", None)
    if state is None and isinstance(error, psycopg2.OperationalError):
        text = str(error)
        return next((known for part, known in _CONNECT_ERRORS.items() if part in text), None)
    return state


def client_message(error: BaseException) -> str:
    """Returns the text for the caller of a request that met a temporary error."""
    cause = of(error)
    of_postgres = isinstance(getattr(error, "cause", None), Cause) or isinstance(error, psycopg2.Error)
    if cause in (Cause.UNAVAILABLE, Cause.SESSION_BROKEN, Cause.NOT_READY) and not of_postgres:
        return "A server that this request needs does not answer; try again"
    return _CLIENT_MESSAGES.get(cause, "")


def first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def of_accept(error: OSError) -> Cause:
    """Returns the cause of an error of ``accept()``.

    UNAVAILABLE: only that connection failed; call ``accept`` again at once. OUT_OF_RESOURCES: call it again after a
    pause. BUG: the listening socket is of no use any more.
    """
    if error.errno in _PEER:
        return Cause.UNAVAILABLE
    return Cause.OUT_OF_RESOURCES if error.errno in OUT_OF_FILES_OR_MEMORY else Cause.BUG


def _of_postgres(error: psycopg2.Error) -> Cause:
    state = sqlstate(error)
    if state is not None:
        return _SQLSTATES.get(state) or _SQLSTATES.get(state[:2], Cause.BUG)
    # An error of the driver itself: an invalid value, a wrong use of the driver, or a lost connection.
    if isinstance(error, psycopg2.DataError) or "can't adapt" in str(error):
        return Cause.INVALID_DATA
    if isinstance(error, (psycopg2.ProgrammingError, psycopg2.NotSupportedError)):
        return Cause.BUG
    return Cause.UNAVAILABLE


def _of_redis(error: redis.RedisError) -> Cause:
    if isinstance(error, (redis.AuthenticationError, redis.NoPermissionError)):
        return Cause.NOT_READY
    if isinstance(error, redis.ReadOnlyError):
        return Cause.READ_ONLY
    if isinstance(error, redis.OutOfMemoryError):
        return Cause.OUT_OF_RESOURCES
    if isinstance(error, redis.DataError):
        return Cause.INVALID_DATA
    if isinstance(error, (redis.ConnectionError, redis.TimeoutError)):
        return Cause.UNAVAILABLE
    return _REDIS.get(str(error).partition(" ")[0], Cause.BUG)


def _of_system(error: OSError) -> Cause:
    if error.errno in OUT_OF_FILES_OR_MEMORY | _DISK:
        return Cause.OUT_OF_RESOURCES
    network = isinstance(error, (ConnectionError, TimeoutError)) or error.errno in _NETWORK
    return Cause.UNAVAILABLE if network else Cause.BUG
