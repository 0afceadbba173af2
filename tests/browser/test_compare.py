"""A run beside an earlier one, and the strip of the last runs of its job."""

from __future__ import annotations

import re
import uuid

from playwright.sync_api import Locator, expect

from tests.browser.conftest import NARROW, Visit, Visitor
from tests.browser.test_run_again import ended
from tests.support.system import System, User


def part(tab: Visit, name: str) -> Locator:
    return tab.get("region", name)


def row(part: Locator, name: str) -> Locator:
    return part.get_by_role("row").filter(has=part.page.get_by_role("rowheader", name=name, exact=True))


def test_a_failed_run_offers_the_last_success_and_says_what_differs(tab: Visit, user: User) -> None:
    success = ended(user, "release", version="4.1.0", tests=20)
    ended(user, "release", version="4.1.1", tests=20)
    user.client.post(f"/api/v2/tasks/{ended(user, 'release', version='4.1.2')}/cancel")
    failed = ended(user, "release", version="4.2.0", broken=True)

    tab.open(f"/runs/{failed}")
    tab.get("link", "Compare with the last success").click()
    expect(tab.page).to_have_url(re.compile(f"/runs/{failed}/compare\\?with="))
    tab.open(f"/runs/{failed}/compare?with={success}")

    parameters, phases, errors = (part(tab, name) for name in ("Parameters", "Phases", "Errors"))
    expect(row(parameters, "version").get_by_role("cell")).to_have_text(["4.1.0", "4.2.0"])
    expect(row(parameters, "broken").get_by_role("cell")).to_have_text(["false", "true"])
    expect(parameters).to_contain_text("the same: stop_after")
    expect(row(phases, "test").get_by_role("img", name="failed")).to_be_visible()
    expect(row(phases, "publish")).to_contain_text("not in this run")
    expect(errors).to_contain_text("expected 3 viewers, found 2")
    expect(errors).to_contain_text("in the phase test")
    expect(errors).to_contain_text("no error")
    expect(part(tab, "Result")).to_contain_text("no result")


def test_without_a_name_the_page_chooses_and_another_run_may_be_chosen(tab: Visit, user: User) -> None:
    first, second = ended(user, text="one"), ended(user, text="two")
    third = ended(user, text="three")

    tab.open(f"/runs/{third}/compare")
    expect(tab.page).to_have_url(re.compile(f"with={second}"))
    tab.click("Compare with another run")
    choices = tab.page.locator(".more-list a")
    expect(choices).to_have_count(2)
    expect(choices.first).to_contain_text("last success")
    choices.last.click()

    expect(tab.page).to_have_url(re.compile(f"with={first}"))
    expect(row(part(tab, "Parameters"), "text").get_by_role("cell")).to_have_text(["one", "three"])


def test_both_runs_are_checked(visit: Visitor, tab: Visit, user: User, other: User) -> None:
    tab.complaints.faulty = True  # the browser tells of each 404
    mine, theirs = ended(user), ended(other)

    tab.open(f"/runs/{mine}/compare?with={theirs}")
    tab.shows("There is no such run to compare with")
    tab.open(f"/runs/{theirs}/compare?with={mine}")
    tab.shows("There is no such run")
    tab.open(f"/runs/{mine}/compare?with={uuid.uuid4()}")
    tab.shows("There is no such run to compare with")
    tab.open(f"/runs/{mine}/compare")
    tab.shows("There is nothing to compare with")


def test_the_strip_has_the_last_runs_and_goes_to_them_by_keyboard(tab: Visit, user: User) -> None:
    first, second = ended(user, text="one"), ended(user, "test_echo", text="two")
    ended(user, "test_fail", text="of another job")
    third = ended(user, text="three")
    tab.open(f"/runs/{third}")
    strip = part(tab, "Earlier runs")
    bars = strip.get_by_role("listitem").get_by_role("link")

    expect(bars).to_have_count(3)
    expect(bars.last).to_have_attribute("aria-current", "page")
    expect(bars.first).to_have_accessible_name(re.compile("^succeeded after "))
    bars.last.focus()
    tab.page.keyboard.press("ArrowLeft")
    expect(bars.nth(1)).to_be_focused()
    tab.page.keyboard.press("Home")
    expect(strip.locator(".earlier-text")).to_contain_text("succeeded after")
    tab.page.keyboard.press("Enter")
    expect(tab.page).to_have_url(re.compile(first))
    assert second


def test_on_a_phone_the_strip_has_a_tab(visit: Visitor, user: User) -> None:
    ended(user)
    last = ended(user)
    tab = visit(user, viewport=NARROW)

    tab.open(f"/runs/{last}#earlier")

    expect(part(tab, "Earlier runs")).to_be_visible()
    tab.get("link", "Compare with the last success").click()
    expect(part(tab, "Compared with")).to_be_visible()
    assert tab.run("document.documentElement.scrollWidth") <= 390


def test_a_colleague_may_open_the_address_that_was_sent(visit: Visitor, system: System) -> None:
    tenant = uuid.uuid4().hex
    one, two = system.user(tenant=tenant), system.user("viewer", tenant=tenant)
    first, second = ended(one, text="one"), ended(one, text="two")
    tab = visit(two)

    tab.open(f"/runs/{second}/compare?with={first}")

    expect(row(part(tab, "Parameters"), "text").get_by_role("cell")).to_have_text(["one", "two"])
    one.client.close()
    two.client.close()
