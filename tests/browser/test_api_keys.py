"""The page of API keys: made, copied, used and revoked."""

from __future__ import annotations

import re

import httpx
from playwright.sync_api import expect

from tests.browser.conftest import Visit, Visitor
from tests.support.keys import make
from tests.support.system import User, wait_for


def answer_to(user: User, key: str) -> int:
    url = user.client.base_url.join("/api/v2/tasks")
    return httpx.get(url, headers={"Authorization": f"Bearer {key}"}, timeout=60).status_code


def test_a_key_is_made_copied_used_and_revoked(visit: Visitor, user: User) -> None:
    user.start("test_echo")  # an empty list makes a key by itself
    tab = visit(user, permissions=["clipboard-read", "clipboard-write"])
    tab.open("/")
    tab.get("button", re.compile("settings and sign out")).click()
    tab.get("link", "API keys").click()
    expect(tab.page).to_have_title("API keys · Taskroom")
    tab.shows("You have no keys.")

    tab.page.get_by_label("Name").fill("nightly backup")
    tab.get("checkbox", re.compile("^start")).check()
    tab.choose("Expires", "In 30 days")
    tab.click("Make a key")

    made = tab.get("region", "New key")
    key = made.locator("code").inner_text()
    assert re.fullmatch(r"trk_[\w-]{43}", key)
    once = made.get_by_role("region", name="Once, in a terminal").locator("pre")
    expect(once).to_contain_text(f"export TASKROOM_URL={tab.url} TASKROOM_KEY={key}")
    tab.click("Copy the key")
    wait_for("the clipboard", lambda: tab.run("navigator.clipboard.readText()") == key)
    assert answer_to(user, key) == 200
    (row,) = user.get("keys")["keys"]
    assert row["scopes"] == ["report", "read", "start"] and row["expires_at"]

    tab.click("Done")
    # A use is written a moment after its request, and the page reads it once.
    wait_for("the use", lambda: user.get("keys")["keys"][0]["last_used_at"])
    tab.page.reload()
    listed = tab.page.get_by_role("listitem", name="nightly backup")
    expect(listed).to_contain_text("report, read, start")
    expect(listed).to_contain_text("used just now")
    assert key not in tab.page.content()

    tab.confirm("Revoke")
    tab.shows("You have no keys.")
    wait_for("the refusal", lambda: answer_to(user, key) == 401)


def test_a_refused_name_is_named(tab: Visit, user: User) -> None:
    tab.complaints.faulty = True  # the browser tells of each 422
    make(user, "read", name="one")
    tab.open("/settings/keys")
    tab.page.get_by_label("Name").fill("   ")
    tab.click("Make a key")
    tab.shows("Not printable characters.")
    expect(tab.page.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
