"""The numbers of reported batches: each is claimed as a writer's is, and a repeat gets the stored answer again."""

from __future__ import annotations

from typing import Any

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json

from app.errors import Conflict
from app.stream.claims import UnknownWriter, claim_batch, register_writer

Answer = dict[str, Any]


def repeated_answer(cur: Cursor, writer: str, number: int, digest: str) -> Answer | None:
    """Claims the number. Returns the answer of a batch that was stored before; None for a new one. Raises Conflict,
    with the next number as ``next_batch``, for a wrong number and for other content under the last number."""
    if number == 1:
        register_writer(cur, writer)
    try:
        if claim_batch(cur, writer, number):
            return None
    except UnknownWriter:
        cur.execute("SELECT last_batch + 1 FROM writers WHERE id = %s", (writer,))
        row = cur.fetchone()
        raise _conflict(number, "is neither this writer's next nor its last", row[0] if row else 1) from None
    cur.execute("SELECT answer FROM writers WHERE id = %s", (writer,))
    (kept,) = cur.fetchall()[0]
    if kept is None or kept["digest"] != digest:
        raise _conflict(number, "was stored with other content", number + 1)
    return Answer(kept["answer"])


def store_answer(cur: Cursor, writer: str, digest: str, answer: Answer) -> None:
    """Stores the answer to the writer's last batch, in the transaction that stores the batch."""
    kept = Json({"digest": digest, "answer": answer})
    cur.execute("UPDATE writers SET answer = %s WHERE id = %s", (kept, writer))


def _conflict(number: int, why: str, next_batch: int) -> Conflict:
    return Conflict(f"Batch {number} {why}", extensions={"next_batch": next_batch})
