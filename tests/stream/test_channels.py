"""Names that come back as they went out, and differ between the databases of one server."""

from __future__ import annotations

import pytest

from app.stream.message import Channels


@pytest.mark.parametrize(
    ("url", "channel", "control", "socketio"),
    [
        ("redis://host", "taskroom:user:a", "taskroom-control", "flask-socketio"),
        ("redis://host/0", "taskroom:user:a", "taskroom-control", "flask-socketio"),
        ("rediss://:secret@host:6380/7", "taskroom/7:user:a", "taskroom/7-control", "flask-socketio/7"),
        ("redis://host?db=3", "taskroom/3:user:a", "taskroom/3-control", "flask-socketio/3"),
        ("unix:///run/redis.sock?db=2", "taskroom/2:user:a", "taskroom/2-control", "flask-socketio/2"),
    ],
)
def test_a_database_has_channels_of_its_own(url: str, channel: str, control: str, socketio: str):
    channels = Channels(url)

    assert (channels.of("user:a"), channels.control, channels.socketio) == (channel, control, socketio)
    assert channels.stream(channel) == "user:a"
    assert channels.kind(channels.pattern("user")) == "user"
