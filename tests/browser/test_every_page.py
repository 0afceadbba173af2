"""What holds on every page, dark or light, at five widths: readable by all, nothing hanging over, nothing inline."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Literal

import httpx
import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import NARROW, WIDE, Visit, opened
from tests.browser.pages import PAGES
from tests.browser.scene import Scene, scene
from tests.support.system import ROOT, System, User

AXE = (ROOT / "static" / "node_modules" / "axe-core" / "axe.min.js").read_text()
GRAVE = {"serious", "critical"}
DEVICES: dict[str, dict[str, Any]] = {
    "wide": {"viewport": WIDE},
    "phone": {"viewport": NARROW, "has_touch": True, "is_mobile": True},
}
# In the same tab, after the width of the device.
OTHER_WIDTHS = {"wide": (2560, 768), "phone": (320,)}
ALL_RULES = {"resultTypes": ["violations"]}
# Nothing but the colours differs in the dark.
COLOURS = ALL_RULES | {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
SCHEMES: dict[Literal["light", "dark"], dict[str, Any]] = {"light": ALL_RULES, "dark": COLOURS}
SMALL = """least => [...document.querySelectorAll("button, input, [role=tab], nav a")]
    .filter(e => e.checkVisibility() && !["checkbox", "radio", "file"].includes(e.type))
    .map(e => [e.getAttribute("aria-label") || e.textContent || e.name, e.getBoundingClientRect()])
    .filter(([, box]) => box.width && (box.height < least || box.width < least))
    .map(([name, box]) => `${name}: ${Math.round(box.width)} × ${Math.round(box.height)}`)"""
# Wider than the window: the page itself, or what could be scrolled to the side within it.
# A phone makes its window as wide as the page: the screen stays.
OVER = "() => document.scrollingElement.scrollWidth - Math.round(visualViewport.width * visualViewport.scale)"


@pytest.fixture(scope="module")
def stage(system: System) -> Iterator[Scene]:
    with scene(system) as made:
        yield made


@pytest.fixture(scope="module", params=DEVICES)
def device(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def tabs(browser: Browser, system: System, stage: Scene, device: str) -> Iterator[dict[str, Visit]]:
    """By page, the tab that shows it: one for all pages of a user, so that the code is loaded once for each device."""
    with ExitStack() as stack:

        def tab(user: User | None) -> Visit:
            return stack.enter_context(opened(browser, system.url, user, **DEVICES[device]))

        users = tab(stage.user)
        yield dict.fromkeys(PAGES, users) | {"login": tab(None), "runs-empty": tab(stage.newcomer)}


def faults(tab: Visit, options: dict[str, Any]) -> list[str]:
    """What axe finds serious or critical: the rule, and where."""
    found = tab.run("options => axe.run(options).then(result => result.violations)", options)
    return [
        f"{fault['id']}: {', '.join(str(node['target']) for node in fault['nodes'])}"
        for fault in found
        if fault["impact"] in GRAVE
    ]


@pytest.mark.parametrize("page", PAGES)
def test_it_can_be_read_by_all_and_fits(tabs: dict[str, Visit], stage: Scene, page: str, device: str) -> None:
    tab = tabs[page]
    tab.complaints.faulty = page == "not-found"  # the browser tells of each 404
    PAGES[page](tab, stage)
    tab.run(f"{AXE}; 1")
    found = {}
    for scheme, options in SCHEMES.items():
        tab.page.emulate_media(color_scheme=scheme)
        if wrong := faults(tab, options):
            found[scheme] = wrong
    assert found == {}
    assert tab.run(OVER) <= 0
    size: Any = DEVICES[device]["viewport"]
    assert tab.run("innerWidth") == size["width"], (
        "a phone makes its window as wide as a page that is too wide"
    )
    if device == "phone":
        assert tab.run(SMALL, 44) == []
    try:
        for width in OTHER_WIDTHS[device]:
            tab.page.set_viewport_size({"width": width, "height": size["height"]})
            assert (tab.run(OVER) <= 0, faults(tab, ALL_RULES)) == (True, []), width
    finally:
        tab.page.set_viewport_size(size)
    complaints = [*tab.complaints.messages]
    tab.complaints.messages.clear()
    assert complaints == []


def test_the_policy_is_strict_and_kept(system: System) -> None:
    """That it is kept shows in every test here: a violation fails it."""
    for path in ("/", "/login", "/runs/00000000-0000-4000-8000-000000000000", "/api/docs"):
        policy = httpx.get(system.url + path).headers["Content-Security-Policy"]
        parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
        assert parts["default-src"] == "'none'"
        assert parts["script-src"] == parts["style-src"] == parts["connect-src"] == "'self'"
        assert (parts["require-trusted-types-for"], parts["trusted-types"]) == ("'script'", "'none'")
