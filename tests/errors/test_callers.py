"""No part decides by itself what an error of Postgres, Redis or the kernel means: app/errors/causes.py does."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.system import ROOT

OF_DRIVERS = ("psycopg2", "redis", "kombu", "sqlalchemy.exc", "errno")

# What is left, and why: none of it asks whether to wait, to refuse or to blame.
MEANT = {
    ("app/api/idempotency.py", "psycopg2.errors.UniqueViolation"): "a concurrent request has the key",
    (
        "app/broker/connections.py",
        "OperationalError",
    ): "takes out of it the error that the library has wrapped",
    ("app/broker/connections.py", "RedisError"): "a broken connection is closed, however that ends",
    ("app/db/persistent.py", "psycopg2.Error"): "an error of Postgres, and none of the caller's own",
    ("app/db/pool.py", "DBAPIError"): "an error of Postgres, and none of the caller's own",
    ("app/db/pool.py", "PoolTimeout"): "our own limit, which Postgres knows nothing of",
    ("app/db/pool.py", "psycopg2.Error"): "an error of Postgres, and none of the caller's own",
    ("app/notifications/__init__.py", "ForeignKeyViolation"): "there is no such user",
    ("app/outgoing/resolver.py", "errno.ENOBUFS"): "raises it; what it means is decided elsewhere",
    ("app/realtime/presence.py", "RedisError"): "what is not removed at the end expires",
    ("app/stream/subscription.py", "TimeoutError"): "a quarter of a second without a message",
    ("app/up/embedded_postgres.py", "psycopg2.OperationalError"): "a server that does not answer yet",
    ("app/up/embedded_redis.py", "redis.ConnectionError"): "a server that does not answer yet",
    ("app/up/embedded_redis.py", "redis.TimeoutError"): "a server that does not answer yet",
    ("app/up/server_checks.py", "psycopg2.Error"): "an address that is none; its text may hold the password",
    ("app/up/server_checks.py", "psycopg2.OperationalError"): "ends the start with one line",
    ("app/up/server_checks.py", "redis.RedisError"): "ends the start with one line",
    ("app/up/migrated.py", "psycopg2.errors.UndefinedTable"): "a database without tables",
}


def names_of(tree: ast.Module) -> set[str]:
    """The names that a file has imported from the drivers."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(OF_DRIVERS):
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {
                alias.name.partition(".")[0] for alias in node.names if alias.name.startswith(OF_DRIVERS)
            }
    return found


def decisions(tree: ast.Module) -> Iterator[ast.expr]:
    """What ``except``, ``isinstance`` and ``suppress`` name, and tuples of that."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.type is not None:
            yield node.type
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "isinstance":
                yield node.args[1]
            elif node.func.id == "suppress":
                yield from node.args
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
            yield node.value
        elif isinstance(node, ast.Attribute):
            if node.attr in ("pgcode", "errno", "diag") or ast.unparse(node).startswith("errno."):
                yield node
        elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In):
            text = node.comparators[0]
            if isinstance(text, ast.Call) and ast.unparse(text) == "str(error)":
                yield text


def found_in(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    names = names_of(tree)
    for decision in decisions(tree):
        for each in decision.elts if isinstance(decision, ast.Tuple) else [decision]:
            said = ast.unparse(each)
            if (
                said.partition(".")[0] in names
                or said.endswith((".pgcode", ".errno"))
                or said == "str(error)"
            ):
                yield said


def test_each_decision_is_made_in_one_place_or_is_none() -> None:
    files = [path for folder in ("app", "workers") for path in (ROOT / folder).rglob("*.py")]
    own = ROOT / "app/errors/causes.py"

    found = {(str(path.relative_to(ROOT)), said) for path in files if path != own for said in found_in(path)}

    assert len(list(found_in(own))) > 10, "what this test looks for is there"
    assert found == MEANT.keys()
