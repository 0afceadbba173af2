"""What a worker says of itself and of its queues."""

from __future__ import annotations

import time

import pytest

from tests.instrument.conftest import MakeShop
from tests.instrument.shop import Shop
from tests.support.system import wait_for

pytestmark = pytest.mark.slow

REPORT = """
from taskroom.celery.depths import Depths
app.amqp.queues.select([os.environ["QUEUE"]])
depths = Depths(server._clients["https://rooms.example", "trk_of_a_test"], app)
depths.report()
depths.close()
"""


def test_a_running_task_has_the_id_under_which_it_is_reported(shop: Shop) -> None:
    with shop.worker("solo"):
        shop.send("waits", "go", task_id="x" * 200)  # longer than the server takes
        said = wait_for("the task", lambda: shop.said("task"))
        beat = wait_for("a beat", lambda: [beat for beat in shop.beats() if beat["running"]])[0]
        shop.allow("go")

    assert beat["running"] == [said[0]["task_id"]]


def test_the_depth_of_a_queue_counts_all_priorities(make_shop: MakeShop) -> None:
    shop = make_shop()
    if shop.broker.startswith("amqp"):
        shop.run("with app.connection_for_write() as c: app.amqp.queues[os.environ['QUEUE']](c).declare()")
    for priority in (0, 3, 9):
        shop.send("add", 1, 1, priority=priority)
    with shop.worker("solo", "--queues", f"{shop.queue}-none"):
        depths = wait_for("the depth", lambda: shop.said("queue"))[:1]
        assert [one["fields"] for one in depths] == [
            {"name": f"{shop.queue}-none", "depth": 0, "beat_seconds": 10.0}
        ]

    shop.run(REPORT)
    # Who has sent them does not say when.
    assert shop.said("queue")[-1]["fields"] == {"name": shop.queue, "depth": 3, "beat_seconds": 10.0}


@pytest.mark.parametrize("prefix", ["", "of-a-shop-"])
def test_the_oldest_wait_of_a_queue_is_that_of_all_priorities(shop: Shop, prefix: str) -> None:
    begun = time.time()
    if shop.broker.startswith("amqp"):
        shop.run("with app.connection_for_write() as c: app.amqp.queues[os.environ['QUEUE']](c).declare()")
    program = f"""
app.conf.broker_transport_options["global_keyprefix"] = "{prefix}"
add.apply_async((1, 1), priority=3, timestamp={int(begun) - 1000})
add.apply_async((1, 1), priority=0, timestamp={int(begun) - 100})
for priority in (0, 3, 9):
    add.apply_async((1, 1), priority=priority)
{REPORT}"""
    shop.run(program)

    said = shop.said("queue")[-1]["fields"]
    assert said["depth"] == 5
    if shop.broker.startswith("amqp"):  # reading a message would take it
        assert "oldest_wait_seconds" not in said
    else:
        assert 999 <= said["oldest_wait_seconds"] <= 1001 + time.time() - begun


def test_what_a_task_is_sent_with_tells_when(shop: Shop) -> None:
    begun = int(time.time())
    shop.run(f"add.delay(1, 2)\n{REPORT}")

    said = shop.said("queue")[-1]["fields"]
    if not shop.broker.startswith("amqp"):
        assert 0 <= said["oldest_wait_seconds"] <= time.time() - begun + 1


def test_a_broker_that_is_away_stops_no_heartbeat(shop: Shop) -> None:
    program = """
from taskroom.celery.heartbeat import Repeated
from taskroom.celery.depths import Depths
app.conf.broker_url = app.conf.broker_read_url = "redis://127.0.0.1:1/0"
app.amqp.queues.select([os.environ["QUEUE"]])
client = server._clients["https://rooms.example", "trk_of_a_test"]
depths, done = Depths(client, app), threading.Event()
def report():
    try:
        depths.report()
    finally:
        report.calls += 1
        if report.calls == 3:
            done.set()
report.calls = 0
repeated = Repeated("taskroom-depths", 0.01, report)
repeated.start()
print(done.wait(60))
"""
    assert shop.run(program) == ["True"]
    assert shop.said("queue") == []
