"""``script/first-paint``: when each page is painted first over slow networks, and how many bytes it takes."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext

from tests.browser.scene import Scene, scene
from tests.support.chromium import chromium, sign_in
from tests.support.embedded import embedded_system

LATENCY = 150  # ms, of each answer
NETWORKS = {"400 kbit/s": 400_000, "1.6 Mbit/s": 1_600_000}
QUIET = 1_500  # ms without a byte: then the page has all that it needs
PAINT = """() => new Promise(done => {
    const found = () => performance.getEntriesByName('first-contentful-paint')[0]
    if (found()) return done(found().startTime)
    new PerformanceObserver((list, self) => found() && (self.disconnect(), done(found().startTime)))
        .observe({ type: 'paint', buffered: true })
})"""


@dataclass(slots=True)
class Load:
    """What a cold load took. ``shown``: when what the page is about was there."""

    painted: float
    shown: float
    bytes: int
    names: list[str]  # the paths


def load(context: BrowserContext, url: str, wanted: str, bits: int | None) -> Load:
    """Loads the page with an empty cache, over a network of so many bits a second; None: as fast as it is."""
    page = context.new_page()
    cdp = context.new_cdp_session(page)
    cdp.send("Network.enable")
    cdp.send("Network.setCacheDisabled", {"cacheDisabled": True})
    if bits:
        rate = bits / 8
        cdp.send(
            "Network.emulateNetworkConditions",
            {"offline": False, "latency": LATENCY, "downloadThroughput": rate, "uploadThroughput": rate},
        )
    loaded = Load(0, 0, 0, [])
    addresses: dict[str, str] = {}
    cdp.on("Network.requestWillBeSent", lambda it: addresses.update({it["requestId"]: it["request"]["url"]}))

    def finished(it: dict[str, object]) -> None:
        loaded.bytes += int(it["encodedDataLength"])  # type: ignore[call-overload]
        loaded.names.append(urlsplit(addresses[str(it["requestId"])]).path)

    cdp.on("Network.loadingFinished", finished)
    page.goto(url, wait_until="commit")
    page.locator(wanted).first.wait_for()
    loaded.shown = page.evaluate("performance.now()")
    loaded.painted = page.evaluate(PAINT)
    before = -1
    while before != loaded.bytes:
        before = loaded.bytes
        page.wait_for_timeout(QUIET)
    page.close()
    return loaded


def pages(stage: Scene) -> dict[str, tuple[str, str]]:
    """By name, the address of a page and what it is about."""
    return {
        "login": ("/login", "input[name=password]"),
        "list": ("/", "main a.row"),
        "run": (f"/runs/{stage.finished}", ".log a[href^='#L']"),
    }


def measure(browser: Browser, url: str, stage: Scene) -> None:
    print(f"{'page':8}{'network':14}{'first paint':>12}{'shown':>10}{'bytes':>12}")
    for name, (path, wanted) in pages(stage).items():
        for network, bits in NETWORKS.items():
            with browser.new_context() as context:
                if name != "login":
                    sign_in(context, url, stage.user)
                found = load(context, url + path, wanted, bits)
            print(
                f"{name:8}{network:14}{found.painted / 1000:10.2f} s{found.shown / 1000:8.2f} s{found.bytes:12,}"
            )


if __name__ == "__main__":
    with embedded_system() as system, scene(system) as stage, chromium() as browser:
        measure(browser, system.url, stage)
