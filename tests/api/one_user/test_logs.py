from __future__ import annotations

from typing import Any

import pytest

from app.db.persistent import PersistentConnection
from app.tasks import logs
from app.tasks.log_conditions import LogFilter
from tests.api.answers import problem
from tests.api.writing import AT, task_with_logs
from tests.support.system import System, User

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def page(user: User, task_id: str, **params: Any) -> Any:
    return user.get(f"tasks/{task_id}/logs", **params)


def messages(user: User, task_id: str, **params: Any) -> list[str]:
    return [line["message"] for line in page(user, task_id, **params)["logs"]]


def every_line(user: User, task_id: str) -> list[Any]:
    return [event["data"] for event in user.events(task_id) if event["type"] == "log"]


@pytest.fixture(scope="module")
def numbered(system: System, user: User) -> str:
    """Lines 0 to 24, each level five times."""
    lines = [{"message": f"line {n}", "level": LEVELS[n % 5], "phase": f"p{n % 2}"} for n in range(25)]
    return task_with_logs(system, user, lines)


def test_a_line_has_its_fields_and_its_events_sequence(user: User, numbered: str) -> None:
    found = page(user, numbered, limit=1)

    (line,) = found["logs"]
    last = user.events(numbered)[-1]
    assert line == {
        "sequence": last["sequence"],
        "timestamp": AT,
        "level": "CRITICAL",
        "message": "line 24",
        "component": None,
        "phase": "p0",
    }
    assert found.keys() == {"logs", "next_sequence", "before_sequence", "has_more"}
    assert found["next_sequence"] == last["sequence"]


def test_by_default_the_newest_lines_oldest_first(user: User, numbered: str) -> None:
    assert messages(user, numbered, limit=3) == ["line 22", "line 23", "line 24"]
    assert messages(user, numbered) == [line["message"] for line in every_line(user, numbered)]


@pytest.mark.parametrize("limit", [1, 4, 7, 1000])
def test_pages_forwards_join_to_the_whole_log(user: User, numbered: str, limit: int) -> None:
    joined, cursor, more = [], 0, True
    while more:
        found = page(user, numbered, since_sequence=cursor, limit=limit)
        assert len(found["logs"]) <= limit
        joined += found["logs"]
        cursor, more = found["next_sequence"], found["has_more"]

    assert [line["sequence"] for line in joined] == [line["sequence"] for line in every_line(user, numbered)]
    assert page(user, numbered, since_sequence=cursor)["logs"] == []


@pytest.mark.parametrize("limit", [1, 4, 7, 1000])
def test_pages_backwards_join_to_the_whole_log(user: User, numbered: str, limit: int) -> None:
    joined: list[Any] = []
    address = f"/api/v2/tasks/{numbered}/logs?limit={limit}"
    while address:
        answer = user.client.get(address)
        joined = answer.json()["logs"] + joined
        assert ("next" in answer.links) == answer.json()["has_more"]
        address = answer.links["next"]["url"] if answer.json()["has_more"] else ""

    assert [line["sequence"] for line in joined] == [line["sequence"] for line in every_line(user, numbered)]


def test_a_page_leads_on_both_ways(user: User, numbered: str) -> None:
    middle = page(user, numbered, since_sequence=10, limit=5)

    before = page(user, numbered, before_sequence=middle["before_sequence"], limit=1)["logs"]
    after = page(user, numbered, since_sequence=middle["next_sequence"], limit=1)["logs"]

    whole = [line["sequence"] for line in before + middle["logs"] + after]
    assert whole == list(range(whole[0], whole[0] + 7))


def test_a_cursor_beyond_the_end_leads_back_to_the_newest(user: User, numbered: str) -> None:
    beyond = page(user, numbered, before_sequence=2**62)
    assert beyond == page(user, numbered)
    assert page(user, numbered, before_sequence=0)["logs"] == []


def test_both_directions_at_once_are_refused(user: User, numbered: str) -> None:
    answer = user.client.get(f"/api/v2/tasks/{numbered}/logs?since_sequence=0&before_sequence=9")

    problem(answer, 422, "before_sequence")


@pytest.mark.parametrize("level", LEVELS)
def test_level_is_the_least_severe_to_show(user: User, numbered: str, level: str) -> None:
    shown = {line["level"] for line in page(user, numbered, level=level)["logs"]}

    assert shown == set(LEVELS[LEVELS.index(level) :])


def test_filters_work_together_and_in_both_directions(user: User, numbered: str) -> None:
    wanted = {"level": "ERROR", "phase": "p1", "q": "LINE 1"}

    assert messages(user, numbered, **wanted) == ["line 13", "line 19"]
    assert messages(user, numbered, since_sequence=0, limit=1, **wanted) == ["line 13"]
    assert messages(user, numbered, limit=1, **wanted) == ["line 19"]
    assert messages(user, numbered, phase="p") == [], "a phase is matched whole"


ODD = [
    "100% sure",
    "100x sure",
    "a_b",
    "axb",
    "back\\slash",
    'say "hi"',
    "it's",
    "ÄRGER Straße",
    "日本語 ✓",
    "{}",
]


@pytest.fixture(scope="module")
def odd(system: System, user: User) -> str:
    return task_with_logs(system, user, [{"message": text} for text in ODD])


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("0% s", ["100% sure"]),
        ("a_b", ["a_b"]),
        ("\\", ["back\\slash"]),
        ("\\s", ["back\\slash"]),
        ('"', ['say "hi"']),
        ("it's", ["it's"]),
        ("' OR 1=1", []),
        ("ärger", ["ÄRGER Straße"]),
        ("STRA", ["ÄRGER Straße"]),
        ("本", ["日本語 ✓"]),
        ("%", ["100% sure"]),
        ("message", []),
        ("u00", []),
    ],
)
def test_q_is_plain_text_in_the_message_case_ignored(user: User, odd: str, q: str, found: list[str]) -> None:
    assert messages(user, odd, q=q) == found


def test_a_rare_search_in_a_long_log_says_where_to_go_on(
    system: System, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request looks at so many events and no more."""
    monkeypatch.setattr(logs, "SCAN_ROWS", 500)
    task_id = task_with_logs(system, user, [{"message": "hay"}] * 9 + [{"message": "needle"}], 60)
    head = user.status(task_id)["sequence"]
    system.sql(
        """UPDATE events SET payload = replace(payload, 'needle', 'hay') WHERE seq BETWEEN 20 AND 590
           AND stream_id = (SELECT id FROM streams WHERE name = %s)""",
        f"task:{task_id}",
    )
    connect, needle = PersistentConnection(system.database_url), LogFilter(q="NEEDLE")

    with connect() as connection, connection.cursor() as cur:
        first = logs.logs_after(cur, task_id, 0, 100, needle)
        second = logs.logs_after(cur, task_id, first.after, 100, needle)
        back = logs.logs_before(cur, task_id, None, 100, needle)
        further = logs.logs_before(cur, task_id, back.before, 100, needle)
    connect.close()

    assert (first.has_more, first.after) == (True, 500)
    assert (second.has_more, second.after) == (False, head)
    assert (back.has_more, back.before) == (True, head + 1 - 500)
    assert not further.has_more
    forwards = [line["sequence"] for line in first.logs + second.logs]
    assert forwards == [line["sequence"] for line in further.logs + back.logs]
    assert forwards[0] < 20 < 590 < forwards[-1]


def test_a_cursor_ahead_of_the_log_is_told_so_and_skips_nothing(user: User, numbered: str) -> None:
    answer = user.get(f"tasks/{numbered}/logs", since_sequence=1_000_000_000)
    head = user.status(numbered)["sequence"]
    assert (answer["resync"]["reason"], answer["resync"]["head"]) == ("beyond_head", head)
    assert (answer["logs"], answer["next_sequence"], answer["has_more"]) == ([], head, False)


def test_parameters_left_empty_are_parameters_not_given(user: User, numbered: str) -> None:
    empty = {"before_sequence": "", "level": "", "phase": "", "q": ""}
    assert user.get(f"tasks/{numbered}/logs", since_sequence=0, limit=100, **empty) == user.get(
        f"tasks/{numbered}/logs", since_sequence=0, limit=100
    )
