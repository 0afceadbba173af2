"""``script/screens [PAGE …]``: a picture of every page, light and dark, wide and narrow, into screens/, which the
repository does not have; and those that the documents show, small, into docs/screens."""

from __future__ import annotations

import base64
import sys
from typing import Literal

from playwright.sync_api import Browser, Route, ViewportSize

from tests.browser.pages import PAGES
from tests.browser.scene import Scene, scene
from tests.support.chromium import chromium, sign_in
from tests.support.dashboard import Dashboard
from tests.support.embedded import embedded_system
from tests.support.system import ROOT

SCREENS, KEPT_IN = ROOT / "screens", ROOT / "docs" / "screens"
# Of all pictures those that the repository keeps: at most twelve.
KEPT = {
    *("run-running-light-wide", "run-failed-light-wide", "runs-dark-wide", "run-running-dark-narrow"),
    *("run-failed-dark-wide", "runs-light-narrow", "run-waiting-dark-wide", "run-chord-light-wide"),
    *("login-light-wide", "runs-empty-dark-wide", "new-run-light-wide", "embed-light-wide"),
}
QUALITY = 72  # of WebP: what is text stays sharp
NAMES = ("ada@example.org", "grace@example.org")
SIZES: dict[str, ViewportSize] = {
    "wide": {"width": 1400, "height": 900},
    "narrow": {"width": 390, "height": 844},
}
# As it is operated: with its limits, and without the jobs that measure.
OPERATED = {"TASKROOM_BENCH": "0"}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def main(wanted: list[str]) -> None:
    unknown = set(wanted) - PAGES.keys()
    if unknown:
        raise SystemExit(f"there is no page {', '.join(unknown)}; there are {', '.join(PAGES)}")
    for folder in (SCREENS, KEPT_IN):
        folder.mkdir(exist_ok=True)
    with embedded_system(**OPERATED) as system, scene(system, NAMES) as stage, chromium() as browser:
        for name in wanted or PAGES:
            for width in SIZES:
                pictures(browser, system.url, stage, name, width)


def pictures(browser: Browser, url: str, stage: Scene, name: str, width: str) -> None:
    with browser.new_context(viewport=SIZES[width], locale="en-GB", timezone_id="UTC") as context:
        context.route("**/status", without_our_paths)
        sign_in(context, url, stage.newcomer if name == "runs-empty" else stage.user)
        tab = Dashboard(context, url)
        PAGES[name](tab, stage)
        tab.page.wait_for_load_state("networkidle")
        tab.run("document.fonts.ready.then(() => 1)")
        for scheme in SCHEMES:
            tab.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            path = SCREENS / f"{name}-{scheme}-{width}.png"
            tab.page.screenshot(path=path, animations="disabled", caret="hide")
            print(f"{path.relative_to(ROOT)}  {path.stat().st_size // 1000} KB", flush=True)
            if path.stem in KEPT:
                keep(tab, path.stem)


def keep(tab: Dashboard, name: str) -> None:
    """Writes the page as WebP, which is a third of a PNG."""
    cdp = tab.context.new_cdp_session(tab.page)
    taken = cdp.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
    cdp.detach()
    path = KEPT_IN / f"{name}.webp"
    path.write_bytes(base64.b64decode(taken["data"]))
    print(f"{path.relative_to(ROOT)}  {path.stat().st_size // 1000} KB", flush=True)


def without_our_paths(route: Route) -> None:
    """Where a traceback names files, the pictures shall not differ from one machine to the next."""
    answer = route.fetch()
    route.fulfill(response=answer, body=answer.text().replace(str(ROOT), "/srv/taskroom"))


if __name__ == "__main__":
    main(sys.argv[1:])
