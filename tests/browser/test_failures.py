"""A run that has failed, on every way to fail: what its page shows first, what a ticket gets, where ``e`` leads."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from app.db.persistent import PersistentConnection
from app.projections import project
from app.stream.transaction import Transactions
from app.tasks import lifecycle
from tests.api.reporters import STARTED, Reporter, new_task
from tests.browser.conftest import NARROW, Visit, Visitor
from tests.support.system import System, User, wait_for

Begin = Callable[[System, User, Path], str]


def started(job_type: str, /, **params: object) -> Begin:
    return lambda system, user, folder: user.start(job_type, **params)


def lost_worker(system: System, user: User, folder: Path) -> str:
    (folder / "gate").touch()
    return user.start("test_dies", how="kill", gate=str(folder / "gate"))


def broker_away(system: System, user: User, folder: Path) -> str:
    """A task that waits for a worker which is none of Celery's, and whose message is then said to be lost."""
    task_id = user.start("test_outside")
    connect = PersistentConnection(system.database_url)
    with Transactions(connect, project, lambda appended: None)() as tx:
        assert lifecycle.fail_undeliverable(tx, task_id)
    connect.close()
    return task_id


def time_limit(system: System, user: User, folder: Path) -> str:
    """As the main process of a Celery worker reports it, which has no traceback."""
    lines = [{"type": "log", "message": f"sent {n} mails"} for n in (1, 2)]
    error = {"type": "TimeLimitExceeded", "message": "TimeLimitExceeded(300,)"}
    phase = {"type": "phase_update", "phase_id": "send", "status": "active"}
    failure = {"type": "task_status", "status": "FAILURE", "error": error}
    part = new_task(STARTED, phase, *lines, failure)
    Reporter(user).accepted(part)
    return str(part["task_id"])


def cancelled(system: System, user: User, folder: Path) -> str:
    task_id = user.start("test_half")
    wait_for("its second phase", lambda: user.status(task_id)["task"]["current_phase"] == "turning")
    user.client.post(f"/api/v2/tasks/{task_id}/cancel")
    return task_id


def rejected(system: System, user: User, folder: Path) -> str:
    task_id = user.start("test_approval")
    wait_for("its question", lambda: user.status(task_id)["task"]["status"] == "WAITING")
    user.client.post(f"/api/v2/tasks/{task_id}/reject")
    return task_id


@dataclass(frozen=True)
class Way:
    """A way to fail: how a run does it, and what its page says. ``{user}`` is the address of the user."""

    begin: Begin
    sentence: str
    facts: tuple[str, ...]  # of the line below: the type, the phase
    source: str = ""  # the line that failed
    before: tuple[str, ...] = ()  # some of the lines before, the last one last
    phases: tuple[str, ...] = ()  # marks and names
    ticket: tuple[str, ...] = ()
    address: str = ""  # behind that of the run


STEP = [
    {"job_type": "test_echo", "params": {"text": "first"}},
    {"job_type": "test_fail", "params": {"text": "out of paper"}},
    {"job_type": "test_echo"},
]
READ = ("read invoice 32: 32.00 EUR", "read invoice 40: 40.00 EUR", "40 invoices of 2026-10")
WAYS = {
    "an exception in a phase": Way(
        started("test_invoices"),
        "invoice 17: an amount of -17.00 cannot be sent",
        ("ValueError", "in the phase convert"),
        "raise ValueError(f\"invoice {row['id']}: an amount of -17.00 cannot be sent\")",
        (*READ[1:], "the amount of invoice 17 is negative"),
        ("done read", "failed convert", "not reached send"),
        (
            "- Job: test_invoices",
            "- Error: ValueError",
            "- Phase: convert",
            "Source, tests/support/failing_jobs.py, line ",
            "Traceback (most recent call last):",
            '"month": "2026-10"',
        ),
    ),
    "an exception between phases": Way(
        started("test_invoices", place="between"),
        "the mail server has refused 13 characters",
        ("ConnectionError", "between phases"),
        'raise ConnectionError(f"[redacted]")',
        READ,
        ("done read", "failed between phases", "not reached convert", "not reached send"),
        ("- Phase: between phases", 'password = "[redacted]"'),
    ),
    "an exception before the first phase": Way(
        started("test_invoices", place="first"),
        "no access to the invoices of 2026-10",
        ("PermissionError",),
        'raise PermissionError(f"no access to the invoices of {month}")',
        (),
        ("failed before the first phase", "not reached read", "not reached convert", "not reached send"),
    ),
    "an exception in a loop over items": Way(
        started("test_invoices", place="loop"),
        "There is no key 'XAU'",
        ("KeyError", "in the phase convert"),
        'rate = PRICES[row["currency"]]',
        ("invoice 16: 17.28 EUR",),
        ("done read", "failed convert", "not reached send"),
    ),
    "an exception in a library": Way(
        started("test_invoices", place="library"),
        "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        ("JSONDecodeError", "in the phase convert"),
        "log(f\"rates: {json.loads('{broken')}\")",
        READ,
    ),
    "a step": Way(
        started("orchestrate", steps=STEP),
        "Step 2, test_fail, did not succeed: out of paper",
        ("SubtaskFailed", "in the phase 2_test_fail"),
        phases=("done 1_test_echo", "failed 2_test_fail", "not reached 3_test_echo"),
        address="#log",  # the tree shows the step's own log: test_trees.py
    ),
    "the reporting": Way(
        started("test_unstorable"),
        "The result cannot be stored: Type is not JSON serializable: object",
        ("TypeError",),
    ),
    "a lost worker": Way(
        lost_worker,
        "The process that ran this task ended: signal 9 (SIGKILL)",
        ("WorkerLost", "Its worker was stopped, or the machine had no memory left."),
        ticket=("- Error: WorkerLost", "Its worker was stopped"),
    ),
    "a time limit": Way(
        time_limit,
        "It took longer than the 300 s that it may",
        ("TimeLimitExceeded", "in the phase send"),
        before=("sent 1 mails", "sent 2 mails"),
        phases=("failed send",),
        ticket=("- Phase: send", "TimeLimitExceeded(300,)", "sent 2 mails"),
    ),
    "a broker that is away": Way(
        broker_away,
        "Nothing has run: no worker could be told of this run",
        ("BrokerUnavailable", "The message broker was away."),
        phases=("not reached fetch", "not reached write"),
    ),
    "a cancel": Way(
        cancelled,
        "Cancelled by {user}",
        ("in the phase turning",),
        before=("Cancel requested by {user}",),
        phases=("done first", "stopped turning", "not reached second"),
        ticket=("- Phase: turning",),
    ),
    "a rejection": Way(rejected, "Rejected by {user}", ()),
}


def phases(tab: Visit) -> list[str]:
    """The state and the name of each row of the phases."""
    rows = tab.get("region", "Phases").locator("li")
    return [
        f"{row.locator('.mark').get_attribute('aria-label')} {row.locator('.name').inner_text()}"
        for row in rows.all()
    ]


def block(tab: Visit) -> Locator:
    return tab.get("region", re.compile("^Why it (failed|ended)$"))


def copied(tab: Visit) -> str:
    """What *Copy for a ticket* has put into the clipboard."""
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    block(tab).get_by_role("button", name="Copy for a ticket").click()
    expect(block(tab).get_by_role("button", name="Copied")).to_be_visible()
    return str(tab.run("navigator.clipboard.readText()"))


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_run_that_failed_says_first_why(
    tab: Visit, system: System, user: User, tmp_path: Path, way: Way
) -> None:
    task_id = way.begin(system, user, tmp_path)
    user.finished(task_id)

    def known(text: str) -> str:
        return text.replace("{user}", user.email)

    tab.open(f"/runs/{task_id}{way.address}")

    shown = block(tab)
    expect(shown.get_by_role("heading")).to_have_text(known(way.sentence))
    for fact in way.facts:
        expect(shown.locator(".failure-facts")).to_contain_text(fact)
    if way.source:
        expect(shown.locator(".source .failed code")).to_have_text(
            re.compile(rf"^\s*{re.escape(way.source)}$")
        )
    else:
        expect(shown.locator(".source")).to_have_count(0)
    for text in way.before:
        expect(shown.locator(".before")).to_contain_text(known(text))
    if way.before:
        expect(shown.locator(".before li .text").last).to_have_text(known(way.before[-1]))
    if way.phases:
        wait_for("the phases", lambda: tuple(phases(tab)) == way.phases)
    place, log = shown.bounding_box(), tab.log.bounding_box()
    assert place and log and place["y"] + place["height"] <= log["y"] + 1, "it is above the log"
    text = copied(tab)
    assert text.startswith("## ") and known(way.sentence) in text.splitlines()[0]
    assert f"/runs/{task_id}" in text
    for part in way.ticket:
        assert part in text


def test_the_line_of_the_failure_is_one_click_away(visit: Visitor, user: User) -> None:
    task_id = user.start("test_invoices")
    user.finished(task_id)
    (line,) = [e for e in user.events(task_id) if e["type"] == "log" and "Traceback" in e["data"]["message"]]
    tab = visit(user)
    tab.open(f"/runs/{task_id}?level=DEBUG&phase=read")
    expect(tab.log.get_by_text("read invoice 40")).to_be_visible()

    block(tab).get_by_role("button", name="Go to line").click()

    expect(tab.page).to_have_url(re.compile(f"#L{line['sequence']}$"))
    expect(tab.log.locator(f'a[href="#L{line["sequence"]}"]')).to_be_in_viewport()
    tab.press("g g")
    block(tab).get_by_role("button", name="Go to line").click()
    expect(tab.log.locator(f'a[href="#L{line["sequence"]}"]')).to_be_in_viewport()


def test_a_failure_comes_while_one_looks(tab: Visit, user: User) -> None:
    task_id = user.start("test_half")
    tab.open(f"/runs/{task_id}")
    tab.shows("turning")
    expect(block(tab)).to_have_count(0)

    user.client.post(f"/api/v2/tasks/{task_id}/cancel")

    expect(block(tab).get_by_role("heading")).to_have_text(f"Cancelled by {user.email}")


def test_on_a_phone_the_log_keeps_its_place_below(visit: Visitor, user: User) -> None:
    task_id = user.start("test_invoices")
    user.finished(task_id)
    tab = visit(user, viewport=NARROW)

    tab.open(f"/runs/{task_id}")

    expect(block(tab).get_by_role("heading")).to_be_visible()
    lines = tab.page.get_by_label("Lines").bounding_box()
    assert lines and lines["height"] > 100
    assert not tab.run("document.documentElement.scrollWidth > innerWidth")
