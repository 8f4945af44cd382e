"""Metrics in Prometheus' form: a collector that reads the counters, so that nothing is counted twice."""

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import accumulate
from pathlib import Path

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from service.operation.histogram import Histogram
from service.operation.standing import Standing
from service.storage.access import size_of

_IGNORED = ("invalid", "duplicates", "conflicts", "late", "clock")
_COUNTERS = {
    "received": ("messages_received", "Messages taken over from the broker."),
    "replayed": ("messages_replayed", "Dead letters put back and read again."),
    "committed": ("messages_committed", "Messages whose readings are in the database."),
    "retained": ("messages_retained", "Messages that the broker had kept; not scored."),
    "refused": ("messages_refused", "Messages not taken over; the broker sends them again."),
    "readings": ("readings_fed", "Readings fed to the engine."),
    "early": ("readings_used_early", "Readings used before older ones could not come any more."),
    "verdicts": ("verdicts", "Verdicts given."),
    "unstored": ("verdicts_not_stored", "Verdicts given, but not stored as the disk was full."),
    "alarms": ("alarms_opened", "Alarms opened."),
    "retries": ("transactions_retried", "Transactions that failed and were tried again."),
    "sessions_lost": ("broker_sessions_lost", "Times a broker had forgotten our session."),
    "takeovers": ("broker_sessions_taken_over", "Times another client has taken our session over."),
}


class Metrics:
    """Tells Prometheus how the service stands, from a registry of its own."""

    def __init__(self, standing: Standing, database: Path) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_ServiceCollector(standing, database))
        ProcessCollector(registry=self._registry)

    def exposition(self, accept: str) -> tuple[str, bytes]:
        """Return content type and text in the form that an Accept header asks for."""
        encode, content_type = choose_encoder(accept)
        return content_type, encode(self._registry)


class _ServiceCollector(Collector):
    def __init__(self, standing: Standing, database: Path) -> None:
        self._standing = standing
        self._database = database

    def describe(self) -> list[Metric]:
        """Return nothing: what there is to tell is known only when the service runs."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics but those of the process."""
        counters = self._standing.counters
        for name, (metric, text) in _COUNTERS.items():
            yield CounterMetricFamily(f"foresense_{metric}", text, value=getattr(counters, name))
        rejects = {str(reason): count for reason, count in dict(counters.rejects).items()}
        yield _counts("messages_rejected", "Messages set aside.", "reason", rejects)
        ignored = {name: getattr(counters, name) for name in _IGNORED}
        yield _counts("readings_ignored", "Of the readings fed, not used.", "reason", ignored)
        late = dict(counters.late_of)
        yield _counts("readings_late", "Of the readings fed, not used as they were late.", "monitor", late)
        yield _counts("outbox_dropped", "Verdicts for which no room was left.", "sink", dict(counters.dropped))
        yield _counts("sink_refused", "What a sink would not take.", "sink", dict(counters.undeliverable))
        yield _histogram("foresense_transaction_messages", "Messages of a transaction.", counters.batches)
        yield _histogram("foresense_transaction_seconds", "How long a transaction took.", counters.transactions_s)
        yield from self._gauges()
        yield from self._of_monitors()
        yield from self._of_database()

    def _gauges(self) -> Iterator[Metric]:
        inbox = self._standing.inbox
        yield _gauge("messages_in_flight", "Messages taken over and not yet committed.", inbox.in_flight)
        yield _gauge("queue_messages", "Messages that wait for the writer.", inbox.queued)
        yield _gauge("queue_bytes", "What these take.", inbox.queued_bytes)
        yield _gauge("stores_verdicts", "1, or 0 while the disk is full.", self._standing.stores_verdicts)
        yield _ups("broker", "1 while connected.", self._standing.brokers())
        troubles = self._standing.troubles()
        yield _ups("sink", "1, or 0 while nothing can be delivered.", {name: not why for name, why in troubles.items()})
        refused = self._standing.refused is not None
        yield _gauge("change_refused", "1 while a change of configuration or bundles is not in force.", refused)

    def _of_monitors(self) -> Iterator[Metric]:
        streams = GaugeMetricFamily("foresense_streams", "Streams in each state.", labels=["monitor", "state"])
        lag = GaugeMetricFamily(
            "foresense_newest_reading_lag_seconds", "Age of the newest reading by its own time.", labels=["monitor"]
        )
        achieved = GaugeMetricFamily(
            "foresense_budget_achieved", "Alarms so far over those of the budget.", labels=["monitor"]
        )
        bundle = GaugeMetricFamily("foresense_bundle_info", "The bundle in use.", labels=["monitor", "bundle"])
        for name, monitor in self._standing.monitors.items():
            for state, count in monitor.streams.items():
                streams.add_metric([name, state], count)
            if monitor.newest is not None:
                lag.add_metric([name], time.time() - monitor.newest / 1000)
            if monitor.achieved is not None:
                achieved.add_metric([name], monitor.achieved)
            bundle.add_metric([name, monitor.bundle], 1)
        yield from (streams, lag, achieved, bundle)

    def _of_database(self) -> Iterator[Metric]:
        outbox = GaugeMetricFamily("foresense_outbox_messages", "Messages that wait to be told.", labels=["sink"])
        try:
            with closing(sqlite3.connect(f"{self._database.resolve().as_uri()}?mode=ro", uri=True)) as db:
                for sink, count in db.execute("SELECT sink, count(*) FROM outbox GROUP BY sink"):
                    outbox.add_metric([sink], count)
                count_all = "SELECT (SELECT count(*) FROM dead_letter) + (SELECT count(*) FROM relay_letter)"
                letters = db.execute(count_all).fetchone()[0]
            size, space = size_of(self._database), os.statvfs(self._database.parent)
        except (sqlite3.Error, OSError):
            return  # no number is better than a wrong one; the log tells what the writer meets
        yield outbox
        yield _gauge("dead_letters", "Messages set aside, and what sinks have refused, that are kept.", letters)
        yield _gauge("database_bytes", "Size of the database, with its log.", size)
        yield _gauge("disk_free_bytes", "Room left where the database is.", space.f_bavail * space.f_frsize)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"foresense_{name}", text, value=value)


def _counts(name: str, text: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(f"foresense_{name}", text, labels=[label])
    for value, count in counts.items():
        family.add_metric([value], count)
    return family


def _ups(what: str, text: str, are_up: Mapping[str, bool]) -> Metric:
    family = GaugeMetricFamily(f"foresense_{what}_up", text, labels=[what])
    for name, is_up in are_up.items():
        family.add_metric([name], is_up)
    return family


def _histogram(name: str, text: str, histogram: Histogram) -> Metric:
    below = list(accumulate(histogram.counts))
    bounds = [*map(str, histogram.bounds), "+Inf"]
    return HistogramMetricFamily(name, text, list(zip(bounds, below, strict=True)), histogram.total)
