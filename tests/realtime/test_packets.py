"""Packets of Socket.IO that are refused as they are read: what the library would keep, or call, without an end."""

from __future__ import annotations

import pytest

from app.realtime.socketio import limits
from app.realtime.socketio.limits import MESSAGE_LIMIT, StrictPacket


@pytest.mark.parametrize(
    "packet",
    [
        '5999999999-["join_task",{"_placeholder":true,"num":0}]',
        f'5{limits.ATTACHMENTS + 1}-["x"]',
        *(f'2["{name}",{{}}]' for name in sorted(limits.RESERVED)),
        '51-["connect",{"_placeholder":true,"num":0}]',
        *(
            "2[{}]",
            "2{}",
            "2[]",
            "2",
            "21",
            '2"x"',
            "2[1]",
            "2[null]",
            "51-[{}]",
            "51-",
            "3{}",
            "31",
            "61-{}",
        ),
        *("2" + "[" * 50_000, "0" + "[" * 50_000, "x"),
    ],
)
def test_packets_that_are_refused(packet: str):
    with pytest.raises(ValueError):
        StrictPacket(encoded_packet=packet)


@pytest.mark.parametrize("number", ["9", '"x"', "{}", "null"])
def test_an_attachment_without_a_place_is_refused(number: str):
    packet = StrictPacket(encoded_packet=f'51-["x",{{"_placeholder":true,"num":{number}}}]')
    with pytest.raises(ValueError):
        packet.add_attachment(b"x")


def test_attachments_are_bounded_together():
    packet = StrictPacket(
        encoded_packet='52-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]'
    )

    assert packet.add_attachment(b"x" * (MESSAGE_LIMIT - 1)) is False
    with pytest.raises(ValueError):
        packet.add_attachment(b"xx")
    assert StrictPacket(encoded_packet='51-["x",{"_placeholder":true,"num":0}]').add_attachment(b"x")
