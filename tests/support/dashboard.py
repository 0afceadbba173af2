"""The dashboard in one tab; tests find its parts by roles and names."""

from __future__ import annotations

import re
from typing import Any, Literal, cast

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.support.system import PASSWORD, User

Role = Literal["button", "checkbox", "combobox", "link", "region", "searchbox", "tab", "textbox"]
SECONDS = 120.0  # until a test fails
expect.set_options(timeout=SECONDS * 1000)

# The sequences of the drawn lines; a virtual list draws only a part of the log.
LINES = """region => [...region.querySelectorAll('a[href^="#L"]')].map(a => Number(a.hash.slice(2)))"""
# The sequences of the lines that are completely visible.
IN_VIEW = """region => {
    const box = region.querySelector('[aria-label="Lines"]').getBoundingClientRect()
    const fits = ({ top, bottom }) => top >= box.top && bottom <= box.bottom
    return [...region.querySelectorAll('a[href^="#L"]')]
        .filter(a => fits(a.getBoundingClientRect())).map(a => Number(a.hash.slice(2)))
}"""
# Waits until the log no longer scrolls.
AT_REST = """async region => {
    const box = region.querySelector('[aria-label="Lines"]')
    const frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)))
    for (let top = -1, same = 0; same < 10; top = box.scrollTop) {
        await frame()
        same = box.scrollTop === top ? same + 1 : 0
    }
}"""
# Reads the whole log screen by screen; takes the drawn lines once they no longer change.
READ = """async region => {
    const box = region.querySelector('[aria-label="Lines"]')
    const drawn = () => [...box.querySelectorAll('a[href^="#L"]')].map(a => Number(a.hash.slice(2)))
    const frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)))
    const look = () => drawn().join() + box.scrollHeight
    const isLoading = () => box.querySelector('.absent') !== null
    const seen = []
    box.scrollTop = 0
    for (let top = -1; box.scrollTop > top; ) {
        const until = performance.now() + 120_000
        for (let before; before !== (before = look()) || isLoading(); ) {
            if (performance.now() > until) throw new Error('lines are not loaded within 120 s')
            for (let n = 0; n < 3; n++) await frame()
        }
        const lines = drawn()
        const wrong = lines.find((line, n) => line <= lines[n - 1])
        if (wrong) throw new Error(`line ${wrong} comes too late or twice`)
        seen.push(...lines.filter(line => line > (seen.at(-1) ?? 0)))
        top = box.scrollTop
        box.scrollTop += box.clientHeight * 0.8
        await frame()
    }
    return seen
}"""


class Dashboard:
    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context, self.url = context, url
        self.page: Page = context.new_page()
        self.page.set_default_timeout(SECONDS * 1000)

    def open(self, path: str) -> None:
        self.page.goto(self.url + path)

    def sign_in(self, user: User) -> None:
        """Signs in with the form."""
        self.page.get_by_label("Email").fill(user.email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()

    def get(self, role: Role, name: str | re.Pattern[str], exact: bool = True) -> Locator:
        return self.page.get_by_role(role, name=name, exact=exact and isinstance(name, str))

    def click(self, name: str) -> None:
        self.get("button", name).click()

    def press(self, shortcut: str) -> None:
        """Presses one key, or two in a row: "g g". A page listens to its shortcuts from its first painting on, and its
        code may still be loading."""
        expect(self.page.locator("main")).not_to_have_attribute("aria-busy", "true")
        self.page.evaluate(
            "new Promise(done => requestAnimationFrame(() => requestIdleCallback(() => done())))"
        )
        for key in shortcut.split():
            self.page.keyboard.press(key)

    @property
    def form(self) -> Locator:
        """The form that starts a run; it chooses the job, and the list has a filter with the same name."""
        return self.page.locator("form.start")

    def choose(self, label: str, option: str, within: Locator | None = None) -> None:
        """Takes an option of a list that opens."""
        place = within or self.page.locator("body")
        place.get_by_role("combobox", name=label, exact=True).click()
        place.get_by_role("option", name=option, exact=True).click()

    def confirm(self, name: str) -> None:
        """Clicks twice: the button of an irreversible action asks for confirmation in its place."""
        self.click(name)
        self.click(f"{name} now")

    @property
    def bell(self) -> Locator:
        return self.get("button", re.compile("^Notifications"))

    @property
    def inbox(self) -> Locator:
        """The dialog that the bell opens."""
        return self.page.get_by_role("dialog", name="Notifications")

    @property
    def toasts(self) -> Locator:
        return self.get("region", "New notifications")

    def state(self, word: str) -> Locator:
        """The state of the connection, always in the same place."""
        return self.page.get_by_role("banner").get_by_text(re.compile(f"^{word}")).first

    def says(self, word: str) -> None:
        expect(self.state(word)).to_be_visible()

    def shows(self, text: str) -> None:
        expect(self.page.get_by_text(text).filter(visible=True).first).to_be_visible()

    def has_ended(self, mark: str = "✓") -> None:
        expect(self.page).to_have_title(re.compile(mark))

    @property
    def log(self) -> Locator:
        return self.get("region", "Log")

    def lines(self) -> list[int]:
        """Returns the sequences of the drawn lines."""
        return cast(list[int], self.log.evaluate(LINES))

    def in_view(self) -> list[int]:
        return cast(list[int], self.log.evaluate(IN_VIEW))

    def at_rest(self) -> None:
        """Waits until the log no longer scrolls: a browser moves it smoothly after a turn of the wheel."""
        self.log.evaluate(AT_REST)

    def read_log(self) -> list[int]:
        """Scrolls through the log from the top; returns the sequences. Raises Error when their order is broken."""
        return cast(list[int], self.log.evaluate(READ))

    def run(self, script: str, given: Any = None) -> Any:
        return self.page.evaluate(script, given)
