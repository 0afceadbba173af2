"""A process with two applications of Celery: each reports its own tasks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.instrument.recorder import FILE
from tests.instrument.shop import Shop

pytestmark = pytest.mark.slow

OTHER = """
from celery import signals
class Consumer:
    def __init__(self, app):
        self.app = app
other = Celery("other", broker=BROKER)
other.conf.task_default_queue = os.environ["QUEUE"] + "-other"
@other.task(name="other.mail")
def mail():
    pass
"""
INSTRUMENT = """
(FOLDER / "other").mkdir()
server.connect = lambda url, key: Recorder(FOLDER / "other")
taskroom.instrument(other, url="https://rooms.example", key="trk_of_another_tenant")
"""
SEND = """
print(add.delay(1, 2).id, app.send_task("elsewhere.mail").id, group(add.s(1, 1), add.s(2, 2)).delay()[1].id)
print(mail.delay().id, other.send_task(add.name, (1, 2)).id, chain(mail.si(), mail.si()).delay().parent.id)
for id, of in (("of-app", app), ("of-other", other)):
    signals.task_unknown.send(sender=Consumer(of), name="other.gone", id=id)
"""


def of_other(shop: Shop) -> dict[str, dict[str, Any]]:
    """The fields of the tasks that the other application has reported."""
    said = [json.loads(line) for line in (shop.folder / "other" / FILE).read_text().splitlines()]
    return {one["task_id"]: one["fields"] for one in said if one["kind"] == "task"}


def test_of_another_application_nothing_is_reported(shop: Shop) -> None:
    own, others = shop.run(OTHER + SEND)

    assert {one["task_id"] for one in shop.said("task")} >= {*own.split(), "of-app"}
    assert not {one["task_id"] for one in shop.said("task")} & {*others.split(), "of-other"}


def test_two_applications_report_each_their_own(shop: Shop) -> None:
    own, others = shop.run(OTHER + INSTRUMENT + SEND)

    said = {one["task_id"] for one in shop.said("task")}
    assert said >= {*own.split(), "of-app"} and not said & {*others.split(), "of-other"}
    assert of_other(shop).keys() == {*others.split(), "of-other"}


def test_a_message_keeps_its_parent_where_two_applications_report(shop: Shop) -> None:
    parent, child = shop.run(
        OTHER + INSTRUMENT + "sent = spawns.apply()\nprint(sent.id, sent.get(), sep='\\n')"
    )

    assert shop.fields(child)["parent_id"] == parent
