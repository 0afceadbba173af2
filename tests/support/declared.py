"""Declares the tests' job types, as a worker does when it starts: ``python -m tests.support.declared``."""

from app.db.persistent import PersistentConnection
from app.jobs.packages import declare
from workers.declarations import declarations
from workers.settings import settings

if __name__ == "__main__":
    connect = PersistentConnection(settings().database_url)
    with connect() as connection, connection.cursor() as cur:
        declare(cur, declarations())
    connect.close()
