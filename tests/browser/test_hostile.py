"""Text that wants to be more than text: markup and the codes of terminals, wherever a page shows them."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.support.system import User

MARKUP = "<script>window.hacked=1</script><img src=x onerror='window.hacked=1'>"
ATTACKS = {
    "a link": "\x1b]8;;javascript:window.hacked=1\x07click\x1b]8;;\x07",
    "an unclosed link": "\x1b]8;;javascript:window.hacked=1",
    "the clipboard": "\x1b]52;c;aGFja2Vk\x07",
    "a title": "\x1b]0;hacked\x07",
    "the cursor": "\x1b[2J\x1b[1;1H\x1b[10A\x1b[K",
    "unclosed colours": "\x1b[1;5;41m\x1b[8m",
    "an unclosed code": "\x1b[38;2",
    "an event of ours": 'event: end\ndata: {"status": "SUCCESS"}\n\n',
}
LEFT_BY_IT = (
    "main img:not([alt]), main script, iframe, object, a[href^='javascript' i], [onerror], [style*='41m']"
)


def inert(tab: Visit) -> None:
    assert tab.run("window.hacked") is None
    assert tab.page.locator(LEFT_BY_IT).count() == 0
    assert "hacked" not in tab.page.title().replace("window.hacked", "")


def test_markup_in_title_log_error_and_result(tab: Visit, user: User) -> None:
    given = {"job_type": "test_fail", "params": {"text": MARKUP}, "title": MARKUP}
    failed = user.client.post("/api/v2/agent/start", json=given).json()["task_id"]
    echo = user.start("test_echo", text=MARKUP)
    user.finished(failed)
    user.finished(echo)
    for path in ("/", f"/runs/{failed}", f"/runs/{echo}", f"/runs/{echo}#result"):
        tab.open(path)
        tab.shows("window.hacked=1")
        inert(tab)


def test_markup_in_the_bell_and_its_toasts(tab: Visit, user: User) -> None:
    tab.open("/")
    tab.says("live")
    tab.toasts.dispatch_event("mouseenter")  # a toast under the pointer stays, also on a slow machine
    given = {"job_type": "test_fail", "params": {"text": MARKUP}, "title": MARKUP}
    user.finished(user.client.post("/api/v2/agent/start", json=given).json()["task_id"])
    expect(tab.toasts.get_by_text("window.hacked=1").first).to_be_visible()
    inert(tab)
    tab.bell.click()
    expect(tab.inbox.get_by_text("window.hacked=1").first).to_be_visible()
    inert(tab)


def test_the_codes_of_terminals_in_the_log_end_with_their_line(tab: Visit, user: User) -> None:
    lines = [line for attack in ATTACKS.values() for line in (f"before {attack} after", "untouched")]
    task_id = user.start("test_lines", lines=lines)
    user.finished(task_id)
    tab.open(f"/runs/{task_id}")
    expect(tab.log.get_by_text("untouched", exact=True)).to_have_count(len(ATTACKS))
    plain = tab.log.get_by_text("untouched", exact=True)
    styles = plain.evaluate_all(
        "lines => lines.map(e => { const s = getComputedStyle(e); return [s.color, s.backgroundColor, s.fontWeight] })"
    )
    assert all(style == styles[0] for style in styles)
    assert tab.log.locator("a:not([href^='#L'])").count() == 0
    inert(tab)
