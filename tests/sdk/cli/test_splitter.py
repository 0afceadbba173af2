"""Lines of what a command writes, however its bytes come."""

from __future__ import annotations

import pytest

from taskroom.cli.splitter import MOST, Splitter
from taskroom.limits import LINE_LIMIT


def lines_of(*pieces: bytes) -> list[str]:
    splitter = Splitter()
    return [line for piece in pieces for line in splitter.split(piece)] + splitter.finish()


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        (b"", []),
        (b"one\ntwo\n", ["one", "two"]),
        (b"one\n\n\ntwo", ["one", "two"]),
        (b"windows\r\nlines\r\n", ["windows", "lines"]),
        (b"10%\r20%\r30%", ["30%"]),
        (b"10%\r20%\r\nnext\n", ["20%", "next"]),
        (b"\r\r\n", []),
        ("ü€".encode(), ["ü€"]),
        (b"\xff\xc3", ["\ufffd\ufffd"]),
        (b"nul\0l\n", ["nul\ufffdl"]),
    ],
)
def test_lines_are_the_same_in_whatever_pieces_they_come(written: bytes, lines: list[str]) -> None:
    assert lines_of(written) == lines
    assert lines_of(*(written[n : n + 1] for n in range(len(written)))) == lines
    assert lines_of(written[:3], written[3:]) == lines


def test_a_line_of_ten_megabytes_is_cut_and_takes_little_memory() -> None:
    splitter = Splitter()
    for _ in range(160):
        assert splitter.split(b"x" * 65_536) == []
        assert len(splitter._rest) <= MOST + 65_536

    (line,) = splitter.split(b"\n")
    assert len(line) == LINE_LIMIT
    assert line.startswith("xxx") and line.endswith("… [cut: 10,485,760 bytes in all]")
    assert splitter.split(b"next\n") == ["next"]


def test_a_long_line_that_comes_at_once_is_cut_too() -> None:
    (line, last) = lines_of(b"y" * 1_000_000 + b"\n" + b"z" * 20_000)

    assert (len(line), len(last)) == (LINE_LIMIT, LINE_LIMIT)
    assert line.endswith("… [cut: 1,000,000 bytes in all]")
    assert last.endswith("… [cut: 20,000 characters in all]")


def test_a_progress_bar_that_runs_for_hours_keeps_its_last_state() -> None:
    splitter = Splitter()
    for n in range(20_000):
        splitter.split(b"%d of 20000 done ....................\r" % n)

    assert splitter.split(b"\n") == ["19999 of 20000 done ...................."]


def test_after_a_gap_the_rest_of_a_line_is_none() -> None:
    splitter = Splitter()
    splitter.split(b"one\nbeginning of")

    assert splitter.gap() == ["beginning of"]
    assert splitter.split(b" another line\nwhole\n") == ["whole"]


def test_the_state_of_a_progress_bar_is_known_before_its_line_ends() -> None:
    splitter = Splitter()
    states = []
    for piece in (b"begun", b" and\n", b"10%\r", b"20", b"%\r", b"done\n"):
        splitter.split(piece)
        states.append(splitter.state())

    assert states == ["", "", "10%", "20", "20%", ""]
