"""Server-sent events from Flask on eventlet, the usual way: a queue and a greenlet for each viewer."""

import eventlet

eventlet.monkey_patch()

import os  # noqa: E402
from collections import defaultdict  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from queue import Empty, Queue  # noqa: E402
from threading import Thread  # noqa: E402

import eventlet.wsgi  # noqa: E402
import redis  # noqa: E402
from flask import Flask, Response  # noqa: E402

app = Flask(__name__)
rooms: dict[str, set[Queue[str]]] = defaultdict(set)


def listen() -> None:
    pubsub = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True).pubsub()
    pubsub.psubscribe("task:*")
    for message in pubsub.listen():
        if message["type"] == "pmessage":
            for queue in list(rooms[message["channel"]]):
                queue.put(message["data"])


@app.get("/tasks/<task_id>/stream")
def stream(task_id: str) -> Response:
    def frames() -> Iterator[str]:
        queue: Queue[str] = Queue()
        rooms[f"task:{task_id}"].add(queue)
        try:
            yield "event: connected\ndata: {}\n\n"
            while True:
                try:
                    yield f"event: log\ndata: {queue.get(timeout=15)}\n\n"
                except Empty:
                    yield ": keep-alive\n\n"
        finally:
            rooms[f"task:{task_id}"].discard(queue)

    return Response(frames(), mimetype="text/event-stream")


if __name__ == "__main__":
    Thread(target=listen, daemon=True).start()
    listener = eventlet.listen(("127.0.0.1", int(os.environ["PORT"])), backlog=1_024)
    # Without the last option, eventlet holds events back until there are 4 KB of them.
    eventlet.wsgi.server(listener, app, max_size=20_000, log_output=False, minimum_chunk_size=0)
