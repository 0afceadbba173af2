"""Bodies of batches: what is no JSON, too deep, too large or compressed."""

from __future__ import annotations

import gzip
import json
import random
import struct
import uuid
import zlib
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from werkzeug.exceptions import RequestEntityTooLarge

from app.errors import BadRequest
from app.http import compressed
from tests.api.answers import problem
from tests.api.reporters import STARTED, Reporter, line, new_task, status
from tests.support.system import User


def post(user: User, body: bytes, **headers: str) -> httpx.Response:
    given = {"Content-Type": "application/json"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return user.client.post("/api/v2/events", content=body, headers=given)


def envelope(*tasks: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"writer": str(uuid.uuid4()), "batch": 1, "tasks": tasks} | more).encode()


GZIP = bytes.fromhex("1f8b08000000000000ff")  # the head of any gzip
EMPTY = b"\x00\x00\x00\xff\xff"  # a block of no byte


@pytest.mark.parametrize(
    ("data", "pauses"),
    [
        (GZIP + EMPTY * 209_715, 16),
        (gzip.compress(bytes(4 * 2**20)), 16),
        (gzip.compress(b"small"), 0),
        (gzip.compress(b"small") + EMPTY * 209_715, 0),
    ],
    ids=["a megabyte of nothing", "four megabytes", "small", "after its end"],
)
def test_what_is_inflated_is_in_pieces_of_what_is_read_and_of_what_comes_out(
    monkeypatch: pytest.MonkeyPatch, data: bytes, pauses: int
) -> None:
    paused: list[float] = []
    monkeypatch.setattr(compressed, "time", SimpleNamespace(sleep=paused.append))

    with suppress(BadRequest):
        compressed.inflated(data, 5 * 2**20)

    assert len(paused) == pauses


@pytest.mark.parametrize("size", [1, 16_383, 16_384, 16_385, 100_000])
def test_a_body_of_any_size_is_inflated_whole_and_nothing_may_follow_it(size: int) -> None:
    body = random.Random(size).randbytes(size)
    data = gzip.compress(body)

    assert compressed.inflated(data, size) == body
    for wrong in (data[:-1], data + b"x", data + bytes(20_000)):
        with pytest.raises(BadRequest):
            compressed.inflated(wrong, size)
    with pytest.raises(RequestEntityTooLarge):
        compressed.inflated(data, size - 1)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"writer": "w", "batch": 1}]',
        b'{"writer": "w", "batch": 1, "tasks": [{"task_id": "a", "events": [{"type": "log", "message": "\\ud800"}]}]}',
        b'{"writer": "w", "batch": 1, "tasks": [{"task_id": "a", "title": "\xff"}]}',
        b'{"writer": "w", "batch": NaN}',
        b'{"writer": "w", "batch": 1, "tasks": [{"task_id": "a", "params": {"x": NaN}}]}',
        b'{"writer": "w", "batch": 1, "tasks": [{"task_id": "a", "params": '
        + b'{"a":' * 70
        + b"1"
        + b"}" * 71
        + b"]}",
        b'{"writer": "w", "batch": 1, "tasks": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}",
        b'{"writer": "w", "batch": 1, "tasks": [[' + b"[]," * 200_001 + b"1]]}",
    ],
    ids=["half", "two", "surrogate", "utf-8", "nan", "nan inside", "deep", "very deep", "many"],
)
def test_what_is_no_json_is_400(user: User, body: bytes) -> None:
    problem(post(user, body), 400, "body")


def test_without_a_body_each_required_field_is_named(user: User) -> None:
    problem(post(user, b""), 422, "writer", "batch")


def test_a_result_may_be_nested_as_deep_as_a_body_may(user: User) -> None:
    for levels, answer in ((59, 202), (60, 400)):
        result = json.loads("[" * levels + "]" * levels)
        assert Reporter(user).post(new_task(STARTED, status("SUCCESS", result=result))).status_code == answer


def test_numbers_beyond_64_bits_are_stored_as_elsewhere(user: User) -> None:
    mail = new_task(STARTED, status("SUCCESS", result=10**30), params={"n": 10**30})

    Reporter(user).accepted(mail)

    task = user.status(mail["task_id"])["task"]
    assert (task["result"], task["params"]) == (1e30, {"n": 1e30})


def test_a_body_may_be_gzip(user: User) -> None:
    mail = new_task(STARTED, *(line("the same again and again") for _ in range(1_000)))
    body = gzip.compress(envelope(mail))

    answer = post(user, body, Content_Encoding="gzip")

    assert answer.status_code == 202, answer.text
    assert len(body) < 8_000
    assert answer.json()["tasks"][0]["sequence"] == 1_003


def test_a_repeat_is_the_same_content_however_it_is_compressed(user: User) -> None:
    body = envelope(new_task(STARTED))

    first = post(user, gzip.compress(body, 9), Content_Encoding="gzip")
    again = post(user, gzip.compress(body, 1), Content_Encoding="GZIP")
    plain = post(user, body, Content_Encoding="identity")

    assert first.status_code == 202
    assert first.json() == again.json() == plain.json()


def squeezed(piece: bytes, times: int) -> bytes:
    """The piece so many times, as gzip; it is compressed once."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    begin = compressor.flush(zlib.Z_FULL_FLUSH)
    one = compressor.compress(piece) + compressor.flush(zlib.Z_FULL_FLUSH)  # refers to nothing before it
    checksum = 0
    for _ in range(times):
        checksum = zlib.crc32(piece, checksum)
    head, tail = gzip.compress(b"")[:10], struct.pack("<II", checksum, len(piece) * times % 2**32)
    return head + begin + one * times + compressor.flush() + tail


def test_a_small_body_that_becomes_a_large_one_is_413(user: User) -> None:
    bomb = squeezed(b" " * 2_000_000, 500)

    assert len(bomb) < 1_000_000
    problem(post(user, bomb, Content_Encoding="gzip"), 413)


def test_two_megabytes_are_the_limit_inflated_and_as_they_are(user: User) -> None:
    body = envelope(new_task(STARTED, title="x"))
    fits, more = body + b" " * (2_000_000 - len(body)), body + b" " * (2_000_001 - len(body))

    problem(post(user, more), 413)
    problem(post(user, gzip.compress(more), Content_Encoding="gzip"), 413)
    assert post(user, gzip.compress(fits), Content_Encoding="gzip").status_code == 202
    problem(post(user, b" " * 2_200_000), 413)


@pytest.mark.parametrize(
    ("body", "encoding", "answer"),
    [
        (b"no gzip at all", "gzip", 400),
        (gzip.compress(b"{}")[:-4], "gzip", 400),
        (gzip.compress(b"{}") + gzip.compress(b"{}"), "gzip", 400),
        (b"{}", "br", 415),
        (b"{}", "gzip, gzip", 415),
    ],
    ids=["none", "cut", "two", "brotli", "twice"],
)
def test_what_is_no_gzip_is_refused(user: User, body: bytes, encoding: str, answer: int) -> None:
    problem(post(user, body, Content_Encoding=encoding), answer)


def test_other_kinds_of_bodies_are_415(user: User) -> None:
    problem(post(user, envelope(), Content_Type="text/plain"), 415)
