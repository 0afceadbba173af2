"""A list that opens in a form: with the keyboard of a select-only combobox, and in a small window."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import NARROW, Visit, Visitor
from tests.support.system import User

# Whether the whole of an element is in the window, and nothing covers its middle.
SEEN = """one => {
    const box = one.getBoundingClientRect()
    const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)
    return one.contains(top) && box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth
}"""


def form(tab: Visit, user: User) -> Locator:
    """The dialog of a new run, with the form of a parcel."""
    user.start("test_echo")  # who has no runs finds the form on the page
    tab.open("/")
    tab.click("New run")
    tab.choose("Job", "A parcel", tab.form)
    return tab.page.get_by_role("dialog", name="New run")


def marked(combobox: Locator) -> Locator:
    """The option that the keyboard is at."""
    return combobox.page.locator(f"[id='{combobox.get_attribute('aria-activedescendant')}']")


def test_a_required_choice_is_named_described_and_submitted(tab: Visit, user: User) -> None:
    form(tab, user)
    size, label = (tab.get("combobox", name) for name in ("Size", "Label"))
    expect(size).to_have_text("Choose one")
    expect(size).to_have_attribute("aria-required", "true")
    expect(label).to_have_text("Not set")

    tab.click("Start")
    expect(size).to_be_focused()
    expect(size).to_have_attribute("aria-invalid", "true")
    expect(size).to_have_accessible_description("Fill this in.")

    tab.choose("Size", "more than large")
    expect(size).to_be_focused()
    tab.choose("Label", "this side up")
    tab.choose("Label", "Not set")
    submitted = "form => Object.fromEntries(new FormData(form))"
    assert tab.form.evaluate(submitted)["params.size"] == '"more than large"'
    tab.click("Start")
    tab.has_ended()
    (newest, _) = user.get("tasks")["tasks"]
    assert user.status(newest["task_id"])["task"]["result"] == {"size": "more than large", "label": None}


def test_the_keyboard_does_what_the_pattern_says(tab: Visit, user: User) -> None:
    dialog = form(tab, user)
    size = tab.get("combobox", "Size")
    options = tab.form.get_by_role("option")
    keys = tab.page.keyboard
    size.focus()

    keys.press("End")
    expect(marked(size)).to_have_text("more than large")
    keys.press("Escape")
    expect(options).to_have_count(0)
    expect(dialog).to_be_visible()
    expect(size).to_be_focused()
    expect(size).to_have_text("Choose one")

    keys.press("ArrowDown")
    keys.press("ArrowDown")
    expect(marked(size)).to_have_text("small")
    keys.press("Space")
    expect(size).to_have_text("small")
    expect(options).to_have_count(0)

    keys.type("more ")
    expect(marked(size)).to_have_text("more than large")
    keys.press("Home")
    expect(marked(size)).to_have_text("small")
    keys.press("m")
    keys.press("Tab")
    expect(size).to_have_text("medium")
    expect(options).to_have_count(0)
    expect(tab.get("combobox", "Label")).to_be_focused()

    keys.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_click_on_the_name_gives_the_focus_and_opens_nothing(tab: Visit, user: User) -> None:
    form(tab, user)

    tab.form.locator("label", has_text="Size").click()

    expect(tab.get("combobox", "Size")).to_be_focused()
    expect(tab.form.get_by_role("option")).to_have_count(0)


@pytest.mark.parametrize("height", [NARROW["height"], 400])
def test_on_a_phone_every_option_can_be_reached_with_a_finger(
    visit: Visitor, user: User, height: int
) -> None:
    tab = visit(user, viewport={"width": 320, "height": height}, has_touch=True, is_mobile=True)
    form(tab, user)
    label = tab.get("combobox", "Label")

    label.tap()
    options = tab.form.get_by_role("option")
    expect(options).to_have_count(3)

    assert options.evaluate_all(f"all => all.filter(({SEEN})).length") == 3
    assert (
        options.evaluate_all("all => all.filter(one => one.getBoundingClientRect().height < 44).length") == 0
    )
    options.last.tap()
    expect(label).to_have_text("this side up")
    expect(options).to_have_count(0)


def test_a_list_stays_at_its_button_while_the_form_scrolls(visit: Visitor, user: User) -> None:
    tab = visit(user, viewport={"width": 390, "height": 400})
    dialog = form(tab, user)
    size = tab.get("combobox", "Size")
    size.click()
    apart = """button => {
        const list = document.getElementById(button.getAttribute("aria-controls")).getBoundingClientRect()
        const { top, bottom } = button.getBoundingClientRect()
        return Math.round(Math.min(Math.abs(list.top - bottom), Math.abs(top - list.bottom)))
    }"""
    assert size.evaluate(apart) == 4

    dialog.evaluate(
        "one => new Promise(done => { one.scrollTop += 40; requestAnimationFrame(() => requestAnimationFrame(done)) })"
    )

    assert size.evaluate(apart) == 4
