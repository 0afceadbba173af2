"""Three projects as others write them, each with one line added: what a user sees of their tasks. script/soak runs each
of them in all pools."""

from __future__ import annotations

import os
import re

import httpx
import pytest

from app.up.embedded import free_port
from tests.adopt.conftest import MakeProject
from tests.adopt.project import HERE, Page
from tests.support.system import System, User, wait_for
from tests.support.viewers import SseViewer

pytestmark = pytest.mark.slow

POOLS = ("prefork", "threads", "gevent", "solo")


def in_pools(*pools: str) -> pytest.MarkDecorator:
    """The pools of a test; all where script/soak has set its variable."""
    return pytest.mark.parametrize("pool", POOLS if os.environ.get("TEST_CELERY_POOLS") == "all" else pools)


@pytest.mark.parametrize("folder", ["flask_shop", "pipelines", "site"])
def test_one_line_was_added(folder: str) -> None:
    lines = [
        line.strip()
        for path in (HERE / folder).rglob("*.py")
        for line in path.read_text().splitlines()
        if "taskroom" in line.lower()
    ]

    assert lines.pop(0) == "import taskroom"
    assert len(lines) == 1 and re.fullmatch(r"taskroom\.instrument\(\w+\)", lines[0])


@in_pools("prefork", "threads")
def test_an_application_factory_of_flask(
    adopt: MakeProject, page: Page, user: User, system: System, pool: str
) -> None:
    project = adopt("flask_shop", "make_celery")
    port = str(free_port())
    serving = ("-m", "flask", "--app", "shop", "run", "--port", port, "--with-threads")
    with project.worker(*of(pool)), project.web(*serving):
        url = f"http://127.0.0.1:{port}"
        wait_for("the shop", lambda: _answers(url))
        order = httpx.post(f"{url}/orders/17", timeout=60).json()["task"]
        viewer = SseViewer(system.url, user, order)

        task = page.ended(order, "SUCCESS")
        viewer.open(since=0)
        children = wait_for("four children", lambda: len(found := page.children(order)) == 4 and found)
        for child in children:
            page.ended(child["task_id"], "SUCCESS")

        wait_for("the end in the room", lambda: viewer.ended)
        viewer.close()

    assert task["job_type"] == task["title"] == "shop.tasks.process_order"
    assert task["params"] == {"number": 17, "card_token": "[redacted]", "items": ["tea", "milk", "bread"]}
    assert task["result"] == {"order": 17, "items": 3, "receipt_secret": "[redacted]"}
    assert re.fullmatch(r"one@adopt/\d+", task["worker"])
    assert (task["attempt"], task["observed"], task["queue"]) == (1, True, project.queue)
    assert page.lines(order) == ["order 17 of 3 items"]
    reserved = [page.lines(c["task_id"]) for c in children if c["job_type"] == "shop.tasks.reserve"]
    assert sorted(reserved) == [[f"reserved {item} for order 17"] for item in ("bread", "milk", "tea")]
    (receipt,) = [c["task_id"] for c in children if c["job_type"] == "shop.tasks.send_receipt"]
    due, printed = page.lines(receipt)
    assert due.startswith("Due in ") and printed == "receipt 17 sent by Corner shop"
    # The room has what REST has, numbered without a gap.
    events = user.events(order)
    assert viewer.sequences == [event["sequence"] for event in events] == list(range(1, len(events) + 1))


@in_pools("prefork")
def test_a_failure_of_a_child_does_not_change_its_parent(adopt: MakeProject, page: Page, pool: str) -> None:
    project = adopt("flask_shop", "make_celery")
    program = (
        "import make_celery; from shop.tasks import *; print(process_order.delay(3, 'x', ['caviar']).id)"
    )
    with project.worker(*of(pool)):
        (order,) = project.run(program)
        page.ended(order, "SUCCESS")
        children = wait_for("both children", lambda: len(found := page.children(order)) == 2 and found)
        (reserve,) = [c["task_id"] for c in children if c["job_type"] == "shop.tasks.reserve"]
        task = page.ended(reserve, "FAILURE")

    assert (task["error"]["type"], task["error"]["message"]) == ("OutOfStock", "no caviar for order 3")
    assert "raise OutOfStock" in task["error"]["traceback"]


@in_pools("prefork", "gevent")
def test_a_chain_with_a_flaky_part_and_stamps(adopt: MakeProject, page: Page, pool: str) -> None:
    project = adopt("pipelines", "pipelines")
    program = """
import pipelines
sent = pipelines.daily(4, "berlin")
print(sent.id, sent.parent.id, sent.parent.parent.id, sent.parent.parent.parent.id)
"""
    with project.worker(*of(pool)):
        report, total, clean, extract = project.run(program)
        task = page.ended(report, "SUCCESS")

    assert task["result"] == {"day": 4, "sum": 126}
    assert task["params"] == {"sum_of_all": 126, "day": 4}
    assert page.lines(report) == ["day 4: 126"]
    for task_id, parent in ((extract, None), (clean, extract), (total, clean), (report, total)):
        assert page.user.status(task_id)["task"]["parent_id"] == parent
    retried = page.user.status(clean)["task"]
    assert (retried["attempt"], retried["retry_count"], retried["result"]) == (3, 2, [41, 42, 43])
    assert page.statuses(clean) == ["PENDING", "STARTED", "RETRY", "STARTED", "RETRY", "STARTED", "SUCCESS"]
    errors = [
        e["data"]["error"]["message"] for e in page.user.events(clean) if e["data"].get("status") == "RETRY"
    ]
    assert errors == ["try 0: the source is busy", "try 1: the source is busy"]


@in_pools("prefork")
def test_a_chain_that_breaks_and_what_never_ran(adopt: MakeProject, page: Page, pool: str) -> None:
    project = adopt("pipelines", "pipelines")
    program = (
        "import pipelines\nsent = pipelines.doomed(4)\nprint(sent.id, sent.parent.id, sent.parent.parent.id)"
    )
    with project.worker(*of(pool)):
        last, broken, extract = project.run(program)
        task = page.ended(broken, "FAILURE")

    assert task["error"]["message"] == "this pipeline is broken"
    assert page.user.client.get(f"/api/v2/tasks/{last}/status").status_code == 404  # it was never sent
    (never,) = page.user.get(f"tasks/{broken}/tree")["ahead"]
    assert (never["job_type"], never["task_id"]) == ("pipelines.total", last)
    assert page.user.status(extract)["task"]["status"] == "SUCCESS"


@in_pools("prefork")
def test_a_chord_and_a_group_that_are_sent_from_outside(adopt: MakeProject, page: Page, pool: str) -> None:
    project = adopt("pipelines", "pipelines")
    program = """
import pipelines
body, group = pipelines.squares([1, 2, 3]), pipelines.fan_out([4, 5])
print(body.id, body.parent.id, group.id)
"""
    with project.worker(*of(pool)):
        body, header, group = project.run(program)
        task = page.ended(body, "SUCCESS")
        members = wait_for("the group's end", lambda: _ended_group(page, group), 120)
        node = page.ended(header, "SUCCESS")

    assert task["result"] == 14
    assert (node["job_type"], node["result"]) == ("group", {"members": 3, "failed": 0})
    assert task["parent_id"] in [child["task_id"] for child in page.children(header)]
    assert sorted(page.user.status(each["task_id"])["task"]["result"] for each in members) == [16, 25]


@in_pools("prefork", "solo")
def test_settings_of_django_the_recorder_of_celery_progress_and_prints(
    adopt: MakeProject, page: Page, pool: str
) -> None:
    project = adopt("site", "site_config.celery")
    program = "import site_config.celery\nfrom reports.tasks import *\n" + "; ".join(
        f"print({call}.id)" for call in ("export.delay(20)", "import_file.delay('a.csv')", "stuck.delay()")
    )
    with project.worker(*of(pool)):
        export, imported, stuck = project.run(program)
        task = page.ended(export, "SUCCESS")
        page.ended(imported, "SUCCESS")
        failed = page.ended(stuck, "FAILURE")

    assert task["result"] == "report.csv"
    assert task["progress"] == 100
    assert page.phases(export) == [("progress", "completed", 20, 20)]
    assert page.lines(export) == ["exporting 20 rows to report.csv", "row 20/20", "disk is nearly full"]
    levels = {
        e["data"]["message"]: e["data"]["level"] for e in page.user.events(export) if e["type"] == "log"
    }
    assert (levels["row 20/20"], levels["disk is nearly full"]) == ("INFO", "WARNING")
    assert page.phases(imported) == [("downloading", "completed", 2, 2), ("inserting", "completed", 4, 4)]
    assert failed["error"]["message"] == "the disk is full"
    assert failed["progress"] == 50
    assert page.phases(stuck) == [("progress", "error", 5, 10)]


def of(pool: str) -> tuple[str, ...]:
    """The arguments of a worker with this pool."""
    return ("--pool", pool, "--concurrency", "2")


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def _ended_group(page: Page, group: str) -> list[dict[str, object]] | None:
    response = page.user.client.get(f"/api/v2/tasks/{group}/status")
    if response.status_code != 200 or response.json()["task"]["status"] != "SUCCESS":
        return None
    return page.children(group)
