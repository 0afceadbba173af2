"""The files of a run on its page: while it goes on, when it has ended, and when one is missing."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.browser.conftest import NARROW, Visit, Visitor
from tests.support.system import User

REPORT = {"name": "report.csv", "text": "shop,sales\n1,20\n"}


def rows(tab: Visit) -> Locator:
    return tab.page.get_by_role("tabpanel").get_by_role("listitem")


def test_an_output_comes_to_the_page_while_the_run_goes_on_and_can_be_saved(
    tab: Visit, user: User, tmp_path: Path
) -> None:
    begin, gate = tmp_path / "begin", tmp_path / "gate"
    extra = {"name": "chart.png", "size": 345_678}
    task_id = user.start("test_outputs", files=[REPORT, extra], begin=str(begin), gate=str(gate))
    tab.open(f"/runs/{task_id}#outputs")
    expect(rows(tab)).to_have_count(1)
    expect(rows(tab).first).to_contain_text("not saved yet")
    expect(rows(tab).first).to_contain_text("The sales of the day")

    begin.touch()

    expect(rows(tab)).to_have_count(2)
    expect(rows(tab).first).to_contain_text("346 kB · png")
    expect(tab.get("tab", "Outputs 2")).to_be_visible()
    with tab.page.expect_download() as saving:
        tab.get("link", "report.csv").click()
    assert saving.value.suggested_filename == "report.csv"
    assert Path(saving.value.path()).read_text() == REPORT["text"]
    gate.touch()
    tab.has_ended()


def test_a_missing_one_is_named_and_the_log_says_why(tab: Visit, user: User) -> None:
    task_id = user.start(
        "test_outputs", files=[{"name": "report.csv", "kind": "link", "link": "/etc/passwd"}]
    )
    user.finished(task_id)

    tab.open(f"/runs/{task_id}#outputs")

    expect(rows(tab)).to_have_count(1)
    expect(rows(tab).first).to_contain_text(re.compile("^report.csv.*not saved"))
    expect(tab.get("link", "report.csv")).to_have_count(0)
    tab.open(f"/runs/{task_id}")
    tab.shows("is not saved")


def test_a_run_of_a_job_without_outputs_has_no_tab_for_them(tab: Visit, user: User) -> None:
    task_id = user.start("test_echo")
    user.finished(task_id)
    tab.open(f"/runs/{task_id}")
    tab.has_ended()
    expect(tab.get("tab", re.compile("^Outputs"))).to_have_count(0)


def test_a_hostile_name_is_text_and_fits_a_phone(visit: Visitor, user: User) -> None:
    name = "'-onerror=alert(1)- " + "w" * 100 + ".csv"
    task_id = user.start("test_outputs", files=[{"name": name, "text": "x"}, REPORT])
    user.finished(task_id)
    tab = visit(user, viewport=NARROW)

    tab.open(f"/runs/{task_id}#outputs")

    expect(rows(tab)).to_have_count(2)
    expect(tab.get("link", name)).to_be_visible()
    assert tab.run("document.documentElement.scrollWidth") <= 390
    with tab.page.expect_download() as saving:
        tab.get("link", name).click()
    assert Path(saving.value.path()).read_text() == "x"
