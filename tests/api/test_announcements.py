"""What an admin tells everybody."""

from __future__ import annotations

import pytest

from tests.support.system import System


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 256}, "title"),
        ({"message": 7}, "message"),
        ({"action_url": "javascript:alert(1)"}, "action_url"),
        ({"action_url": "//elsewhere.org"}, "action_url"),
        ({"urgent": "perhaps"}, "urgent"),
        ({"metadata": {}}, "metadata"),
    ],
)
def test_an_announcement_that_cannot_be_is_refused_by_the_name_of_its_field(
    system: System, wrong: dict[str, object], field: str
) -> None:
    admin = system.user("admin")

    answer = admin.client.post("/api/v2/announcements", json={"title": "x", **wrong})

    admin.client.close()
    assert answer.status_code == 422 and list(answer.json()["errors"]) == [field]
