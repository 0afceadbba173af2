"""Bodies that come as gzip, and are more work to read than they have bytes."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator

from bench.hostile.observed import Reporter, accepted
from bench.hostile.target import Target

BODY, UNZIPPED = 2 * 1024 * 1024, 2_000_000  # bytes that are read; of JSON
AT_ONCE = 4
HEAD = bytes.fromhex("1f8b08000000000000ff")
NAMED = bytes.fromhex("1f8b08080000000000ff")  # a name follows, up to a NUL


def compressed_bodies(target: Target) -> None:
    """Sends gzip that yields nothing, too much, or never ends, and some that is right."""
    bodies = list(shapes())
    good = accepted()["many of one byte"]

    def attack(target: Target) -> None:
        turn = target.turn() % (len(bodies) + 1)
        if turn == len(bodies):
            Reporter(target).send(good(), zipped=True)
        else:
            headers = target.bearer | {"Content-Encoding": "gzip"}
            target.ask("POST", "/api/v2/events", bodies[turn], headers)

    target.crowd(AT_ONCE, attack)


def shapes() -> Iterator[bytes]:
    """Yields bodies of which none is a batch."""
    room = BODY - 100
    for block in (empty_blocks(), b"\0\0\0\xff\xff"):
        yield HEAD + block * (room // len(block))
    yield NAMED + b"x" * room
    member = gzip.compress(b"")
    yield member * (room // len(member))
    yield gzip.compress(b" " * 100_000_000, 9)
    yield gzip.compress(b" " * UNZIPPED, 9)
    yield gzip.compress(b'{"writer":"w","batch":1,"tasks":[%b]}' % (b" " * (UNZIPPED - 100)), 9)
    yield gzip.compress(bytes(range(256)) * 4_000)[:-1]
    # Each byte flushed by itself: five bytes and more for one.
    one, packer = b"", zlib.compressobj(wbits=31)
    one = b"".join(packer.compress(b" ") + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(200_000))
    yield one[:room]
    yield b"\x1f" * room


def empty_blocks() -> bytes:
    """Returns eight blocks of DEFLATE (RFC 1951, 3.2.7) that define their codes and hold nothing: reading one costs as
    much as a full table."""
    bits: list[int] = []

    def put(value: int, count: int) -> None:
        bits.extend(value >> bit & 1 for bit in range(count))

    for _ in range(8):
        put(0, 1)  # not the last
        put(2, 2)  # with codes of its own
        put(0, 5)  # 257 literals and lengths,
        put(0, 5)  # one distance,
        put(14, 4)  # and 18 lengths of the code of these codes, in an order of their own:
        for symbol in (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1):
            put(symbol in (18, 1), 3)
        put(1, 1)
        put(138 - 11, 7)  # 138 zeros,
        put(1, 1)
        put(118 - 11, 7)  # 118 zeros,
        put(0, 2)  # and a one for the end of a block and for the distance
        put(0, 1)  # the end
    return bytes(sum(bits[at + bit] << bit for bit in range(8)) for at in range(0, len(bits), 8))
