from __future__ import annotations

import time
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from marshmallow import ValidationError

from tests.support.clock import Sleeper

if TYPE_CHECKING:
    from conftest import Phase, Recorder

Load = Callable[..., ModuleType]


def run(module: ModuleType, **params: Any) -> dict[str, Any]:
    result: dict[str, Any] = module.emit_load(**module.EmitLoadParams().load(params))
    return result


def stamps(recorder: Recorder) -> list[int]:
    return [int(message.split(" ", 1)[0].removeprefix("@t=")) for message, _ in recorder.logs]


def test_it_is_registered_for_benchmarks_only(load: Load, recorder: Recorder) -> None:
    load("emit_load", bench=False)
    assert recorder.jobs == {}
    module = load("emit_load", bench=True)
    assert recorder.jobs["emit_load"]["params"] is module.EmitLoadParams
    assert recorder.jobs["emit_load"]["phases"] == {"wait": 1, "load": 99}


def test_as_fast_as_possible(load: Load, recorder: Recorder) -> None:
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    result = run(load("emit_load"), events=2500, message_bytes=330)
    assert result["events"] == len(recorder.logs) == 2500
    assert {len(message) for message, _ in recorder.logs} == {330}
    times = stamps(recorder)
    assert before <= times[0]
    assert times == sorted(times)
    assert times[-1] <= time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    assert recorder.names() == ["wait", "load"]
    assert recorder["load"].processed == recorder["load"].total == 2500
    assert {fields.phase for _, fields in recorder.logs} == {"load"}


def test_a_short_message_still_has_its_time_stamp(load: Load, recorder: Recorder) -> None:
    run(load("emit_load"), events=1, message_bytes=1)
    assert recorder.logs[0][0].startswith("@t=")
    assert recorder.logs[0][0].endswith(" ")


@pytest.mark.parametrize(("events", "rate"), [(20, 40.0), (500, 1000.0), (10_000, 20_000.0)])
def test_the_average_rate_is_held_without_a_busy_loop(
    load: Load, recorder: Recorder, monkeypatch: pytest.MonkeyPatch, events: int, rate: float
) -> None:
    module, clock = load("emit_load"), Sleeper()
    monkeypatch.setattr(module, "time", clock)
    run(module, events=events, rate=rate)
    times = stamps(recorder)
    took = (times[-1] - times[0]) / 1e9
    assert took == pytest.approx((events - 1) / rate, abs=0.01)
    assert clock.slept > 0.9 * took, "it slept, and did not look at the clock all the time"


def test_overslept_time_is_made_good(load: Load, recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    module, clock = load("emit_load"), Sleeper(late=0.05)
    began = clock.now
    monkeypatch.setattr(module, "time", clock)
    run(module, events=1000, rate=100)
    assert clock.now - began == pytest.approx(9.99, abs=0.1)


@pytest.mark.parametrize("params", [{"delay": 30}, {"events": 5, "rate": 0.01}])
def test_a_cancel_gets_through_while_nothing_is_written(
    load: Load, recorder: Recorder, params: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Cancelled(BaseException):
        pass

    module, clock = load("emit_load"), Sleeper()
    monkeypatch.setattr(module, "time", clock)
    looks = [clock.now]

    def advance(self: Phase, n: int = 1, message: str | None = None) -> None:
        assert clock.now - looks[-1] < 0.3, "a cancel would have waited"
        looks.append(clock.now)
        if len(looks) > 100:
            raise Cancelled

    monkeypatch.setattr(recorder.phase_type, "advance", advance)
    with pytest.raises(Cancelled):
        run(module, **params)


@pytest.mark.parametrize(
    "params",
    [
        {"events": 0},
        {"events": 2_000_001},
        {"rate": -1},
        {"rate": float("nan")},
        {"rate": 1e9},
        {"message_bytes": 0},
        {"message_bytes": 16_385},
        {"delay": -1},
        {"delay": 3601},
    ],
)
def test_bad_parameters_are_refused(load: Load, params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        load("emit_load").EmitLoadParams().load(params)
