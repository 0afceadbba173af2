"""What the page of a shared run has beside its log: outputs, steps, parameters and result."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import NARROW, Visit, Visitor
from tests.browser.test_outputs import REPORT, rows
from tests.browser.test_trees import ASKS, beside, echo, grid, has_rows, row, steps, waiting
from tests.support.shares import share
from tests.support.system import User


def open_shared(tab: Visit, user: User, run: str, rest: str = "") -> str:
    """Opens the page of the run as who has a share; returns the share's id."""
    made = share(user, run)
    tab.open(f"/embed/runs/{run}#token={made['token']}")
    expect(tab.page.locator("main.embed")).to_be_visible()
    if rest:
        tab.get("tab", re.compile(f"^{rest}")).click()
    return str(made["id"])


def test_outputs_are_saved_without_the_token_in_an_address(
    visit: Visitor, user: User, tmp_path: Path
) -> None:
    begin, gate = tmp_path / "begin", tmp_path / "gate"
    name = "sales & more 100%.csv"
    run = user.start(
        "test_outputs", files=[{"name": name, "text": "a,b\n"}, REPORT], begin=str(begin), gate=str(gate)
    )
    tab = visit()
    sent: list[tuple[str, dict[str, str]]] = []
    tab.page.on("request", lambda asked: sent.append((asked.url, asked.all_headers())))
    open_shared(tab, user, run)
    expect(tab.get("tab", "Parameters")).to_be_visible()
    expect(tab.get("tab", re.compile("^Outputs"))).to_have_count(0)

    begin.touch()

    tab.get("tab", "Outputs 2").click()
    expect(rows(tab)).to_have_count(2)
    expect(rows(tab).first).to_contain_text("16 B · csv")
    expect(tab.page.get_by_role("tabpanel").get_by_role("link")).to_have_count(0)
    for wanted, content in ((name, "a,b\n"), ("report.csv", REPORT["text"])):
        with tab.page.expect_download() as saving:
            tab.click(wanted)
        assert saving.value.suggested_filename == wanted
        assert Path(saving.value.path()).read_text() == content
    assert not [url for url, _ in sent if "trs_" in url]
    loaded = [headers for url, headers in sent if "/outputs/" in url]
    assert len(loaded) == 2 and all(found["authorization"].startswith("Bearer trs_") for found in loaded)
    assert not [headers for headers in loaded if "cookie" in headers]
    gate.touch()


def test_an_output_that_cannot_be_loaded_says_why(visit: Visitor, user: User) -> None:
    run = user.start("test_outputs", files=[REPORT])
    user.finished(run)
    tab = visit()
    tab.complaints.faulty = True
    share_id = open_shared(tab, user, run, "Outputs")
    tab.page.route(
        "**/outputs/report.csv",
        lambda route: route.fulfill(
            status=404, json={"title": "Not Found", "detail": "The file is not there any more"}
        ),
    )
    tab.click("report.csv")
    expect(rows(tab).first).to_contain_text("The file is not there any more.")

    tab.page.unroute("**/outputs/report.csv")
    user.client.delete(f"/api/v2/tasks/{run}/shares/{share_id}")
    tab.click("report.csv")
    expect(tab.page.get_by_role("alert")).to_contain_text("It has expired or was revoked.")


def test_the_steps_are_rows_without_links_and_the_log_of_one_opens(visit: Visitor, user: User) -> None:
    inner = steps("Inner", echo("deep"), echo("asks", approval=ASKS), echo("later"))
    run, asking = waiting(user, echo("first"), inner, echo("last"))
    tab = visit()
    sent: list[str] = []
    tab.page.on("request", lambda asked: sent.append(asked.url))

    open_shared(tab, user, run)

    has_rows(
        tab,
        "1 succeeded first",
        "1 running Inner",
        "2 succeeded deep",
        "2 waiting for approval asks",
        "2 not begun later",
        "1 not begun last",
    )
    expect(tab.get("tab", "Steps 2")).to_have_attribute("aria-selected", "true")
    expect(grid(tab).get_by_role("link")).to_have_count(0)
    expect(tab.get("button", "Approve")).to_have_count(0)
    row(tab, "deep").click()
    expect(beside(tab, "deep")).to_contain_text("this is deep")
    expect(beside(tab, "deep").get_by_role("link", name="deep")).to_have_count(0)
    row(tab, "deep").press("Enter")
    expect(beside(tab, "deep")).to_have_count(0)
    row(tab, "deep").press("Enter")
    tab.page.reload()
    expect(beside(tab, "deep")).to_contain_text("this is deep")

    assert user.client.post(f"/api/v2/tasks/{asking}/approve").status_code == 202

    has_rows(
        tab,
        *(
            "1 succeeded first",
            "1 succeeded Inner",
            "2 succeeded deep",
            "2 succeeded asks",
            "2 succeeded later",
        ),
        "1 succeeded last",
    )
    assert not [url for url in sent if "/runs/" in url and "/embed/" not in url]


def test_parameters_and_result_have_a_tab_and_secrets_are_masked(visit: Visitor, user: User) -> None:
    run = user.start("test_echo", text="spoken")
    user.finished(run)
    tab = visit(viewport=NARROW)

    open_shared(tab, user, run, "Parameters")

    expect(tab.page.get_by_role("tabpanel")).to_contain_text("spoken")
    before = tab.run("history.length")
    tab.get("tab", "Result").click()
    expect(tab.page.get_by_role("tabpanel")).to_contain_text("spoken")
    assert tab.run("history.length") == before, "in a frame these would be entries of the page around it"
    tab.page.reload()
    expect(tab.get("tab", "Result")).to_have_attribute("aria-selected", "true")
    assert tab.run("document.documentElement.scrollWidth") <= 390
