"""Metrics for Prometheus: numbers that are read when the page is requested, and the library's histograms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector, disable_created_metrics, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

Row = tuple[str, str, float]
"""Name, description and value of a metric. A name that ends in ``_total`` is a counter, any other a gauge."""
Labelled = tuple[str, str, tuple[str, ...], Mapping[Any, float]]
"""A row with labels: their names, and a number for each tuple of values, or each value of a single label."""

# Without the second series of each metric, its start time.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics(Collector):
    """The page of metrics. ``sources`` yield rows, whose names get the prefix ``taskroom_``; ``own`` are the library's
    collectors."""

    def __init__(self, own: Iterable[Collector]) -> None:
        self.sources: list[Callable[[], Iterator[Row | Labelled]]] = []
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        for collector in (self, *own):
            self._registry.register(collector)

    def text(self) -> bytes:
        """Returns the page in Prometheus's text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        for source in self.sources:
            for name, text, *more in source():
                yield family(f"taskroom_{name}", text, *more)


def family(name: str, text: str, *more: Any, gauge: bool = False) -> Metric:
    """Returns the metric of a row, with or without labels; ``gauge`` overrides the type by name."""
    labels, values = more if len(more) == 2 else ((), {(): more[0]})
    counter = name.endswith("_total") and not gauge
    found = (CounterMetricFamily if counter else GaugeMetricFamily)(name, text, labels=labels)
    for of, value in values.items():
        found.add_metric(of if isinstance(of, tuple) else (of,), value)
    return found
