"""The machine's Chromium, headless, controlled by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.support.system import PASSWORD, User

# Of two lists the last one counts, so these are Playwright's, disabledFeatures in its chromiumSwitches.ts, and ours.
OFF = (
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades"),
    *("HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding"),
    *("ThirdPartyStoragePartitioning", "AvoidCorsURLLoaderRestartOnRedirect", "TcpPortRandomizationWin"),
    *("OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled", "PreconnectToSearch"),
    # Pages of the browser's own below its address bar, which nobody sees: for each window 0.9 s of CPU time.
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup"),
)
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update"),
    f"--disable-features={','.join(OFF)}",
)


def installed() -> str | None:
    """Returns the path of the machine's browser. The headless shell is Chromium without its own pages: it takes a
    fifth less CPU time."""
    return shutil.which("chromium-headless-shell") or shutil.which("chromium")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Starts a browser; a test opens a context of its own in it. Only the starting thread may use the browser, and it
    can run no other event loop meanwhile: Playwright's loop runs in it."""
    path = installed()
    assert path, "there is neither chromium-headless-shell nor chromium on PATH"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def sign_in(context: BrowserContext, url: str, user: User) -> None:
    """Gives the context the cookies of a session, without a page."""
    answer = context.request.post(
        f"{url}/api/v2/auth/login", data={"email": user.email, "password": PASSWORD}
    )
    assert answer.status == 200, answer.text()
