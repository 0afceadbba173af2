"""The printed JavaScript in a real browser. An EventSource has no headers there, whatever it is handed: the cookie
of the sign-in speaks for it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from tests.seeds.conftest import printed
from tests.support.chromium import chromium, sign_in
from tests.support.system import ROOT, System, User, wait_for

TEXT = {"artifact_type": "quiz", "content": "Cells are small. The cell has a nucleus.", "notebook_id": "n"}
KEEP_WHAT_IS_PRINTED = """
    window.entries = []
    for (const kind of ["log", "error", "debug"]) console[kind] = (...what) => entries.push([kind, ...what.map(shown)])
    function shown(value) { return value instanceof Event ? value.type : value }
"""
TELL_WHEN_OPEN = """
    window.EventSource = class extends EventSource {
      constructor(...given) {
        super(...given)
        this.addEventListener("open", () => entries.push(["open"]))
      }
    }
"""
SOCKET_IO = ROOT / "static" / "node_modules" / "socket.io-client" / "dist" / "socket.io.min.js"


class Page:
    """A page of the site, signed in; ``entries`` is what its script did so far."""

    def __init__(self, tab: Tab, url: str, user: User) -> None:
        self.tab, self.user = tab, user
        sign_in(tab.context, url, user)
        tab.goto(f"{url}/livez")

    def run(self, script: str, *given: Any) -> Any:
        """Runs it as a function's body; what is given is its ``arguments``."""
        return self.tab.evaluate(f"(arguments) => {{ {script} }}", list(given))

    @property
    def entries(self) -> list[list[Any]]:
        return self.run("return entries")

    def waits_for(self, what: str, condition: Callable[[list[Any]], Any]) -> list[Any]:
        return wait_for(what, lambda: next((entry for entry in self.entries if condition(entry)), None), 60)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, system: System, user: User) -> Iterator[Page]:
    with browser.new_context() as context:
        yield Page(context.new_page(), system.url, user)


@cache
def bundled(name: str) -> str:
    command = ["node", str(Path(__file__).with_name("bundle.mjs")), f"pages/{name}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_the_angular_service_follows_a_job_to_its_end(page: Page, user: User) -> None:
    page.run(bundled("000.ts"))
    task_id = user.start("test_phases", count=30)

    page.run("watchJob(arguments[0])", task_id)

    page.waits_for("the end", lambda entry: entry == ["complete"])
    *progress, last, complete = page.entries
    assert last == ["next", {"progress": 100, "message": "Complete", "status": "completed"}]
    assert complete == ["complete"], "and no error before or after it"
    values = [value["progress"] for kind, value in progress]
    assert values == sorted(values) and {value["status"] for _, value in progress} <= {
        "pending",
        "processing",
    }


def test_the_angular_service_of_a_job_that_failed_completes_too(page: Page, user: User) -> None:
    page.run(bundled("000.ts"))
    task_id = user.start("test_fail", text="no such luck")

    page.run("watchJob(arguments[0])", task_id)

    page.waits_for("the end", lambda entry: entry == ["complete"])
    last = {"progress": 100, "message": "no such luck", "status": "failed"}
    assert page.entries[-2:] == [["next", last], ["complete"]]


def test_the_angular_service_receives_notifications(page: Page, user: User, notify: Any) -> None:
    page.run(bundled("000.ts"))
    page.run(TELL_WHEN_OPEN + "watchNotifications()")
    page.waits_for("the stream", lambda entry: entry == ["open"])

    task_id = user.start("test_echo")
    notify(user.id, "Payment issue", "The card was refused", "payment_failed", urgent=True)

    done = page.waits_for("its end", lambda e: e[0] == "next" and e[1]["type"] == "generation_complete")
    paid = page.waits_for("the payment", lambda e: e[0] == "next" and e[1]["type"] == "payment_failed")
    assert done[1]["jobId"] == task_id
    assert paid[1] == {
        "type": "payment_failed",
        "title": "Payment issue",
        "message": "The card was refused",
        "jobId": None,
        "urgent": True,
    }


def test_the_artifact_client_updates_its_page(page: Page, system: System, user: User) -> None:
    page.run(KEEP_WHAT_IS_PRINTED)
    page.run(
        "const token = arguments[0], updateUI = (...what) => entries.push(['updateUI', ...what])\n"
        + printed("001.js", system.url, user),
        user.token,
    )
    page.waits_for("its greeting", lambda entry: entry == ["log", "Connected to event stream"])

    done, failed = user.start("artifact", **TEXT), user.start("artifact", **TEXT | {"content": "!!!"})

    completed = page.waits_for("an end", lambda entry: entry[:2] == ["updateUI", done])
    failure = page.waits_for("a failure", lambda entry: entry[:2] == ["updateUI", failed])
    assert completed[2] == "completed" and completed[3]["questions"]
    assert failure[2:] == ["failed", "Validation failed after 2 repair attempts"]
    assert len([entry for entry in page.entries if entry[0] == "updateUI"]) == 2


def test_an_artifact_is_made_by_the_printed_steps(page: Page, system: System, user: User) -> None:
    page.run(KEEP_WHAT_IS_PRINTED)
    listen, start = printed("001.listen.js", system.url, user), printed("001.start.js", system.url, user)
    receive = printed("001.receive.js", system.url, user, **{"'abc123'": "job_id"})

    page.run(
        f"""const token = arguments[0], displayQuiz = result => entries.push(["displayQuiz", result])
        return (async () => {{
          {listen}
          await new Promise(open => eventSource.addEventListener("open", open)) // the steps come one by one
          {start}
          {receive}
        }})()""",
        user.token,
    )

    shown = page.waits_for("the quiz", lambda entry: entry[0] == "displayQuiz" and entry[1])
    assert shown[1]["questions"]
    assert page.entries[-1] == shown, "what came before, on the way, had no result"
    assert ["log", "Listening for artifact events..."] in page.entries


def test_the_task_manager_shows_and_follows_a_task(page: Page, system: System, user: User) -> None:
    task_id = user.start("test_quiet")
    wait_for("its phase", lambda: user.status(task_id)["sequence"] >= 5, 60)
    page.run(SOCKET_IO.read_text() + KEEP_WHAT_IS_PRINTED)

    page.run(
        printed("002.js", system.url, user)
        + """
        class Manager extends ModernTaskManager {
          api = {get: path => fetch(`/api${path}`).then(answer => answer.json())}
          socket = io()
          currentTaskId = arguments[0]
        }
        const names = ["renderTaskStatus", "renderLogs", "updatePhaseProgress", "handlePhaseComplete", "appendLog"]
        for (const name of names) Manager.prototype[name] = (...what) => entries.push([name, ...what])
        new Manager().loadTask(arguments[0])
        """.replace("currentTaskId = arguments[0]", f"currentTaskId = '{task_id}'"),
        task_id,
    )

    status = page.waits_for("the status", lambda entry: entry[0] == "renderTaskStatus")
    joined = page.waits_for("its phase", lambda entry: entry[0] == "updatePhaseProgress")
    user.client.post(f"/api/v2/tasks/{task_id}/cancel")
    page.waits_for("its end", lambda e: e[0] == "updatePhaseProgress" and e[2]["status"] == "error")
    assert status[1]["task"]["task_id"] == task_id and joined[1] == "silence"
    assert ["renderLogs", []] in page.entries


def test_the_notification_hook_adds_and_toasts(page: Page, user: User, notify: Any) -> None:
    page.run(bundled("003.ts"))
    page.run("console.log = (...what) => entries.push(['log', ...what]); mount(arguments[0])", user.token)
    page.waits_for("the connection", lambda entry: entry == ["log", "SSE connection established"])

    success = notify(user.id, "Transcription Complete", "Your audio is ready", "success")
    notify(user.id, "For later", "", "info")

    page.waits_for(
        "the second", lambda entry: entry[0] == "notification" and entry[1]["title"] == "For later"
    )
    shown = [entry for entry in page.entries if entry[0] != "log"]
    assert [entry[0] for entry in shown] == ["notification", "toast", "notification"]
    assert shown[0][1] == success | {"type": "success"}
    assert shown[1][1:] == ["Transcription Complete", "success"]
    page.run("unmount()")


def test_the_listener_of_a_users_events_hears_them(page: Page, lively: str, user: User) -> None:
    other = Page(page.tab, lively, user)
    other.run(KEEP_WHAT_IS_PRINTED)
    other.run("const token = arguments[0]\n" + printed("004.js", lively, user), user.token)
    other.waits_for("a ping", lambda entry: entry == ["log", "Ping received"])

    task_id = user.start("test_echo")

    created = other.waits_for("its start", lambda entry: entry[1] == "Task created:")
    changed = other.waits_for(
        "its end", lambda e: e[1] == "Status changed:" and e[2]["status"] == "completed"
    )
    assert (created[2]["task_id"], created[2]["status"]) == (task_id, "pending")
    assert changed[2]["previous_status"] == "in_progress"
