"""The plans of the statistics of a job type, over a table that is large enough to have one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from app.db.persistent import PersistentConnection
from app.tasks import job_stats as stats
from app.tasks import run_sums
from tests.stream.helpers import sql
from tests.support.plans import rows_visited
from tests.support.servers import Servers
from tests.tasks.helpers import Tasks

pytestmark = pytest.mark.slow

FILL = """INSERT INTO run_sums (user_id, tenant, job_type, hour, status, bucket, number, is_new, of_day)
    SELECT %s::uuid, 'tenant ' || job %% 10, 'job ' || job, timestamptz '2020-01-01 00:00Z' + hour * interval '1 h',
        'SUCCESS', bucket, 7, false, true
    FROM generate_series(1, 20) AS job, generate_series(1, 250) AS hour, generate_series(1, 20) AS bucket
    RETURNING 1"""


@pytest.fixture(scope="module")
def filled(servers: Servers) -> Iterator[tuple[str, str]]:
    """A database with 100,000 sums, counted by ANALYZE, and the user whose they are."""
    with servers.database() as database:
        user_id = Tasks(database).user_id
        sql(database, FILL, user_id)
        sql(database, "ANALYZE run_sums")
        yield database, user_id


@pytest.mark.parametrize("of", ["user_id", "tenant"])
def test_statistics_read_a_piece_of_an_index(filled: tuple[str, str], of: str) -> None:
    database, user_id = filled
    since = datetime(2020, 1, 10, tzinfo=UTC)
    given = {"whose": user_id if of == "user_id" else "tenant 3", "job_type": "job 3", "since": since}
    wanted = (250 - 24 * 9 + 1) * 20
    with closing(PersistentConnection(database)) as connect, connect() as conn, conn.cursor() as cur:
        statement = stats._sums(of)
        read = rows_visited(cur, "run_sums", statement.text, statement.values(**given, unit="hour"))
        assert read == wanted, "of 100,000, and once"


def test_old_hours_are_looked_for_where_none_is_summed_up(filled: tuple[str, str]) -> None:
    with closing(PersistentConnection(filled[0])) as connect, connect() as conn, conn.cursor() as cur:
        find = run_sums.DAYS.format(table="run_sums")
        assert rows_visited(cur, "run_sums", find, {"days": 8, "groups": 1_000}) == 0, "of 100,000"
