"""Somebody who has no runs finds three ways in, with a key in the lines; the run of the first line appears there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Visit, Visitor
from tests.support.system import System, User


def lines_of(tab: Visit, name: str) -> str:
    return tab.get("region", name).locator("pre").inner_text()


def with_key(tab: Visit) -> None:
    """Asks for a key in the lines."""
    tab.click("Show these lines with a key")
    tab.shows("The key in the lines was made for you.")


def exported(tab: Visit) -> dict[str, str]:
    """What the first lines set in a terminal."""
    return dict(re.findall(r"(TASKROOM_\w+)=(\S+)", lines_of(tab, "Once, in a terminal")))


def test_the_lines_are_run_as_they_stand_and_the_run_appears(tab: Visit, user: User, tmp_path: Path) -> None:
    tab.open("/")
    waits = tab.page.get_by_text("Waiting for the first run")
    expect(waits).to_be_visible()
    with_key(tab)
    script = lines_of(tab, "A Python script or notebook")
    environment = {**os.environ, "HOME": str(tmp_path), **exported(tab)}

    subprocess.run((sys.executable, "-c", script), env=environment, cwd=tmp_path, check=True, timeout=120)

    row = tab.page.get_by_role("main").get_by_role("link", name=re.compile("hello"))
    expect(row).to_contain_text("succeeded")
    expect(waits).to_have_count(0)
    row.click()
    tab.has_ended()
    (task,) = user.get("tasks")["tasks"]
    assert [event["data"]["message"] for event in user.events(task["task_id"]) if event["type"] == "log"] == [
        f"line {n}" for n in range(100)
    ]


def test_the_package_of_this_version_is_installed_from_this_server(tab: Visit, tmp_path: Path) -> None:
    tab.open("/")
    command = re.search(r"pip install (\S+)", lines_of(tab, "Once, in a terminal"))
    assert command
    options = ("--disable-pip-version-check", "--no-index", "--no-deps", "--target", tmp_path)

    subprocess.run((sys.executable, "-m", "pip", "install", *options, command[1]), check=True, timeout=120)

    imported = (sys.executable, "-c", "import taskroom; print(taskroom.__file__)")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    found = subprocess.run(
        imported, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert found.stdout.startswith(str(tmp_path))


def test_a_key_is_made_when_it_is_asked_for_and_stays_and_another_tab_has_its_own(
    visit: Visitor, user: User
) -> None:
    tab = visit(user)
    tab.open("/")
    expect(tab.get("button", "Show these lines with a key")).to_be_enabled()
    assert exported(tab)["TASKROOM_KEY"] == "trk_…" and user.get("keys")["keys"] == []
    with_key(tab)
    first = exported(tab)["TASKROOM_KEY"]
    (row,) = user.get("keys")["keys"]
    assert first.startswith(row["prefix"]) and row["scopes"] == ["report"] and row["expires_at"]

    tab.page.reload()
    tab.shows("The key in the lines was made for you.")
    assert exported(tab)["TASKROOM_KEY"] == first

    other = visit(user)
    other.open("/")
    with_key(other)
    second = exported(other)["TASKROOM_KEY"]
    assert second != first
    assert {row["prefix"] for row in user.get("keys")["keys"]} == {first[:10], second[:10]}
    made = user.get("trail", action="keys")["entries"]
    assert len(made) == 2, "each by a click"


def test_who_has_runs_finds_the_ways_by_a_link_of_the_list(visit: Visitor, user: User) -> None:
    user.finished(user.start("test_echo"))
    tab = visit(user)
    tab.open("/")
    tab.get("link", "Report your own tasks").click()
    expect(tab.page).to_have_title("API keys · Taskroom")

    ways = tab.get("region", "Report your own tasks")
    expect(ways.get_by_role("heading", name="Report your own tasks")).to_be_in_viewport()
    assert exported(tab)["TASKROOM_KEY"] == "trk_…"
    assert "celery -A shop worker --loglevel INFO" in lines_of(tab, "A Celery project")
    assert user.get("keys")["keys"] == []

    tab.page.get_by_label("Name").fill("shop")
    tab.click("Make a key")
    made = tab.get("region", "New key")
    expect(made).to_be_visible()
    assert exported(tab)["TASKROOM_KEY"] == made.locator("code").first.inner_text()
    expect(ways).not_to_be_visible()


def test_a_viewer_gets_no_key(visit: Visitor, system: System) -> None:
    viewer = system.user(role="viewer")
    tab = visit(viewer)
    tab.open("/")
    tab.shows("This account may view runs, but not start them.")
    expect(tab.get("link", "Report your own tasks")).not_to_be_visible()
    tab.open("/settings/keys")
    tab.shows("You have no keys.")
    expect(tab.get("region", "Report your own tasks")).not_to_be_visible()
    assert viewer.get("keys")["keys"] == []
    viewer.client.close()
