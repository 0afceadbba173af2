"""The list of runs: long, filtered, and live without asking."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect
from psycopg2.extras import Json

from tests.api.reporters import Reporter, part, phase
from tests.browser.conftest import Visit, Visitor
from tests.browser.scene import start
from tests.support.system import System, User, wait_for

MANY = 10_000


@pytest.fixture(scope="module")
def busy_user(system: System) -> Iterator[User]:
    """Somebody with ten thousand finished runs, of which every hundredth failed."""
    user = system.user()
    user.finished(user.start("test_echo"))
    system.sql(
        """WITH made AS (INSERT INTO streams (name, closed)
               SELECT 'task:' || gen_random_uuid(), true FROM generate_series(1, %s) RETURNING id, name),
             numbered AS (SELECT id, substr(name, 6)::uuid AS task_id, row_number() OVER () AS n FROM made)
           INSERT INTO tasks (id, stream_id, user_id, job_type, title, intent, params, trigger, created_at, status,
                              progress, started_at, updated_at, finished_at)
           SELECT task_id, numbered.id, user_id, job_type, 'Number ' || n, intent, params, trigger, at,
                  CASE WHEN n %% 100 = 0 THEN 'FAILURE' ELSE 'SUCCESS' END, 100, at, at, at
           FROM numbered, tasks, LATERAL (SELECT tasks.created_at - n * interval '1 minute' AS at) AS moment
           WHERE user_id = %s""",
        *(MANY, user.id),
    )
    yield user
    user.client.close()


def rows(tab: Visit) -> set[str]:
    """The addresses of the runs that are drawn."""
    return set(tab.run("""[...document.querySelectorAll('main a[href^="/runs/"]')].map(a => a.pathname)"""))


def test_ten_thousand_runs_are_scrolled_and_filtered(visit: Visitor, busy_user: User) -> None:
    tab = visit(busy_user)
    tab.open("/")
    expect(tab.page.get_by_text("Number 1", exact=True)).to_be_visible()
    seen: set[str] = set()
    tab.page.get_by_text("Number 1", exact=True).hover()

    def deeper() -> bool:
        seen.update(rows(tab))
        tab.page.mouse.wheel(0, 4000)
        return len(seen) > 500

    wait_for("five hundred runs", deeper, 120)
    assert len(rows(tab)) < 300, "only what is near is in the page"

    tab.page.keyboard.press("Home")
    tab.page.get_by_role("navigation", name="Status").get_by_role("link", name=re.compile("^failed")).click()
    expect(tab.page).to_have_url(re.compile("status=FAILURE"))
    expect(tab.page.get_by_text("Number 100", exact=True)).to_be_visible()
    expect(tab.page.get_by_text("Number 1", exact=True)).to_have_count(0)


def test_a_run_changes_in_the_list_without_a_question(tab: Visit, user: User) -> None:
    task_id = start(user, "It waits", "test_endless", approval={"title": "Go on"})
    tab.open("/")
    tab.says("live")
    row = tab.page.locator(f"main ol a[href='/runs/{task_id}']")
    expect(row.get_by_role("img", name="waiting for approval")).to_be_visible()
    tab.page.wait_for_load_state("networkidle")
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(f"{request.method} {urlsplit(request.url).path}"))

    user.client.post(f"/api/v2/tasks/{task_id}/approve")
    expect(row.get_by_role("img", name="running")).to_be_visible()
    user.client.post(f"/api/v2/tasks/{task_id}/cancel")
    expect(row.get_by_role("img", name="cancelled")).to_be_visible()

    assert "GET /api/v2/tasks" not in asked


def test_a_long_name_of_a_job_is_shown_whole_where_there_is_space(
    tab: Visit, user: User, system: System
) -> None:
    user.finished(task_id := user.start("test_echo"))
    system.sql("UPDATE tasks SET job_type = 'shop.tasks.always_failing_task' WHERE id = %s", task_id)
    tab.open("/")

    name = tab.page.locator("main").get_by_title("shop.tasks.always_failing_task")
    expect(name).to_be_visible()

    assert name.evaluate("one => one.scrollWidth <= one.clientWidth")


def test_a_name_of_a_job_that_does_not_fit_is_left_out_and_the_title_is_whole(
    visit: Visitor, user: User, system: System
) -> None:
    task_id = start(user, "Invoices of last month", "test_echo")
    user.finished(task_id)
    system.sql("UPDATE tasks SET job_type = 'shop.tasks.always_failing_task' WHERE id = %s", task_id)
    tab = visit(user, viewport={"width": 768, "height": 700})
    tab.open("/")

    title = tab.page.locator("main ol .row-title")
    expect(title).to_have_text("Invoices of last month")

    assert title.evaluate("one => one.scrollWidth <= one.clientWidth")
    below = "one => one.getBoundingClientRect().top >= one.parentElement.getBoundingClientRect().bottom"
    assert tab.page.locator("main ol .chip").evaluate(below)


def test_rows_with_errors_are_in_line_with_the_others(tab: Visit, user: User) -> None:
    reporter = Reporter(user)
    one, _ = reporter.started(title="One"), reporter.started(title="Other")
    tab.open("/")
    tab.says("live")
    expect(tab.page.locator("main ol .run-text")).to_have_count(2)

    reporter.accepted(part(one, phase("read", processed_count=9, error_count=1_234)))

    expect(tab.page.locator("main ol").get_by_text("1,234 errors")).to_be_visible()
    at = "all => all.map(one => one.getBoundingClientRect().x)"
    for column in (".run-text", ".phase-bar", ".took"):
        first, second = tab.page.locator(f"main ol {column}").evaluate_all(at)
        assert first == second, column


def test_segments_in_a_row_are_as_wide_as_the_shares_of_the_plan(
    tab: Visit, user: User, system: System
) -> None:
    user.finished(task_id := user.start("test_fail"))
    planned = [
        {"phase_id": "read", "weight": 0.75, "seconds": 3},
        {"phase_id": "write", "weight": 0.25, "seconds": 1},
    ]
    error = {"type": "ValueError", "message": "No space", "phase": "write"}
    system.sql(
        "UPDATE tasks SET job_type = 'shop.copy', plan = %s, error = %s WHERE id = %s",
        *(Json(planned), Json(error), task_id),
    )
    tab.open("/")

    segments = tab.page.locator("main ol .segment")
    expect(segments).to_have_count(2)
    read, write = segments.evaluate_all("all => all.map(one => one.getBoundingClientRect().width)")
    assert read / write == pytest.approx(3, rel=0.05)
