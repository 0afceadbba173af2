"""Errors of a session of Postgres: what makes a real server give each, in the middle of a transaction."""

from __future__ import annotations

import resource
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2
from psycopg2.extensions import cursor as Cursor

from tests.errors.scene import Scene, message, pid_of
from tests.support.system import wait_for

Give = Callable[[Scene, Cursor], None]


@dataclass(frozen=True, slots=True)
class Given:
    """``state`` is the SQLSTATE that the driver passes on, empty for none. ``options`` are those of the session."""

    name: str
    state: str
    give: Give
    options: Mapping[str, str] = field(default_factory=dict)


def running(statement: str) -> Give:
    return lambda scene, cur: cur.execute(statement)


def after_an_error(scene: Scene, cur: Cursor) -> None:
    try:
        cur.execute("SELECT 1 / 0")
    except psycopg2.Error:
        cur.execute("SELECT 1")


def idle(scene: Scene, cur: Cursor) -> None:
    pid = pid_of(cur)
    cur.execute("SET LOCAL idle_in_transaction_session_timeout = 10")
    there = "SELECT FROM pg_stat_activity WHERE pid = %s"
    wait_for("the server to end the session", lambda: not scene.sql(there, pid))
    cur.execute("SELECT 1")


def serialization(scene: Scene, cur: Cursor) -> None:
    cur.execute("SELECT n FROM pair WHERE id = 1")
    with scene.other() as other:
        other.execute("UPDATE pair SET n = n + 1 WHERE id = 1")
        other.connection.commit()
    cur.execute("UPDATE pair SET n = n + 1 WHERE id = 1")


def deadlock(scene: Scene, cur: Cursor) -> None:
    """The other session waits first, and looks for no deadlock: this one is chosen to fail."""
    cur.execute("SET LOCAL deadlock_timeout = 10; SELECT FROM pair WHERE id = 1 FOR UPDATE")
    has_both = threading.Event()
    with scene.other() as other:
        other.execute("SELECT FROM pair WHERE id = 2 FOR UPDATE")

        def lock_both() -> None:
            other.execute("SELECT FROM pair WHERE id = 1 FOR UPDATE")
            has_both.set()

        scene.beside(lock_both)
        scene.waits(pid_of(other), "Lock")
        try:
            cur.execute("SELECT FROM pair WHERE id = 2 FOR UPDATE")
        finally:
            cur.connection.rollback()
            assert has_both.wait(60)


def locked(scene: Scene, cur: Cursor) -> None:
    with scene.other() as other:
        other.execute("LOCK TABLE pair")
        cur.execute("SET LOCAL lock_timeout = 10; LOCK TABLE pair")


def signalled(function: str) -> Give:
    def give(scene: Scene, cur: Cursor) -> None:
        pid = pid_of(cur)

        def send() -> None:
            scene.waits(pid, "PgSleep")
            scene.sql(f"SELECT {function}(%s)", pid)

        scene.beside(send)
        cur.execute("SELECT pg_sleep(600)")

    return give


def garbled(scene: Scene, cur: Cursor) -> None:
    """The server gets a statement with one parameter, and no value for it."""
    parse = message(b"P", b"\0SELECT $1::int\0" + bytes(2))
    scene.proxy.garbled = parse + message(b"B", bytes(8)) + message(b"S", b"")
    cur.execute("SELECT 1")


def passed_on(state: str) -> Give:
    """A proxy tells the SQLSTATE and keeps the connection: the driver drops that of a server that ends it."""

    def give(scene: Scene, cur: Cursor) -> None:
        error = message(b"E", f"SERROR\0VERROR\0C{state}\0Mas the server says it\0\0".encode())
        scene.proxy.answer = error + message(b"Z", b"E")
        cur.execute("SELECT 1")

    return give


def cut(scene: Scene, cur: Cursor) -> None:
    scene.proxy.cut()
    scene.proxy.mend()
    cur.execute("SELECT 1")


@contextmanager
def limited(cur: Cursor, kind: int, soft: int) -> Iterator[None]:
    """Limits the server's process of this session as the kernel does."""
    pid = pid_of(cur)
    before = resource.prlimit(pid, kind)
    resource.prlimit(pid, kind, (soft, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, kind, before)


def no_memory(scene: Scene, cur: Cursor) -> None:
    pages = int(Path(f"/proc/{pid_of(cur)}/statm").read_text().split()[0])
    with limited(cur, resource.RLIMIT_AS, pages * resource.getpagesize() + 16_000_000):
        cur.execute("SELECT length(repeat('x', 200000000))")


def no_files(scene: Scene, cur: Cursor) -> None:
    scene.file_of("not_opened_yet")
    # The files of the catalogs are open: the table's own is the only one that is missing.
    cur.execute(
        "SELECT FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid WHERE relname = 'not_opened_yet'"
    )
    with limited(cur, resource.RLIMIT_NOFILE, 3):
        cur.execute("SELECT count(*) FROM not_opened_yet")


def full_disk(scene: Scene, cur: Cursor) -> None:
    scene.full_disk("on_full_disk")
    cur.execute("INSERT INTO on_full_disk VALUES ('line')")


def file_is_gone(scene: Scene, cur: Cursor) -> None:
    scene.file_of("gone").unlink()
    cur.execute("SELECT count(*) FROM gone")


def file_is_damaged(scene: Scene, cur: Cursor) -> None:
    scene.file_of("damaged").write_bytes(b"\xff" * 8192)
    cur.execute("SELECT count(*) FROM damaged")


def broken_disk(scene: Scene, cur: Cursor) -> None:
    """The kernel answers EIO for the memory at the address 0: it stands for the file of a sort."""
    cur.execute("SHOW data_directory")
    ((folder,),) = cur.fetchall()
    files = Path(folder, "base/pgsql_tmp")
    files.mkdir(exist_ok=True)
    file = files / f"pgsql_tmp{pid_of(cur)}.0"
    file.symlink_to("/proc/self/mem")
    try:
        cur.execute(f"SET LOCAL work_mem = '64kB'; {LARGE_SORT}")
    finally:
        file.unlink(missing_ok=True)


LARGE_SORT = "SELECT g FROM generate_series(1, 50000) AS g ORDER BY md5(g::text) OFFSET 49999"
STATEMENTS = {
    "22012": "SELECT 1 / 0",
    "22P05": """SELECT '"\\u0000"'::jsonb""",
    "23505": "INSERT INTO pair VALUES (1, 0)",
    "23514": "INSERT INTO pair VALUES (3, -1)",
    "25001": "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "25006": "SET TRANSACTION READ ONLY; UPDATE streams SET last_seq = last_seq",
    "26000": "EXECUTE nowhere",
    "34000": "FETCH FROM nowhere",
    "3F000": "CREATE TABLE nowhere.anything ()",
    "42501": "SET LOCAL ROLE pg_monitor; SELECT FROM streams",
    "42601": "SELECT FROM FROM",
    "42703": "SELECT nothing",
    "42P01": "SELECT FROM nowhere",
    "53400": f"SET LOCAL temp_file_limit = '64kB'; SET LOCAL work_mem = '64kB'; {LARGE_SORT}",
    "54000": "SELECT repeat('x', 1073741824)",
    "F0000": "CREATE TEXT SEARCH DICTIONARY missing (TEMPLATE = synonym, SYNONYMS = nowhere)",
}
SESSIONS = [
    *(Given(state, state, running(statement)) for state, statement in STATEMENTS.items()),
    Given("08P01", "08P01", garbled),
    Given("25P02", "25P02", after_an_error),
    Given("25P03", "25P03", passed_on("25P03")),
    Given("idle", "", idle),
    Given("40001", "40001", serialization, {"default_transaction_isolation": "serializable"}),
    Given("40P01", "40P01", deadlock),
    Given("53000", "53000", no_files),
    Given("53100", "53100", full_disk),
    Given("53200", "53200", no_memory),
    Given("55P03", "55P03", locked),
    Given("57014 by time", "57014", running("SET LOCAL statement_timeout = 10; SELECT pg_sleep(600)")),
    Given("57014 by hand", "57014", signalled("pg_cancel_backend")),
    Given("57P01", "57P01", passed_on("57P01")),
    Given("terminated", "", signalled("pg_terminate_backend")),
    Given("58030", "58030", broken_disk),
    Given("58P01", "58P01", file_is_gone),
    Given("XX001", "XX001", file_is_damaged),
    Given("cut", "", cut),
]
TABLES = """CREATE TABLE pair (id int PRIMARY KEY, n int CHECK (n >= 0));
    INSERT INTO pair VALUES (1, 0), (2, 0)"""
