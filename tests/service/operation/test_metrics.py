"""Metrics of a writer with a real database, as Prometheus reads them."""

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from service.operation.metrics import Metrics
from service.operation.standing import MonitorStanding, Standing
from tests.service.conftest import Bench, MakeBench, MakeMonitor, message, readings
from tests.system.conftest import wait_until


def samples(metrics: Metrics) -> dict[str, float]:
    """Return the value of each sample, by name and labels."""
    content_type, text = metrics.exposition("text/plain")
    assert content_type.startswith("text/plain")
    return {
        sample.name + "".join(f",{key}={value}" for key, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def told(bench: Bench) -> dict[str, float]:
    standing = Standing(bench.counters, bench.inbox, brokers=lambda: {"north:1883": True, "south:1883": False})
    standing.look(bench.writer._transaction.monitors)
    return samples(Metrics(standing, bench.database))


def test_the_invariant_can_be_asserted_from_the_metrics(make_bench: MakeBench, make_monitor: MakeMonitor) -> None:
    bench = make_bench(make_monitor(payload="json", time="ts"))
    bench.take(readings(range(30), spikes=[20]))
    bench.take([message(payload=b"{"), message("nowhere"), message(retain=True)])
    bench.take([*readings(range(29, 30)), *readings(range(29, 30), spikes=[29])])
    wait_until(lambda: len(bench.acknowledged) == 35, "all is committed")

    got = told(bench)

    rejected = {name: value for name, value in got.items() if name.startswith("foresense_messages_rejected_total")}
    assert rejected == {
        "foresense_messages_rejected_total,reason=syntax": 1,
        "foresense_messages_rejected_total,reason=topic": 1,
    }
    assert got["foresense_messages_received_total"] + got["foresense_messages_replayed_total"] == (
        got["foresense_messages_committed_total"]
        + got["foresense_messages_retained_total"]
        + sum(rejected.values())
        + got["foresense_messages_in_flight"]
    )
    assert got["foresense_messages_received_total"] == 35
    ignored = {name.split("reason=")[1]: value for name, value in got.items() if "readings_ignored" in name}
    assert ignored == {"invalid": 0, "duplicates": 1, "conflicts": 1, "late": 0, "clock": 0}


def test_they_tell_of_streams_outbox_brokers_and_transactions(make_bench: MakeBench, make_monitor: MakeMonitor) -> None:
    bench = make_bench(make_monitor(payload="json", time="ts"))
    bench.take(readings(range(25), spikes=[20]))
    wait_until(lambda: len(bench.acknowledged) == 25, "all is committed")

    got = told(bench)

    assert got["foresense_verdicts_total"] == 25
    assert got["foresense_streams,monitor=main,state=alarm"] == 1
    assert got["foresense_bundle_info,bundle=pump/1,monitor=main"] == 1
    assert got["foresense_outbox_messages,sink=mqtt"] == 1
    assert "foresense_budget_achieved,monitor=main" not in got, "its budget has not allowed an alarm yet"
    assert (got["foresense_broker_up,broker=north:1883"], got["foresense_broker_up,broker=south:1883"]) == (1, 0)
    assert got["foresense_transaction_messages_sum"] == 25
    assert got["foresense_transaction_seconds_bucket,le=+Inf"] == got["foresense_transaction_seconds_count"] >= 1
    assert got["foresense_newest_reading_lag_seconds,monitor=main"] > 0
    assert got["foresense_database_bytes"] > 0
    assert got["process_resident_memory_bytes"] > 0
    assert got["foresense_change_refused"] == 0
    assert (got["foresense_queue_messages"], got["foresense_queue_bytes"]) == (0, 0)


def test_without_a_database_they_tell_what_they_know(make_monitor: MakeMonitor, tmp_path: Path) -> None:
    bench = Bench(tmp_path / "none.db", make_monitor())
    got = told(bench)
    assert got["foresense_messages_received_total"] == 0
    assert "foresense_database_bytes" not in got


def test_they_tell_alarms_over_those_of_the_budget(make_bench: MakeBench, make_monitor: MakeMonitor) -> None:
    bench = make_bench(make_monitor())
    standing = Standing(bench.counters, bench.inbox)
    standing.monitors = {"main": MonitorStanding("pump/1", {"normal": 1}, None, 0.5)}
    assert samples(Metrics(standing, bench.database))["foresense_budget_achieved,monitor=main"] == 0.5


def test_they_tell_of_each_sink(make_bench: MakeBench, make_monitor: MakeMonitor) -> None:
    bench = make_bench(make_monitor())
    bench.counters.dropped["history"] += 3
    bench.counters.undeliverable["pager"] += 1
    standing = Standing(bench.counters, bench.inbox, troubles=lambda: {"history": "no connection", "pager": None})
    got = samples(Metrics(standing, bench.database))
    assert {name: value for name, value in got.items() if ",sink=" in name} == {
        "foresense_sink_up,sink=history": 0,
        "foresense_sink_up,sink=pager": 1,
        "foresense_outbox_dropped_total,sink=history": 3,
        "foresense_sink_refused_total,sink=pager": 1,
    }


def test_they_tell_which_monitors_readings_come_too_late(make_bench: MakeBench, make_monitor: MakeMonitor) -> None:
    bench = make_bench(make_monitor(payload="json", time="ts", lateness_s=30))
    assert "foresense_readings_late_total,monitor=main" not in told(bench)
    bench.take([*readings(range(20)), *readings(range(3, 5))])
    wait_until(lambda: len(bench.acknowledged) == 22, "all is committed")
    assert told(bench)["foresense_readings_late_total,monitor=main"] == 2
