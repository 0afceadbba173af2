"""A file of the spool: what is read is what was written, up to the first byte that was not."""

from __future__ import annotations

import os
import struct
import uuid
from pathlib import Path
from typing import Any

import pytest

from taskroom._transport.batches import Batch
from taskroom._transport.segment import Segment, UnknownFormat

WRITER = str(uuid.UUID(int=7))
HEADER = {"url": "http://127.0.0.1", "key": "0123456789abcdef"}


def batch(number: int) -> Batch:
    return Batch.of(WRITER, number, 1, b'"tasks":[{"task_id":"t%d","events":[]}]}' % number)


def written(path: Path, count: int) -> list[int]:
    """Writes so many batches; returns the size of the file after each."""
    segment, sizes = Segment.create(path, HEADER), []
    for n in range(count):
        segment.append(batch(n + 1))
        sizes.append(path.stat().st_size)
    segment.close()
    return sizes


def read(path: Path) -> tuple[list[Batch], int]:
    """The batches of a file, and how many bytes at its end are none."""
    segment = Segment.open(path)
    assert segment is not None
    found: list[Batch] = []
    while (head := segment.head()) is not None:
        found.append(head)
        segment.advance()
    segment.close()
    return found, segment.torn


def test_batches_come_back_as_they_were_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "a.spool"
    written(path, 3)

    assert read(path) == ([batch(1), batch(2), batch(3)], 0)
    assert Segment.open(path) is not None


def test_the_file_begins_with_the_number_of_its_format(tmp_path: Path) -> None:
    written(tmp_path / "a.spool", 1)

    first, header, rest = (tmp_path / "a.spool").read_bytes().split(b"\n", 2)

    assert first == b"taskroom-spool 1"
    assert header == b'{"url": "http://127.0.0.1", "key": "0123456789abcdef"}'
    length, _, writer, number, events = struct.unpack_from(">II16sQI", rest)
    assert (writer, number, events) == (uuid.UUID(WRITER).bytes, 1, 1)
    assert rest[36:] == batch(1).body
    assert length == len(batch(1).body)


@pytest.mark.parametrize("lost", [1, 20, "all of the body", "in the head", "all but a byte"])
def test_a_tail_that_was_not_written_wholly_is_cut_and_counted(tmp_path: Path, lost: Any) -> None:
    path = tmp_path / "a.spool"
    _, begin, end = written(path, 3)
    last = end - begin
    missing = {"all of the body": last - 36, "in the head": last - 5, "all but a byte": last - 1}.get(
        lost, lost
    )
    os.truncate(path, end - missing)

    assert read(path) == ([batch(1), batch(2)], last - missing)


@pytest.mark.parametrize("place", [0, 4, 8, 24, 32, 40])
def test_a_byte_that_changed_ends_the_file(tmp_path: Path, place: int) -> None:
    path = tmp_path / "a.spool"
    begin, _, end = written(path, 3)
    content = bytearray(path.read_bytes())
    content[begin + place] ^= 0x55
    path.write_bytes(content)

    assert read(path) == ([batch(1)], end - begin)


def test_a_file_whose_process_died_at_its_first_write_has_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.spool"
    path.write_bytes(b"taskroom-spo")

    assert read(path) == ([], 12)


@pytest.mark.parametrize("first", [b"taskroom-spool 2\n", b"something else\n"])
def test_a_file_of_another_format_is_refused(tmp_path: Path, first: bytes) -> None:
    path = tmp_path / "a.spool"
    written(path, 1)
    path.write_bytes(first + path.read_bytes().split(b"\n", 1)[1])

    with pytest.raises(UnknownFormat):
        Segment.open(path)


def test_a_file_that_is_open_is_nobody_elses(tmp_path: Path) -> None:
    segment = Segment.create(tmp_path / "a.spool", HEADER)
    assert Segment.open(tmp_path / "a.spool") is None

    segment.close()

    other = Segment.open(tmp_path / "a.spool")
    assert other is not None
    other.remove()
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_is_read_by_the_same_process_while_it_writes(tmp_path: Path) -> None:
    segment = Segment.create(tmp_path / "a.spool", HEADER)
    for n in range(3):
        segment.append(batch(n + 1))
        assert segment.head() == batch(n + 1)
        segment.advance()
        assert segment.head() is None
    segment.remove()


def test_a_write_that_finds_the_disk_full_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = Segment.create(tmp_path / "a.spool", HEADER)
    segment.append(batch(1))
    size = (tmp_path / "a.spool").stat().st_size
    write, written = os.write, []

    def until_full(fd: int, data: Any) -> int:
        if written:
            raise OSError(28, "No space left on device")
        written.append(write(fd, data[:10]))
        return 10

    monkeypatch.setattr(os, "write", until_full)
    with pytest.raises(OSError, match="No space"):
        segment.append(batch(2))
    monkeypatch.undo()

    assert (tmp_path / "a.spool").stat().st_size == size
    segment.append(batch(3))
    segment.close()
    assert read(tmp_path / "a.spool") == ([batch(1), batch(3)], 0)


def test_the_file_is_for_its_user_alone(tmp_path: Path) -> None:
    segment = Segment.create(tmp_path / "a.spool", HEADER)
    segment.close()

    assert (tmp_path / "a.spool").stat().st_mode & 0o777 == 0o600
