"""The owners that reporters name: accounts of the reporter's tenant."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from psycopg2.extensions import cursor as Cursor

from app.tasks.observed.reporter import Reporter


def owners_of(cur: Cursor, names: Collection[str], reporter: Reporter) -> Mapping[str, str]:
    """Returns the accounts of those names that are known in the reporter's tenant: the e-mail address of a local
    account, or the subject of another issuer's.

    Accounts without a tenant share nothing, so none but a global admin names another of them.
    """
    if not names or (reporter.tenant is None and not reporter.serves_all):
        return {}
    cur.execute(
        """SELECT DISTINCT ON (asked.name) asked.name, users.id::text FROM unnest(%s::text[]) AS asked (name)
           JOIN LATERAL (
               SELECT id, tenant, 1 AS place FROM users WHERE email = asked.name AND issuer IS NULL
               UNION ALL SELECT id, tenant, 2 FROM users WHERE subject = asked.name) AS users ON true
           WHERE users.tenant IS NOT DISTINCT FROM %s ORDER BY asked.name, place, users.id""",
        (list(names), reporter.tenant),
    )
    return dict(cur.fetchall())
