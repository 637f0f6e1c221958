"""Counters for Prometheus.

A web server of several processes shares them through the directory that PROMETHEUS_MULTIPROC_DIR names, which must be
set before this module is imported (see `patron.config.web_server`). Rooms add gauges, read when Prometheus
asks, with `gauges.register(...)` in their `health.py`.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from patron.kernel.registries import Registry

log = structlog.get_logger("patron.metrics")

REQUESTS = Histogram(
    "patron_http_request_seconds",
    "Requests by route, method and status, and how long they took.",
    ["route", "method", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
QUERIES = Counter("patron_database_queries", "Statements sent to the database by requests.")
QUERY_SECONDS = Counter("patron_database_query_seconds", "Seconds that requests waited for the database.")
SLOW_QUERIES = Counter("patron_database_slow_queries", "Statements slower than PATRON_SLOW_QUERY_MS.")
DATABASE_FAILURES = Counter("patron_database_failures", "Requests answered 503 because the database failed.")


@dataclass(frozen=True, slots=True)
class Gauge:
    """A number read when Prometheus asks: `read` gives a value for each value of `label` (`""`: without a label)."""

    name: str
    help: str
    read: Callable[[], Mapping[str, float]]
    label: str = ""


gauges: Registry[Gauge] = Registry("gauge", name=lambda gauge: gauge.name)


class _Gauges(Collector):
    """The registered gauges. One that cannot be read is left out, and the log says why."""

    def collect(self) -> Iterable[Metric]:
        for gauge in gauges:
            try:
                values = gauge.read()
            except Exception:
                log.warning("gauge not readable", gauge=gauge.name, exc_info=True)
                continue
            family = GaugeMetricFamily(gauge.name, gauge.help, labels=[gauge.label] if gauge.label else [])
            for label, value in values.items():
                family.add_metric([label] if gauge.label else [], value)
            yield family


def exposition() -> bytes:
    """Everything counted so far, by all processes of this web server, in Prometheus' text format."""
    counted = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        counted = CollectorRegistry()
        MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
    read_now = CollectorRegistry()
    read_now.register(_Gauges())
    return generate_latest(counted) + generate_latest(read_now)
