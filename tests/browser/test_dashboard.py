"""The dashboard in a real browser: start a run, watch it, lose the network, come back."""

from __future__ import annotations

from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from tests.browser.conftest import Browser
from tests.support.line import Line
from tests.support.system import User, wait_for


def test_from_sign_in_to_the_end_of_a_run(browser: Browser, user: User) -> None:
    browser.open("/")
    browser.sign_in(user)
    browser.shows("emit_load")
    task_id = user.start("knowledge_base", limit=60)
    browser.open(f"/runs/{task_id}")
    browser.shows("content_processing")
    user.finished(task_id, 60)
    wait_for("the mark of success in the title", lambda: "✓" in browser.driver.title)
    lines = [x["sequence"] for x in user.get(f"tasks/{task_id}/logs", limit=1000)["logs"]]
    wait_for("every line", lambda: browser.sequences() == lines)
    assert not browser.errors()


def test_a_run_survives_a_reload_and_a_network_cut_without_losing_a_line(
    browser: Browser, user: User, network: Line
) -> None:
    task_id = user.start("emit_load", events=900, rate=60, message_bytes=60)
    browser.open(f"/runs/{task_id}")
    browser.sign_in(user)
    wait_for("live lines", lambda: len(browser.sequences()) > 50)
    browser.driver.refresh()
    wait_for("live lines after the reload", lambda: len(browser.sequences()) > 100)
    network.cut()
    browser.shows("reconnecting")
    cut_at = user.status(task_id)["sequence"]
    wait_for("events that the page misses", lambda: user.status(task_id)["sequence"] > cut_at + 60)
    network.mend()
    user.finished(task_id, 60)
    wait_for("the mark of success in the title", lambda: "✓" in browser.driver.title, 60)
    seen = browser.sequences()
    lines = [x["sequence"] for x in user.get(f"tasks/{task_id}/logs", limit=1000)["logs"]]
    assert seen == lines[lines.index(seen[0]) :]
    assert len(seen) > 100


def test_hostile_text_is_inert_wherever_it_is_shown(browser: Browser, user: User) -> None:
    link = "\x1b]8;;javascript:alert(1)\x07x\x1b]8;;\x07"
    hostile = f"<script>window.hacked=1</script><img src=x onerror='window.hacked=1'>{link}"
    answer = user.client.post(
        "/api/v2/agent/start",
        json={"job_type": "test_fail", "params": {"text": hostile}, "title": hostile[:200]},
    )
    task_id = answer.json()["task_id"]
    echo = user.start("test_echo", text=hostile)
    user.finished(task_id)
    user.finished(echo)
    browser.open("/")
    browser.sign_in(user)
    for path in ("/", f"/runs/{task_id}", f"/runs/{echo}"):
        browser.open(path)
        browser.shows("window.hacked=1")
        assert browser.driver.execute_script("return window.hacked") is None
        assert not browser.all("main img, main script, a[href^='javascript']")


def test_the_start_form_names_the_field_that_is_refused_and_starts_the_run(
    browser: Browser, user: User
) -> None:
    browser.open("/")
    browser.sign_in(user)
    Select(browser.one("select[name=job_type]")).select_by_value("knowledge_base")
    browser.one("input[name='params.root']").send_keys("/etc")
    browser.click("Start")
    wait_for("what is wrong with the root", lambda: any("root" in text for text in browser.texts(".wrong")))
    browser.one("input[name='params.root']").send_keys(Keys.CONTROL + "a" + Keys.NULL + Keys.DELETE)
    limit = browser.one("input[name='params.limit']")
    limit.send_keys(Keys.CONTROL + "a" + Keys.NULL + "20")
    browser.click("Start")
    wait_for("the page of the run", lambda: "/runs/" in browser.driver.current_url)
    wait_for("the mark of success in the title", lambda: "✓" in browser.driver.title, 60)


def test_the_page_of_the_api_lists_the_calls(browser: Browser, user: User) -> None:
    browser.open("/api/docs")
    browser.shows("/api/v2/agent/start")
    assert not browser.errors()
