"""A bulk action in the trail: one entry with its numbers, for who did it and for each owner; its deeds on demand."""

from __future__ import annotations

import uuid
from contextlib import ExitStack, closing
from typing import Any

import orjson
import pytest

from app.auth import trail_list
from tests.api.answers import problem
from tests.support.bulk import done, waiting
from tests.support.system import System, User
from tests.tasks.helpers import Tasks


def entries(user: User, **query: Any) -> list[tuple[str, str, int, int]]:
    """Of each entry but the sign-ins: the action, what it was done to, and its numbers; the newest first."""
    found = user.get("trail", action="runs", **query)["entries"]
    return [(entry["action"], entry["target"], entry["number"], entry["refused"]) for entry in found]


def test_the_deeds_of_a_bulk_action_are_one_entry_and_are_listed_by_it(system: System) -> None:
    here = uuid.uuid4().hex
    with ExitStack() as stack:
        ann, bob, ada, rob = (
            system.user("operator", here), system.user("operator", here),
            system.user("admin", here), system.user("operator", uuid.uuid4().hex),
        )  # fmt: skip
        for person in (ann, bob, ada, rob):
            stack.enter_context(closing(person.client))
        mine, his, foreign = waiting(ann, 3), waiting(bob, 2), waiting(rob)
        first = done(ann, "cancel", ids=mine[:1])["bulk"]

        bulk = done(ann, "cancel", ids=[*mine[1:], *his, *foreign])["bulk"]

        whole, before = ("bulk_cancel", bulk, 4, 1), ("bulk_cancel", first, 1, 0)
        deeds = [("cancel", task_id, 1, 0) for task_id in (*mine[1:], *his)]
        assert entries(ann, folded=True) == [whole, before]
        assert entries(ada, folded=True) == [whole, before]
        assert entries(bob, folded=True) == [("bulk_cancel", bulk, 2, 0)], "his runs alone, in one entry"
        assert entries(rob) == [], "whose run was refused was no deed"
        for reader, theirs in ((ann, deeds), (ada, deeds), (bob, deeds[2:])):
            found = entries(reader, bulk=bulk)
            assert sorted(found) == sorted(theirs)
            page = reader.get("trail", bulk=bulk, limit=1)
            assert len(page["entries"]) == 1 and page["next"]
        (of_bob,) = bob.get("trail", action="runs", folded=True)["entries"]
        assert (of_bob["user_name"], of_bob["owner"], of_bob["title"]) == (ann.email, bob.email, "")
        assert rob.get("trail", bulk=bulk)["entries"] == []

        text = ada.client.get("/api/v2/trail/export", params={"action": "runs"}).text
        kept = [orjson.loads(line) for line in text.splitlines()]
        assert {(e["action"], e["target"]) for e in kept} >= {deed[:2] for deed in (*deeds, whole, before)}
        assert list(problem(ada.client.get("/api/v2/trail", params={"bulk": "x"}), 422)["errors"]) == ["bulk"]


def test_a_bulk_action_from_outside_is_in_the_trail_of_each_tenant_with_its_runs_alone(
    system: System,
) -> None:
    here, there = uuid.uuid4().hex, uuid.uuid4().hex
    with ExitStack() as stack:
        eve, ann, bob, ada = (
            system.user("global_admin"), system.user("operator", here),
            system.user("operator", here), system.user("admin", here),
        )  # fmt: skip
        zed, zoe = system.user("operator", there), system.user("admin", there)
        for person in (eve, ann, bob, ada, zed, zoe):
            stack.enter_context(closing(person.client))
        own, of_ann, of_bob = waiting(eve), waiting(ann, 3), waiting(bob)
        of_zed = waiting(zed)
        system.sql("UPDATE tasks SET title = 'Secret of zed' WHERE id = %s", of_zed[0])
        # As if ann had been of the other tenant before.
        system.sql("UPDATE tasks SET tenant = %s WHERE id = %s", there, of_ann[0])

        bulk = done(eve, "cancel", ids=[*own, *of_ann, *of_bob, *of_zed])["bulk"]

        def read(reader: User, **query: Any) -> list[tuple[str, str, int, str, str | None]]:
            found = reader.get("trail", action="runs", folded=True, **query)["entries"]
            assert {(e["target"], e["user_name"], e["refused"]) for e in found} == {(bulk, eve.email, 0)}
            return sorted(
                (e["action"], e["owner"] or "", e["number"], e["title"], e["tenant"]) for e in found
            )

        def part(owner: User, number: int, tenant: str) -> tuple[str, str, int, str, str]:
            return "bulk_cancel", owner.email, number, "", tenant

        assert read(ada) == read(ada, who=eve.id) == sorted([part(ann, 2, here), part(bob, 1, here)])
        assert read(zoe) == read(zoe, who=eve.id) == sorted([part(ann, 1, there), part(zed, 1, there)])
        assert read(ann) == sorted([part(ann, 2, here), part(ann, 1, there)])
        assert read(zed) == [part(zed, 1, there)]
        ((action, owner, number, title, tenant),) = read(eve, who=eve.id)
        assert (action, owner, number, tenant) == ("bulk_cancel", "", 6, None) and title

        runs_here, runs_there = {*of_ann[1:], *of_bob}, {of_ann[0], *of_zed}
        for admin, runs in ((ada, runs_here), (zoe, runs_there)):
            assert {target for _, target, _, _ in entries(admin, bulk=bulk)} == runs
        assert {target for _, target, _, _ in entries(ada, bulk=bulk, owner=ann.id)} == set(of_ann[1:])
        assert entries(ada, owner=zed.id) == entries(zoe, owner=bob.id) == []
        assert "Secret of zed" in zoe.client.get("/api/v2/trail").text
        for hidden in ("Secret of zed", title, zed.email, own[0], *runs_there):
            for path in ("trail", "trail?folded=true", "trail/export"):
                assert hidden not in ada.client.get(f"/api/v2/{path}").text


def test_a_folded_page_goes_on_behind_many_deeds(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail_list, "SCAN_ENTRIES", 10)
    tasks = Tasks(database)
    with closing(tasks.connect):
        bulk = str(uuid.uuid4())
        with tasks.connect() as conn, conn.cursor() as cur:
            cur.execute(
                """INSERT INTO trail (at, user_id, action, kind, title, bulk_id, number)
                   SELECT now() - n * interval '1 second', %s, CASE n WHEN 25 THEN 'bulk_cancel' ELSE 'cancel' END,
                       'task', n, %s, 24 FROM generate_series(1, 25) AS n""",
                (tasks.user_id, bulk),
            )
        wanted = trail_list.Wanted(mine=tasks.user_id, folded=tasks.user_id)

        with tasks.connect() as conn, conn.cursor() as cur:
            first = trail_list.page(cur, wanted, None, 50)

        assert first.entries == [] and first.next is not None
        found = list(trail_list.every_entry(tasks.connect, wanted))
        assert [(entry["action"], entry["number"]) for entry in found] == [("bulk_cancel", 24)]
        deeds = list(trail_list.every_entry(tasks.connect, trail_list.Wanted(mine=tasks.user_id, bulk=bulk)))
        assert [entry["action"] for entry in deeds] == ["cancel"] * 24
