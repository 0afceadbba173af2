"""Measurements for Prometheus: plain numbers, read when the page is asked for, and the library's own histograms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector, disable_created_metrics, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

Row = tuple[str, str, float]
"""Name, description and value of a metric. One whose name ends in ``_total`` is a counter, any other a gauge."""
Labelled = tuple[str, str, tuple[str, ...], Mapping[Any, float]]
"""The same with labels: their names, and the value for each tuple of their values, or for each value of one label."""

# A second series for each, of when it began.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics(Collector):
    """A page of measurements. ``sources`` give rows, whose names get the prefix ``taskroom_``; ``own`` are metrics that
    the library keeps."""

    def __init__(self, own: Iterable[Collector]) -> None:
        self.sources: list[Callable[[], Iterator[Row | Labelled]]] = []
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        for collector in (self, *own):
            self._registry.register(collector)

    def text(self) -> bytes:
        """Prometheus's text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        for source in self.sources:
            for name, text, *more in source():
                yield family(f"taskroom_{name}", text, *more)


def family(name: str, text: str, *more: Any, gauge: bool = False) -> Metric:
    """A metric of a row or labelled row; ``gauge`` where its name says otherwise."""
    labels, values = more if len(more) == 2 else ((), {(): more[0]})
    counter = name.endswith("_total") and not gauge
    found = (CounterMetricFamily if counter else GaugeMetricFamily)(name, text, labels=labels)
    for of, value in values.items():
        found.add_metric(of if isinstance(of, tuple) else (of,), value)
    return found
