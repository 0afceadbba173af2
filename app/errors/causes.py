"""The cause of an error of Postgres, Redis, the kernel or the disk.

docs/operations.md, "Errors", has the table of all causes and what each part does then; tests/errors walks it. No other
file decides by the class, the SQLSTATE, the errno or the text of such an error.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl
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

# The whole SQLSTATE decides, else its class, the first two characters. All others are BUG.
_SQLSTATES = {
    "08": Cause.UNAVAILABLE,
    "22": Cause.INVALID_DATA,
    "23": Cause.INVALID_DATA,
    "25": Cause.SESSION_BROKEN,
    "25001": Cause.BUG,  # a statement of ours in the wrong place of a transaction
    "25006": Cause.READ_ONLY,
    "25P02": Cause.BUG,  # our code has gone on after an error
    "26": Cause.SESSION_BROKEN,  # a prepared statement that the pooler does not know
    "28": Cause.NOT_READY,
    "34": Cause.SESSION_BROKEN,
    "3D": Cause.NOT_READY,
    "3F": Cause.NOT_READY,
    "40": Cause.BUSY,
    "42501": Cause.NOT_READY,
    "42P01": Cause.NOT_READY,
    "53": Cause.BUSY,
    "53000": Cause.OUT_OF_RESOURCES,  # Postgres can open no file
    "53100": Cause.OUT_OF_RESOURCES,
    "53200": Cause.OUT_OF_RESOURCES,
    "55": Cause.BUSY,
    "57": Cause.UNAVAILABLE,
    "57014": Cause.BUSY,
    "58": Cause.SESSION_BROKEN,
    "F0": Cause.SESSION_BROKEN,
    "XX": Cause.SESSION_BROKEN,
}

# In this driver a failed connect has no SQLSTATE, although the server sends one: its text in English tells which.
_CONNECT_ERRORS = {
    "too many clients already": "53300",
    "remaining connection slots are reserved": "53300",
    "too many connections for": "53300",
    "could not fork new process for connection": "53000",
    "the database system is": "57P03",  # starting up, shutting down, in recovery
    "password authentication failed": "28P01",
    "no pg_hba.conf entry": "28000",
    "pg_hba.conf rejects connection": "28000",
    "is not permitted to log in": "28000",
    'role ".*" does not exist': "28000",
    'database ".*" does not exist': "3D000",
    "is not currently accepting connections": "55000",
    "permission denied for database": "42501",
}

# By the first word of the server's answer. All others are BUG.
_REDIS = {
    "BUSY": Cause.BUSY,  # a script runs for too long
    "CLUSTERDOWN": Cause.UNAVAILABLE,
    "DENIED": Cause.NOT_READY,  # protected mode
    "LOADING": Cause.UNAVAILABLE,
    "MASTERDOWN": Cause.UNAVAILABLE,
    "MISCONF": Cause.OUT_OF_RESOURCES,  # Redis cannot write to its disk
    "NOAUTH": Cause.NOT_READY,
    "NOPERM": Cause.NOT_READY,
    "NOREPLICAS": Cause.READ_ONLY,  # too few replicas for min-replicas-to-write
    "OOM": Cause.OUT_OF_RESOURCES,
    "READONLY": Cause.READ_ONLY,
    "TRYAGAIN": Cause.BUSY,
    "UNBLOCKED": Cause.READ_ONLY,  # it became a replica while the command waited
    "WRONGPASS": Cause.NOT_READY,
}
_OF_PIPELINE = re.compile(r"Command # \d+ .* of pipeline caused error: ", re.DOTALL)  # the driver's words

OUT_OF_FILES_OR_MEMORY = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EAGAIN})
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
# libpq has only the texts of errors of the kernel, and one of its own. That of EAGAIN is that of a wait, too.
_SHORT = ("out of memory", *map(os.strerror, sorted(OUT_OF_FILES_OR_MEMORY - {errno.EAGAIN})))
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
    # The driver refuses a text: a lone surrogate, or NUL. No other error of Python speaks of the data alone.
    if isinstance(error, UnicodeEncodeError) or "cannot contain NUL (0x00)" in str(error):
        return Cause.INVALID_DATA
    return Cause.BUG


def sqlstate(error: BaseException) -> str | None:
    """Returns the server's SQLSTATE, also of a failed connect; None when there is none or its text is unknown."""
    error = getattr(error, "orig", None) or error
    state: str | None = getattr(error, "pgcode", None)
    if state is None and isinstance(error, psycopg2.OperationalError):
        text = str(error)
        return next((known for part, known in _CONNECT_ERRORS.items() if re.search(part, text)), None)
    return state


def client_message(error: BaseException) -> str:
    """Returns the text for the caller of a request that met a temporary error."""
    cause = of(error)
    known = isinstance(getattr(error, "cause", None), Cause) or isinstance(error, psycopg2.Error)
    if getattr(error, "of_postgres", known) or cause is Cause.OUT_OF_RESOURCES:
        return _CLIENT_MESSAGES.get(cause, "")
    return "A server that this request needs does not answer; try again"


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
        return Cause.NOT_READY if str(error).startswith("invalid dsn") else Cause.BUG
    return Cause.OUT_OF_RESOURCES if _is_short(error) else Cause.UNAVAILABLE


def _of_redis(error: redis.RedisError) -> Cause:
    word = error.status_code or _OF_PIPELINE.sub("", str(error)).partition(" ")[0]
    if word in _REDIS:
        return _REDIS[word]
    if isinstance(error, redis.AuthenticationError):
        return Cause.NOT_READY
    if isinstance(error, redis.InvalidResponse):
        return Cause.SESSION_BROKEN
    if isinstance(error, (redis.ConnectionError, redis.TimeoutError)):
        if "max number of clients reached" in str(error):
            return Cause.BUSY
        return Cause.OUT_OF_RESOURCES if _is_short(error) else Cause.UNAVAILABLE
    return Cause.BUG


def _is_short(error: Exception) -> bool:
    """Whether the driver could not reach its server because this process or machine is out of files or memory."""
    text = str(error)
    return any(part in text for part in _SHORT)


def _of_system(error: OSError) -> Cause:
    if isinstance(error, (socket.gaierror, ssl.SSLError)):  # their numbers are not those of errno
        memory = isinstance(error, socket.gaierror) and error.errno == socket.EAI_MEMORY
        return Cause.OUT_OF_RESOURCES if memory else Cause.UNAVAILABLE
    if error.errno in OUT_OF_FILES_OR_MEMORY | _DISK:
        return Cause.OUT_OF_RESOURCES
    network = isinstance(error, (ConnectionError, TimeoutError)) or error.errno in _NETWORK
    return Cause.UNAVAILABLE if network else Cause.BUG
