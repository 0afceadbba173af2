"""The checker finds each kind of fault: the tests forge one of each."""

from __future__ import annotations

import pytest

from tests.faults.checker import Seen, Stored, Verdict, judge

STORED = [
    Seen(1, "task_status", "t1", "PENDING"),
    Seen(2, "log", "t2"),
    Seen(3, "log", "t3"),
    Seen(4, "task_status", "t4", "SUCCESS"),
]
SUCCESS = frozenset({"SUCCESS"})


def verdict(**counts: int) -> Verdict:
    return Verdict(viewers=1, expected=4, **counts)


def test_the_stored_events_have_no_fault() -> None:
    assert judge(STORED, STORED) == verdict()
    assert verdict().wrong == 0


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        pytest.param([STORED[0], STORED[1], STORED[3]], {"lost": 1}, id="lost"),
        pytest.param(STORED[1:], {"lost": 1}, id="first lost"),
        pytest.param(STORED[:3], {"lost": 1, "endings": 1}, id="terminal lost"),
        pytest.param([], {"lost": 4, "endings": 1}, id="nothing seen"),
        pytest.param([*STORED[:2], STORED[1], *STORED[2:]], {"repeated": 1}, id="repeated at once"),
        pytest.param([*STORED[:3], STORED[1], STORED[3]], {"repeated": 1}, id="repeated later"),
        pytest.param([STORED[0], STORED[2], STORED[1], STORED[3]], {"disordered": 1}, id="swapped"),
        pytest.param([*STORED, STORED[3]], {"repeated": 1, "endings": 1}, id="terminal repeated"),
        pytest.param(
            [*STORED, Seen(5, "task_status", "t5", "FAILURE")],
            {"different": 1, "endings": 1},
            id="two terminals",
        ),
        pytest.param([*STORED, Seen(5, "log", "t5")], {"different": 1, "endings": 1}, id="after the end"),
        pytest.param(
            [STORED[0], Seen(2, "log", "t9"), *STORED[2:]], {"different": 1}, id="another event at its number"
        ),
    ],
)
def test_a_viewer_that_saw_other_events(seen: list[Seen], found: dict[str, int]) -> None:
    assert judge(seen, STORED) == verdict(**found)
    assert judge(seen, STORED).wrong > 0


def test_verdicts_add_up() -> None:
    both = verdict(lost=2)
    both.add(verdict(lost=1, endings=1))
    assert both == Verdict(viewers=2, expected=8, lost=3, endings=1)
    assert both.wrong == 4


def stored(*events: Seen, lines: tuple[str, ...] = ("@t=1 x", "@t=2 x"), closed: bool = True) -> Stored:
    return Stored(list(events), list(lines), "", len(events), closed)


def test_a_stream_without_fault() -> None:
    assert stored(*STORED).faults(2, SUCCESS) == []


@pytest.mark.parametrize(
    ("forged", "message"),
    [
        pytest.param(stored(*STORED[:1], *STORED[2:]), "not dense", id="gap"),
        pytest.param(stored(*STORED[:3]), "0 terminal events", id="no terminal"),
        pytest.param(
            stored(*STORED, Seen(5, "task_status", "t5", "FAILURE")), "2 terminal", id="two terminals"
        ),
        pytest.param(stored(*STORED, Seen(5, "log", "t5")), "must be the last", id="after the end"),
        pytest.param(stored(*STORED, closed=False), "not closed", id="open"),
        pytest.param(stored(*STORED[:3], Seen(4, "task_status", "t4", "REVOKED")), "REVOKED", id="other end"),
        pytest.param(stored(*STORED, lines=("@t=1 x",)), "wrote 2 lines", id="a line lost on its way"),
        pytest.param(stored(*STORED, lines=("@t=1 x", "@t=1 x")), "stored twice", id="a line stored twice"),
        pytest.param(stored(*STORED, lines=("@t=2 x", "@t=1 x")), "another order", id="lines swapped"),
    ],
)
def test_a_stream_with_a_fault(forged: Stored, message: str) -> None:
    assert any(message in fault for fault in forged.faults(2, SUCCESS))


def test_a_stream_with_a_wrong_counter() -> None:
    forged = stored(*STORED)
    forged.last_seq = 7
    assert forged.faults(2, SUCCESS) == ["the stream's last sequence is 7 and it has 4 events"]


def test_rows_are_read_as_postgres_has_them() -> None:
    made = Stored.of(
        [
            (1, "log", '{"timestamp":"t1","message":"@t=1 x","level":"INFO"}'),
            (2, "log", '{"timestamp":"t2","message":"its process is lost","level":"ERROR"}'),
            (
                3,
                "task_status",
                '{"timestamp":"t2","status":"FAILURE",'
                '"error":{"type":"WorkerLost","message":"its process is lost"}}',
            ),
        ],
        last_seq=3,
        closed=True,
    )
    assert made.events == [
        Seen(1, "log", "t1"),
        Seen(2, "log", "t2"),
        Seen(3, "task_status", "t2", "FAILURE"),
    ]
    assert (made.lines, made.ending) == (["@t=1 x"], "FAILURE WorkerLost")
    assert made.faults(9, frozenset({"FAILURE WorkerLost"})) == []
