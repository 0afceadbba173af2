"""Where a log has errors and warnings, and which rows are read for it, in a table that is large enough for a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from psycopg2.extensions import cursor as Cursor

from app.tasks.log_conditions import LogFilter
from app.tasks.log_marks import log_marks
from app.tasks.logs import logs_after, logs_before
from tests.stream.helpers import sql
from tests.support.plans import rows_visited
from tests.support.servers import Servers
from tests.tasks.helpers import Tasks

LINES = 200_000
# Every tenth line is a warning; those of the second half are errors, and those of the last quarter are of items.
FILL = """INSERT INTO events (stream_id, seq, type, level, phase, payload)
SELECT id, n, 'log', level, NULL,
    '{"level":"' || level || '","message":"line ' || n || '","component":"a"' || item || '}'
FROM streams, generate_series(1, %(lines)s) AS n,
LATERAL (SELECT CASE WHEN n %% 10 > 0 THEN 'INFO' WHEN n <= %(lines)s / 2 OR n > %(lines)s * 3 / 4 THEN 'WARNING'
         ELSE 'ERROR' END AS level,
    CASE WHEN n %% 10 = 0 AND n > %(lines)s * 3 / 4 THEN ',"item_error":true' ELSE '' END AS item) AS looks
WHERE name = %(name)s"""
FEW = """INSERT INTO events (stream_id, seq, type, level, phase, payload)
SELECT id, n, 'log', CASE WHEN n = 100000 THEN 'ERROR' ELSE 'INFO' END, NULL,
    '{"level":"INFO","message":"line ' || n || '","component":"a"}'
FROM streams, generate_series(1, %(lines)s) AS n WHERE name = %(name)s"""
NAMES = {"many": FILL, "few": FEW}


class Recording(Cursor):
    """Keeps the statements that it executes."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.executed: list[bytes] = []

    def execute(self, query: Any, vars: Any = None) -> None:
        self.executed.append(self.mogrify(query, vars))
        super().execute(query, vars)


@pytest.fixture(scope="module")
def logs(servers: Servers) -> Iterator[Tasks]:
    """Two streams of 200,000 lines: of the task ``few`` one is an error."""
    with servers.database() as database:
        tasks = Tasks(database)
        with tasks.connect() as connection, connection.cursor() as cur:
            for name, fill in NAMES.items():
                stream = f"task:{name}"
                cur.execute("INSERT INTO streams (name, last_seq) VALUES (%s, %s)", (stream, LINES))
                cur.execute(fill, {"lines": LINES, "name": stream})
        sql(database, "ANALYZE")
        yield tasks
        tasks.connect.close()


def reading(tasks: Tasks, read: Callable[[Cursor], Any]) -> tuple[Any, int]:
    """Returns what is read, and how many events it takes to find it."""
    with tasks.connect() as connection, connection.cursor(cursor_factory=Recording) as cur:
        found = read(cur)
        return found, sum(rows_visited(cur, "events", statement) for statement in list(cur.executed))


def test_of_many_errors_each_stretch_has_its_first_in_the_whole_log(logs: Tasks) -> None:
    marks, read = reading(logs, lambda cur: log_marks(cur, "many", LogFilter(errors=True)))

    assert (marks.stretch, marks.head) == (100, LINES)
    assert marks.places == [LINES // 2 + 10, *range(LINES // 2 + 110, LINES, 100)]
    assert read < 7_000, "5,000 to know that they are many, and one a stretch"


def test_of_few_errors_every_one_is_there_and_nothing_else_is_read(logs: Tasks) -> None:
    marks, read = reading(logs, lambda cur: log_marks(cur, "few", LogFilter(errors=True)))

    assert (marks.places, marks.stretch, marks.head) == ([100_000], 1, LINES)
    assert read == 1


def test_warnings_are_those_of_that_level_or_worse(logs: Tasks) -> None:
    marks, read = reading(logs, lambda cur: log_marks(cur, "many", LogFilter(level="WARNING")))

    assert marks.places == list(range(10, LINES, 100))
    assert read < 8_000


@pytest.mark.parametrize(
    "wanted", [LogFilter(errors=True), LogFilter(level="ERROR"), LogFilter(level="WARNING")]
)
def test_the_next_error_is_one_row_however_far_it_is(logs: Tasks, wanted: LogFilter) -> None:
    after, forwards = reading(logs, lambda cur: logs_after(cur, "few", 0, 1, wanted))
    before, backwards = reading(logs, lambda cur: logs_before(cur, "few", None, 1, wanted))

    assert [line["message"] for line in after.logs + before.logs] == ["line 100000"] * 2
    assert (after.has_more, before.has_more) == (False, False), "the whole log was looked at"
    assert (forwards, backwards) == (1, 1)


def test_after_a_part_of_the_log_was_pruned_the_marks_are_of_the_rest(logs: Tasks) -> None:
    sql(logs.database, "UPDATE streams SET pruned_to = 105055 WHERE name = 'task:many'")

    marks, _ = reading(logs, lambda cur: log_marks(cur, "many", LogFilter(errors=True)))

    sql(logs.database, "UPDATE streams SET pruned_to = 0 WHERE name = 'task:many'")
    assert marks.stretch == 48
    assert marks.places[0] == 105_060
    assert len(marks.places) == len({(place - 1) // 48 for place in marks.places}) == 1_979


def test_a_phase_or_a_text_bounds_the_search_as_before(logs: Tasks) -> None:
    page, read = reading(
        logs, lambda cur: logs_after(cur, "many", 0, 1, LogFilter(level="WARNING", q="line 190000"))
    )

    assert (page.logs, page.after, page.has_more) == ([], 50_000, True)
    assert read <= 5_000
