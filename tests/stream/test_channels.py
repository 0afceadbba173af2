"""Names that come back as they went out, and differ between the databases of one server."""

from __future__ import annotations

import pytest

from app.stream.channels import Channels


@pytest.mark.parametrize(
    ("url", "channel", "control"),
    [
        ("redis://host", "taskroom:user:a", "taskroom-control"),
        ("redis://host/0", "taskroom:user:a", "taskroom-control"),
        ("rediss://:secret@host:6380/7", "taskroom/7:user:a", "taskroom/7-control"),
        ("redis://host?db=3", "taskroom/3:user:a", "taskroom/3-control"),
        ("unix:///run/redis.sock?db=2", "taskroom/2:user:a", "taskroom/2-control"),
    ],
)
def test_a_database_has_channels_of_its_own(url: str, channel: str, control: str):
    channels = Channels(url)

    assert (channels.of("user:a"), channels.control) == (channel, control)
    assert channels.stream(channel) == "user:a"
    assert channels.kind(channels.pattern("user")) == "user"
