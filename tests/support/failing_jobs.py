"""Job types of the tests that fail, each in another place: in a phase, between two, in a loop, in a library."""

from __future__ import annotations

import json
from typing import Any

from marshmallow import Schema, fields

from workers.progress import item_error, job, log, phase, track

PRICES: dict[str, Any] = {"EUR": 1.0, "USD": 1.08}
ROWS = [{"id": n, "currency": "EUR", "cents": 100 * n} for n in range(1, 41)]


class Place(Schema):
    place = fields.String(load_default="phase", metadata={"description": "Where it fails"})
    month = fields.String(load_default="2026-10", metadata={"description": "Of the invoices"})


@job("test_invoices", params=Place, phases=("read", "convert", "send"))
def invoices(place: str, month: str) -> None:
    """Reads, converts and sends invoices, and fails where it is told to."""
    if place == "first":
        raise PermissionError(f"no access to the invoices of {month}")
    with phase("read", total=len(ROWS), message=f"Invoices of {month}") as reading:
        for row in ROWS:
            log(f"read invoice {row['id']}: {row['cents'] / 100:.2f} {row['currency']}")
            reading.advance()
    log(f"{len(ROWS)} invoices of {month}", "WARNING")
    if place == "between":
        password = "correct horse"  # a text that no page may show
        raise ConnectionError(f"the mail server has refused {len(password)} characters")
    if place == "loop":
        convert([{**row, "currency": "USD" if row["id"] != 17 else "XAU"} for row in ROWS])
    with phase("convert", total=len(ROWS), message="To euros") as converting:
        if place == "library":
            log(f"rates: {json.loads('{broken')}")
        for row in ROWS:
            converting.advance()
            if row["id"] == 17:
                log(f"the amount of invoice {row['id']} is negative", "ERROR")
                raise ValueError(f"invoice {row['id']}: an amount of -17.00 cannot be sent")


def convert(rows: list[dict[str, Any]]) -> None:
    for row in track(rows, phase="convert", message="{n} of {total}"):
        rate = PRICES[row["currency"]]
        log(f"invoice {row['id']}: {row['cents'] * rate / 100:.2f} EUR")


class Bad(Schema):
    count = fields.Integer(load_default=40)
    every = fields.Integer(load_default=10)


@job("test_bad_items", params=Bad, phases=("check",))
def bad_items(count: int, every: int) -> None:
    """Counts an item of so many as failed, and has one line of the level ERROR in the middle."""
    for n in track(range(1, count + 1), phase="check", message="{n} of {total}"):
        log(f"checked {n}")
        if n % every == 0:
            item_error(f"item {n} cannot be read")
        if n == count // 2:
            log("the list of items is old", "ERROR")
