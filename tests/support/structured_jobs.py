"""A job type of the tests whose log has a structure: attempts, phases, groups, a progress bar, JSON, errors."""

from __future__ import annotations

import json
import time
from pathlib import Path

from marshmallow import Schema, fields

from workers import current
from workers.progress import RetryTask, group, item_error, job, log, phase

MOST = 10_000  # lines until the gate opens: the run of a killed test must end
RATES = {"event": "rates", "day": "2026-11-30", "rates": {"USD": 1.08, "JPY": [162.1, 162.4]}}


class Structured(Schema):
    invoices = fields.Integer(load_default=40, metadata={"description": "In each of two groups"})
    retry = fields.Boolean(load_default=False)
    fail = fields.Boolean(load_default=False)
    gate = fields.String(load_default="", metadata={"description": "A file that ends it, when it is made"})


@job("test_structured", params=Structured, phases=("read", "convert", "send"), max_retries=1)
def structured(invoices: int, retry: bool, fail: bool, gate: str) -> None:
    """Reads, converts in two groups and sends; the first group has an error and a warning about an item."""
    with phase("read", total=invoices) as reading:
        for n in range(1, invoices + 1):
            log(f"read invoice {n}")
            reading.advance()
    log(json.dumps(RATES))
    if retry and current.get().claim.retry_count == 0:
        raise RetryTask("The connection is stale", countdown=0.1)
    with phase("convert"):
        for name in ("October", "November"):
            with group(name), group(f"Attachments of {name}"):
                for n in range(1, invoices + 1):
                    log(f"converted invoice {n} of {name}")
                if name == "October":
                    log("invoice 17 is negative", "ERROR")
                    item_error("invoice 18 has no address")
    for percent in range(0, 100, 10):
        log(f"uploading {percent} %\r", component="upload")
    log("uploading 100 %", component="upload")
    with phase("send"):
        n = 0
        while gate and not Path(gate).exists() and n < MOST:
            log(f"sent invoice {(n := n + 1)}")
            time.sleep(0.02)
        if fail:
            raise ConnectionError("the mail server is away")
        log("all is sent")


class Numbered(Schema):
    number = fields.Integer(required=True)
    gate = fields.String(
        load_default="", metadata={"description": "A file that lets it end, when it is made"}
    )


@job("test_number", params=Numbered)
def numbered(number: int, gate: str) -> dict[str, int]:
    """Logs a line of JSON with a number, and returns the next one."""
    log(json.dumps({"number": number}))
    while gate and not Path(gate).exists():
        time.sleep(0.02)
    return {"next": number + 1}
