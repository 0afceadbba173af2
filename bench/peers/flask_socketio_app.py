"""Flask-SocketIO with a message queue on eventlet, as in its documentation."""

import eventlet

eventlet.monkey_patch()

import os  # noqa: E402

from flask import Flask  # noqa: E402
from flask_socketio import SocketIO, join_room  # noqa: E402

app = Flask(__name__)
socketio = SocketIO(app, async_mode="eventlet", message_queue=os.environ["REDIS_URL"])


@socketio.on("join_task")
def join_task(data: dict[str, str]) -> dict[str, bool]:
    join_room(f"task:{data['task_id']}")
    return {"ok": True}


if __name__ == "__main__":
    socketio.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), max_size=20_000)
