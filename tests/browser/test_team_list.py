"""The list of a team: whose runs, when, how long, with errors; steps fold; all of it is in the address."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit, Visitor
from tests.browser.scene import start
from tests.support.system import System, User, wait_for

STEP = {"job_type": "test_echo", "params": {}}
APPROVAL = {"title": "Publish it", "risk_level": "low", "estimated_cost": 1}
# Two runs an hour ago, of which one failed, and one three days ago.
OLDER = """WITH made AS (INSERT INTO streams (name, closed)
        SELECT 'task:' || gen_random_uuid(), true FROM generate_series(1, 3) RETURNING id, name),
    numbered AS (SELECT id, substr(name, 6)::uuid AS task_id, row_number() OVER () AS n FROM made)
    INSERT INTO tasks (id, stream_id, user_id, tenant, job_type, title, intent, params, trigger, created_at, status,
        progress, started_at, updated_at, finished_at)
    SELECT task_id, numbered.id, users.id, tenant, 'report', (ARRAY['Short', 'Long', 'Old'])[n], 'x', '{}',
        'manual', at, CASE n WHEN 2 THEN 'FAILURE' ELSE 'SUCCESS' END, 100, at, at,
        at + (ARRAY[2, 700, 3])[n] * interval '1 s'
    FROM numbered, users,
        LATERAL (SELECT now() - (ARRAY[60, 61, 4320])[n] * interval '1 minute' AS at) AS moment
    WHERE users.id = %s RETURNING 1"""


@pytest.fixture
def team(system: System) -> Iterator[tuple[User, User]]:
    tenant = uuid.uuid4().hex[:8]
    ann, bob = system.user("operator", tenant), system.user("operator", tenant)
    with closing(ann.client), closing(bob.client):
        yield ann, bob


def shown(tab: Visit) -> list[str]:
    titles: list[str] = tab.run(
        "[...document.querySelectorAll('main ol .row-title')].map(e => e.textContent)"
    )
    return titles


def asked(tab: Visit) -> dict[str, list[str]]:
    return parse_qs(urlsplit(tab.page.url).query)


def choose(tab: Visit, label: str, name: str) -> None:
    tab.page.get_by_role("combobox", name=label, exact=True).click()
    tab.page.get_by_role("option", name=name, exact=True).click()


def test_a_lead_looks_at_the_runs_of_the_team(
    system: System, visit: Visitor, team: tuple[User, User]
) -> None:
    ann, bob = team
    steps = [{**STEP, "title": "First step"}, {**STEP, "title": "Second step", "approval": APPROVAL}]
    start(ann, "Import", "orchestrate", steps=steps)
    wait_for("the step that asks", lambda: ann.get("tasks", status="WAITING")["tasks"])
    system.sql(OLDER, bob.id)
    tab = visit(ann)
    tab.open("/")
    page = tab.page

    page.get_by_role("link", name="Team", exact=True).click()
    wait_for("the runs of both", lambda: shown(tab) == ["Import", "Short", "Long", "Old"])
    expect(page.locator("main .day").first).to_have_text("Today")
    expect(page.locator("a.row", has_text="Old").locator(".row-who")).to_have_text(bob.email.split("@")[0])
    # Its step waits, so the run does not look as if it worked.
    expect(page.locator("a.row", has_text="Import").locator(".segment.waiting")).to_have_count(1)
    band = tab.get("region", "Your active run")
    expect(band.locator(".segment.waiting")).to_have_count(1)
    expect(band.get_by_role("link")).to_contain_text("Approve or reject")

    page.get_by_role("button", name="Steps of Import").click()
    wait_for("the steps", lambda: shown(tab)[:3] == ["Import", "First step", "Second step"])
    page.locator("a.row", has_text="Second step").get_by_text("approval needed").wait_for()
    page.locator("a.row", has_text="Import").focus()
    page.keyboard.press("ArrowLeft")
    wait_for("the folded run", lambda: "First step" not in shown(tab))

    choose(tab, "Who", bob.email)
    wait_for("his runs", lambda: shown(tab) == ["Short", "Long", "Old"])
    choose(tab, "Time", "Last 24 hours")
    wait_for("those of a day", lambda: shown(tab) == ["Short", "Long"])
    choose(tab, "Duration", "Over 10 minutes")
    wait_for("the long one", lambda: shown(tab) == ["Long"])
    choose(tab, "Duration", "Any duration")
    page.get_by_role("button", name="With errors").click()
    wait_for("the failed one", lambda: shown(tab) == ["Long"])
    assert asked(tab) == {"scope": ["tenant"], "who": [bob.id], "time": ["24h"], "errors": ["true"]}

    link = visit(ann)
    link.open(urlsplit(tab.page.url).path + "?" + urlsplit(tab.page.url).query)
    wait_for("the same list by its address", lambda: shown(link) == ["Long"])


def test_a_time_is_chosen_in_the_histogram(system: System, visit: Visitor, team: tuple[User, User]) -> None:
    _, bob = team
    system.sql(OLDER, bob.id)
    tab = visit(bob)
    tab.open("/")
    wait_for("all", lambda: shown(tab) == ["Short", "Long", "Old"])
    histogram = tab.page.get_by_role("listbox", name="When the runs were made")
    column = histogram.get_by_role("option", name="1 run", exact=False).first
    column.wait_for()

    column.click()
    wait_for("the run of its hour", lambda: shown(tab) == ["Old"])
    assert set(asked(tab)) == {"from", "to"}

    histogram.focus()
    tab.page.keyboard.press("Escape")
    wait_for("all again", lambda: len(shown(tab)) == 3)
    tab.page.keyboard.press("Home")
    tab.page.keyboard.press("Shift+PageDown")
    tab.page.keyboard.press("Enter")
    tab.page.get_by_text("No run matches this filter.").wait_for()
    tab.page.get_by_role("link", name="Clear the filter").click()
    wait_for("all once more", lambda: len(shown(tab)) == 3)

    tab.page.get_by_text("Table", exact=True).click()
    tab.page.get_by_role("row").filter(has_text="1").get_by_role("button").first.click()
    wait_for("what the table chose", lambda: 0 < len(shown(tab)) < 3)
