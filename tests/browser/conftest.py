"""A real Chromium, in front of the running system and a network that can be cut."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests.support.chromium import chromium
from tests.support.line import Line
from tests.support.system import PASSWORD, System, User, wait_for


class Browser:
    """The dashboard as somebody sees it."""

    def __init__(self, driver: Chrome, url: str) -> None:
        self.driver, self.url = driver, url

    def open(self, path: str) -> None:
        self.driver.get(self.url + path)

    def all(self, css: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def one(self, css: str) -> WebElement:
        return wait_for(css, lambda: next(iter(self.all(css)), None))

    def texts(self, css: str) -> list[str]:
        """In one call, so that the page cannot change between two."""
        script = "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)"
        return list(self.driver.execute_script(script, css))

    def shows(self, text: str, seconds: float = 20.0) -> None:
        wait_for(f"{text!r} on the page", lambda: text in self.driver.page_source, seconds)

    def sign_in(self, user: User) -> None:
        self.one("input[name=email]").send_keys(user.email)
        self.one("input[name=password]").send_keys(PASSWORD)
        self.one("form button").click()
        wait_for("the page behind the sign-in", lambda: not self.all("input[name=password]"))

    def click(self, name: str) -> None:
        def button() -> WebElement | None:
            return next((b for b in self.all("button") if b.text.strip() == name), None)

        wait_for(f"the button {name}", button).click()

    def sequences(self) -> list[int]:
        return [int(text) for text in self.texts(".log .seq")]

    def errors(self) -> list[str]:
        """What went wrong in the page; that nobody is signed in yet is answered with 401, as it should be."""
        severe = [e["message"] for e in self.driver.get_log("browser") if e["level"] == "SEVERE"]
        return [message for message in severe if "/api/v2/auth/refresh" not in message]


@pytest.fixture
def network(system: System) -> Iterator[Line]:
    line = Line(system.url)
    yield line
    line.close()


@pytest.fixture
def browser(network: Line, tmp_path: Path) -> Iterator[Browser]:
    with chromium(tmp_path / "profile") as driver:
        yield Browser(driver, f"http://127.0.0.1:{network.port}")
