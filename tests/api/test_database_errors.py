"""A Postgres that answers, but not as it should: callers are told to come again, and nothing else of them is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import httpx
import psycopg2
import pytest
from psycopg2.extensions import cursor as Cursor

from tests.api import patient
from tests.api.answers import problem
from tests.api.waits import LIMIT
from tests.errors.scene import Scene
from tests.errors.sessions import LARGE_SORT, TABLES
from tests.support.system import System, User, wait_for

pytestmark = pytest.mark.slow

BODY = {"job_type": "test_echo", "params": {"text": "hello"}}


@pytest.fixture(scope="module")
def alone(new_system: Callable[[str], System]) -> Iterator[System]:
    """A web process over a database that nobody else has."""
    with new_system("alone").running(workers=0) as system:
        yield system


@pytest.fixture
def caller(alone: System) -> Iterator[User]:
    user = alone.user()
    with closing(user.client):
        yield user


def start(user: User) -> httpx.Response:
    return user.client.post("/api/v2/agent/start", json=BODY, timeout=LIMIT)


def refused(answer: httpx.Response) -> str:
    """What a caller is told who may come again."""
    assert int(answer.headers["Retry-After"]) > 0
    return str(problem(answer, 503)["detail"])


def starts_again(user: User) -> None:
    wait_for("a start", lambda: start(user).status_code == 202, LIMIT)


def set_read_only(system: System, read_only: bool) -> None:
    """As after a fail-over: new sessions find it so, and the old ones end."""
    name = system.database_url.rpartition("/")[2]
    with closing(
        psycopg2.connect(system.database_url, options="-c default_transaction_read_only=off")
    ) as connection:
        connection.autocommit = True
        with connection.cursor() as cur:
            cur.execute(
                f"ALTER DATABASE {name} SET default_transaction_read_only = {'on' if read_only else 'off'}"
            )
            cur.execute(
                """SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
                   WHERE datname = %s AND pid <> pg_backend_pid()""",
                (name,),
            )


def metric(system: System, name: str, *otherwise: float) -> float:
    lines = patient.get(f"{system.url}/metrics").text.splitlines()
    found = (float(line.split()[1]) for line in lines if line.startswith(f"taskroom_{name} "))
    return next(found, *otherwise)


def locks_first(scene: Scene, other: Cursor) -> bool:
    """Locks the first row when somebody has it who sleeps until he is waited for."""
    asked = "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    if not scene.sql(asked):
        return False
    other.execute("SELECT FROM pair WHERE id = 1 FOR UPDATE")
    return True


def test_while_it_is_read_only_starts_are_refused_and_who_reads_is_served(
    alone: System, caller: User
) -> None:
    task_id = start(caller).json()["task_id"]
    set_read_only(alone, True)
    try:
        wait_for("the process to know", lambda: "read-only" in patient.get(f"{alone.url}/readyz").text, LIMIT)
        refused(patient.get(f"{alone.url}/readyz"))
        assert metric(alone, "database_read_only") == 0, "nobody has written"
        refused(caller.client.post("/api/v2/auth/ticket"))
        assert metric(alone, "database_read_only") in (1, 2), "single statements that write find it out too"
        for _ in range(3):
            assert "read only" in refused(start(caller))
        assert metric(alone, "database_read_only") in (1, 2)
        assert metric(alone, "database_breaker") == 0, "it answers"
        assert caller.status(task_id)["task"]["status"] == "PENDING"
        assert [task["task_id"] for task in caller.get("tasks")["tasks"]] == [task_id]
    finally:
        set_read_only(alone, False)

    starts_again(caller)
    wait_for("ready again", lambda: patient.get(f"{alone.url}/readyz").status_code == 200, LIMIT)
    assert metric(alone, "database_read_only") == 0


@contextmanager
def fault(system: System, does: str) -> Iterator[None]:
    """Each start does this in its transaction."""
    system.sql(
        f"""CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {does}; RETURN NULL; END $$;
            CREATE TRIGGER fails BEFORE INSERT ON tasks EXECUTE FUNCTION fails()"""
    )
    try:
        yield
    finally:
        system.sql("DROP FUNCTION fails CASCADE")


# By SQLSTATE what makes the server give it.
STARTS = {
    "3F000": "CREATE TABLE nowhere.anything ()",
    "40P01": """SET LOCAL deadlock_timeout = 10; PERFORM FROM pair WHERE id = 1 FOR UPDATE;
        -- In this database: other tests share the server.
        WHILE NOT EXISTS (
            SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
        ) LOOP
            PERFORM pg_sleep(0.05);
            PERFORM pg_stat_clear_snapshot();
        END LOOP;
        PERFORM FROM pair WHERE id = 2 FOR UPDATE""",
    "42501": "SET LOCAL ROLE pg_monitor; PERFORM FROM streams",
    "42P01": "PERFORM FROM nowhere",
    "53100": "INSERT INTO on_full_disk VALUES ('line')",
    "53400": f"SET LOCAL temp_file_limit = '64kB'; SET LOCAL work_mem = '64kB'; EXECUTE '{LARGE_SORT}'",
    "55P03": "SET LOCAL lock_timeout = 10; LOCK TABLE locked",
    "57014": "PERFORM pg_cancel_backend(pg_backend_pid()); PERFORM pg_sleep(600)",
    "57P01": "PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(600)",
    "58P01": "PERFORM FROM gone",
}


@pytest.fixture(scope="module")
def scene(alone: System) -> Iterator[Scene]:
    scene = Scene(alone.database_url)
    scene.sql(f"{TABLES}; CREATE TABLE locked ()")
    scene.full_disk("on_full_disk")
    scene.file_of("gone").unlink()
    yield scene
    scene.close()


@pytest.mark.parametrize("state", STARTS)
def test_a_start_that_the_server_does_not_take_now_may_come_again(
    alone: System, caller: User, scene: Scene, state: str
) -> None:
    with fault(alone, STARTS[state]), scene.other() as other:
        other.execute("LOCK TABLE locked; SELECT FROM pair WHERE id = 2 FOR UPDATE")
        if state == "40P01":  # it waits for the start, and is waited for
            thread = scene.beside(lambda: wait_for("the lock", lambda: locks_first(scene, other)))
            refused(start(caller))
            thread.join(60)
        else:
            refused(start(caller))

    starts_again(caller)
    tasks = caller.get("tasks")["tasks"]
    assert len(tasks) == 1, "nothing is left of the one that was refused"


def test_it_is_not_ready_without_its_tables(alone: System, caller: User) -> None:
    alone.sql("ALTER TABLE streams RENAME TO elsewhere")
    try:
        assert "streams" in refused(patient.get(f"{alone.url}/readyz"))
        refused(start(caller))
    finally:
        alone.sql("ALTER TABLE elsewhere RENAME TO streams")

    starts_again(caller)


def test_a_fault_of_ours_is_no_503(alone: System, caller: User) -> None:
    name = 'bugs_total{part="web"}'
    before = metric(alone, name, 0.0)
    with fault(alone, "EXECUTE 'SELECT FROM FROM'"):
        problem(start(caller), 500)
    assert metric(alone, name) == before + 1
    assert patient.get(f"{alone.url}/readyz").status_code == 200
