"""What an error of Postgres, Redis, the kernel or the disk means, and what each part then does. Decided here alone.

=========== ============================= ==================== ============= ======================== ==============
cause       examples                      the writer           the breaker   a connection             a request
=========== ============================= ==================== ============= ======================== ==============
DATA        22…, 23…, a text with NUL     gives up the event   has answered  is kept                  500
UNDONE      40…, 53…, 55…, 57014          tries again          has answered  Single's is made anew    503
READ_ONLY   25006, a replica of Redis     tries again          "read only"   is made anew             503
BROKEN      25P03, 58…, XX…               tries again          has answered  is made anew             503
UNFIT       28…, 3D…, 42P01, 42501        tries again          has answered  is made anew             503
AWAY        08…, 57P…, no SQLSTATE        tries again          opens         is made anew             503
SHORT       EMFILE, ENOSPC, no memory     tries again          has answered  is made anew             503
FAULT       42703, 0A…, whatever else     tries again          has answered  Single's is made anew    500
=========== ============================= ==================== ============= ======================== ==============

A Retry-After comes with each 503. ``of_accept`` says when a listening socket is of no use any more, which ends the
process with one line.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from enum import Enum

import psycopg2
from redis import exceptions as redis


@dataclass(frozen=True, slots=True)
class _Then:
    name: str
    passes: bool  # the same again, later, may work
    told: str = ""  # to the caller of a request


class Cause(Enum):
    """What is at fault."""

    DATA = _Then("data", False)  # the values: the same again fails again
    UNDONE = _Then("undone", True, "The database was too busy; try again")
    READ_ONLY = _Then("read only", True, "The database is read only for now; try again")
    BROKEN = _Then(
        "broken", True, "The database does not answer; try again"
    )  # the session is of no use any more
    UNFIT = _Then("unfit", True, "The database is not ready for this version; try again")  # tables, rights
    AWAY = _Then("away", True, "The database does not answer; try again")
    SHORT = _Then("short", True, "Files, memory or disk are short for now; try again")
    FAULT = _Then("fault", False)  # of our code

    @property
    def passes(self) -> bool:
        return self.value.passes


# By the whole SQLSTATE, else by its class, the first two characters.
_STATES = {
    "22": Cause.DATA,
    "23": Cause.DATA,
    "40": Cause.UNDONE,
    "53": Cause.UNDONE,
    "55": Cause.UNDONE,
    "57014": Cause.UNDONE,
    "25006": Cause.READ_ONLY,
    "25": Cause.BROKEN,
    "26": Cause.BROKEN,  # a prepared statement that a pooler between us does not have
    "34": Cause.BROKEN,
    "58": Cause.BROKEN,
    "F0": Cause.BROKEN,
    "XX": Cause.BROKEN,
    "08": Cause.AWAY,
    "57": Cause.AWAY,
    "28": Cause.UNFIT,
    "3D": Cause.UNFIT,
    "3F": Cause.UNFIT,
    "42501": Cause.UNFIT,
    "42P01": Cause.UNFIT,
}

# An error of connecting has no SQLSTATE in this driver, though the server may have said one.
_REFUSALS = {
    "sorry, too many clients": "53300",
    "remaining connection slots": "53300",
    "too many connections for": "53300",
    "the database system is": "57P03",  # starting up, shutting down, in recovery
    "password authentication failed": "28P01",
    "no pg_hba.conf entry": "28000",
}

# What its driver has no class for.
_REDIS = {
    "MISCONF": Cause.SHORT,  # its disk
    "MASTERDOWN": Cause.AWAY,
    "CLUSTERDOWN": Cause.AWAY,
    "TRYAGAIN": Cause.AWAY,
}

OUT_OF_FILES_OR_MEMORY = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EAGAIN})
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
# accept() also hands on what befell a connection, or its network, before it was accepted.
_PEER = frozenset(
    {
        errno.ECONNABORTED,
        errno.ECONNRESET,
        errno.EPIPE,
        errno.EPERM,
        errno.EPROTO,
        errno.ENOPROTOOPT,
        errno.EINTR,
    }
    | {
        errno.EOPNOTSUPP,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ETIMEDOUT,
    }
)
_NETWORK = _PEER - {errno.EPERM, errno.EOPNOTSUPP} | {errno.ECONNREFUSED, errno.ENOTCONN, errno.ESHUTDOWN}


def of(error: BaseException) -> Cause:
    """What is at fault. An error that wraps a driver's (``orig``) is that; one that knows its ``cause`` says it."""
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
        return Cause.SHORT
    if isinstance(error, (ValueError, TypeError, LookupError, ArithmeticError)):
        return Cause.DATA  # what Python says of a value that cannot be encoded or folded
    return Cause.FAULT


def sqlstate(error: BaseException) -> str | None:
    """What the server said, also while it refused to let us in; None when it said nothing that we know."""
    error = getattr(error, "orig", None) or error
    state: str | None = getattr(error, "pgcode", None)
    if state is None and isinstance(error, psycopg2.OperationalError):
        text = str(error)
        return next((known for part, known in _REFUSALS.items() if part in text), None)
    return state


def told(error: BaseException) -> str:
    """What the caller of a request hears of an error that passes."""
    cause = of(error)
    of_postgres = isinstance(getattr(error, "cause", None), Cause) or isinstance(error, psycopg2.Error)
    if cause in (Cause.AWAY, Cause.BROKEN, Cause.UNFIT) and not of_postgres:
        return "Something that this needs does not answer; try again"
    return cause.value.told


def first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def of_accept(error: OSError) -> Cause:
    """AWAY: that connection alone, the next may come at once. SHORT: after a pause. FAULT: there will be no next."""
    if error.errno in _PEER:
        return Cause.AWAY
    return Cause.SHORT if error.errno in OUT_OF_FILES_OR_MEMORY else Cause.FAULT


def _of_postgres(error: psycopg2.Error) -> Cause:
    state = sqlstate(error)
    if state is not None:
        return _STATES.get(state) or _STATES.get(state[:2], Cause.FAULT)
    # The driver's own word: of a value, of how it is used, or of a connection that is gone.
    if isinstance(error, psycopg2.DataError) or "can't adapt" in str(error):
        return Cause.DATA
    if isinstance(error, (psycopg2.ProgrammingError, psycopg2.NotSupportedError)):
        return Cause.FAULT
    return Cause.AWAY


def _of_redis(error: redis.RedisError) -> Cause:
    if isinstance(error, (redis.AuthenticationError, redis.NoPermissionError)):
        return Cause.UNFIT
    if isinstance(error, redis.ReadOnlyError):
        return Cause.READ_ONLY
    if isinstance(error, redis.OutOfMemoryError):
        return Cause.SHORT
    if isinstance(error, redis.DataError):
        return Cause.DATA
    if isinstance(error, (redis.ConnectionError, redis.TimeoutError)):
        return Cause.AWAY
    return _REDIS.get(str(error).partition(" ")[0], Cause.FAULT)


def _of_system(error: OSError) -> Cause:
    if error.errno in OUT_OF_FILES_OR_MEMORY | _DISK:
        return Cause.SHORT
    network = isinstance(error, (ConnectionError, TimeoutError)) or error.errno in _NETWORK
    return Cause.AWAY if network else Cause.FAULT
