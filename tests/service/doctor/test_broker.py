"""The doctor at real brokers: what it finds, and that it leaves nothing behind and disturbs nobody."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from edge.brokers.consumer import Consumer
from edge.inbox import Inbox
from service.brokers.broker import BrokerSettings
from service.counters import Counters
from service.doctor import queue
from service.doctor.broker import BrokerCheck
from service.doctor.finding import Finding, Level
from service.doctor.queue import MOST
from tests.service.authority import Authority, handshake_fails
from tests.system.conftest import MOSQUITTO, Broker, World, free_port, wait_until

CONFIGURATION = """
listener {port} 127.0.0.1
allow_anonymous true
persistence_location {folder}/
acl_file {folder}/acl
sys_interval 1
"""
ACL = "topic readwrite plant/#\ntopic readwrite own/#\ntopic read $SYS/#\ntopic read closed/#\ntopic write open/#\n"


@pytest.fixture
def default(tmp_path: Path) -> Iterator[Broker]:
    """Return a broker with mosquitto's own limits, and an access control list."""
    if MOSQUITTO is None:
        pytest.skip("needs a broker: apt-get install mosquitto")
    (tmp_path / "acl").write_text(ACL)
    broker = Broker(tmp_path, CONFIGURATION).start()
    yield broker
    broker.stop()


def settings(broker: Broker, **more: Any) -> BrokerSettings:
    return BrokerSettings.model_validate({"host": "127.0.0.1", "port": broker.port, "client_id": "ours"} | more)


def look(broker: BrokerSettings, prefix: str = "own", **how: Any) -> list[Finding]:
    check = BrokerCheck("", broker, prefix, ["plant/+"])
    return list(check.look(**({"held": False, "known": False, "needed": None, "measure": False} | how)))


def said(findings: list[Finding], level: Level) -> list[str]:
    return [finding.said for finding in findings if finding.level is level]


@pytest.mark.parametrize("protocol", [5, "3.1.1"])
def test_a_broker_that_lets_us_do_all_is_in_order(default: Broker, protocol: int | str) -> None:
    assert said(look(settings(default, protocol=protocol)), Level.OK) == [
        f"mqtt://127.0.0.1:{default.port} accepts us",
        "subscribes us to plant/+",
        "may publish beneath own/",
        "no service has been here yet",
        "how many messages it keeps for a client that is away is not measured on another host without --measure",
    ]


def test_a_prefix_that_may_not_be_written_fails(default: Broker) -> None:
    (refused,) = said(look(settings(default), prefix="closed"), Level.FAIL)
    assert refused.startswith("ours may not publish to closed/service/doctor/")
    (unknown,) = said(look(settings(default, protocol="3.1.1"), prefix="closed"), Level.WARN)
    assert unknown == "it is not known whether we may publish beneath closed/: with MQTT 3.1.1 nobody says"


def test_a_prefix_that_may_only_be_written_is_in_order(default: Broker) -> None:
    assert "may publish beneath open/, though not read there, as the doctor would" in said(
        look(settings(default), prefix="open"), Level.OK
    )


@pytest.mark.parametrize("protocol", [5, "3.1.1"])
def test_the_limit_of_the_brokers_queue_is_measured_and_nothing_is_left(default: Broker, protocol: int | str) -> None:
    world = World(default)
    world.listen("$SYS/broker/clients/total")

    findings = look(settings(default, protocol=protocol), measure=True, needed=1800)

    (limit,) = [finding for finding in findings if finding.level is Level.WARN]
    assert limit.said.startswith("keeps 1000 messages for a client that is away and drops what comes after; twice")
    assert "max_queued_messages 100000" in limit.remedy
    before = len(world.heard)
    wait_until(
        lambda: [payload for _, payload in world.heard[before:]][-1:] == [b"1"], "the broker knows one client only"
    )
    world.close()


def test_a_broker_that_keeps_enough_is_in_order(broker: Broker) -> None:
    findings = look(settings(broker, client_id="enough"), prefix="enough", measure=True, needed=3000)
    assert said(findings, Level.WARN) == []
    assert findings[-1].said == (
        "keeps at least 3000 messages for a client that is away; twice what comes in 15 minutes is 3000"
    )


def test_a_broker_that_is_slow_while_a_client_is_away_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "_TIMEOUT_S", 2)
    (tmp_path / "acl").write_text(ACL)
    slow = "persistence true\nautosave_on_changes true\nautosave_interval 1\nmax_queued_messages 100000\n"
    broker = Broker(tmp_path, CONFIGURATION + slow).start()
    findings = look(settings(broker), measure=True, needed=MOST)
    broker.stop()
    assert findings[-1].level is Level.WARN
    assert "messages a second while a client is away" in findings[-1].said
    assert "autosave_interval 1 without autosave_on_changes" in findings[-1].remedy


def consumer_of(broker: Broker, counters: Counters) -> Consumer:
    consumer = Consumer(settings(broker), "own/service/availability", ["plant/+"], Inbox(), counters)
    consumer.start()
    assert consumer.ready.wait(10)
    return consumer


def test_a_service_that_is_online_is_not_disturbed(default: Broker) -> None:
    counters = Counters()
    consumer = consumer_of(default, counters)
    world = World(default)
    world.listen("own/service/availability")
    world.wait_for("own/service/availability", b"online")
    epoch = consumer._connection.epoch

    assert "a service is online with prefix own, and has its session" in said(look(settings(default)), Level.OK)

    assert consumer.ready.is_set()
    assert consumer._connection.epoch == epoch
    consumer.stop()
    world.close()


@pytest.mark.parametrize("protocol", [5, "3.1.1"])
def test_the_session_of_a_service_that_is_away_is_found_and_loses_nothing(default: Broker, protocol: int | str) -> None:
    ours = settings(default, protocol=protocol)
    first = Consumer(ours, "own/service/availability", ["plant/+"], Inbox(), Counters())
    first.start()
    assert first.ready.wait(10)
    first.pause()
    first.stop()
    world = World(default)
    world.publish([("plant/a", "1"), ("plant/a", "2")])

    assert "keeps the session of ours while the service is away" in said(look(ours), Level.OK)

    inbox = Inbox()
    again = Consumer(ours, "own/service/availability", ["plant/+"], inbox, Counters())
    again.start()
    wait_until(lambda: inbox.in_flight == 2, "what was published meanwhile is there")
    again.pause()
    again.stop()
    world.close()


def test_a_session_that_is_not_there_is_told_and_looking_makes_none(default: Broker) -> None:
    for _ in range(2):
        (missing,) = [finding for finding in look(settings(default), known=True) if finding.level is Level.WARN]
        assert missing.said == "has no session of ours: what is published until the service is back is lost"
        assert "persistence true" in missing.remedy


def test_a_service_that_runs_and_is_not_online_is_told(default: Broker) -> None:
    (odd,) = said(look(settings(default), held=True), Level.WARN)
    assert odd == f"the service runs, but is not online at mqtt://127.0.0.1:{default.port}"


def test_a_broker_that_is_not_there_fails_with_a_remedy() -> None:
    (finding,) = look(BrokerSettings(host="127.0.0.1", port=free_port()))
    assert finding.level is Level.FAIL
    assert finding.said.endswith("cannot be reached: nothing listens there")
    assert finding.remedy.startswith("start the broker, or mend broker.host and broker.port")


TLS_CONFIGURATION = """
listener {port} 127.0.0.1
allow_anonymous true
certfile {folder}/here.crt
keyfile {folder}/here.key
"""


@handshake_fails
@pytest.mark.parametrize(
    ("days", "authority", "level"),
    [(90, "authority", Level.OK), (3, "authority", Level.WARN), (90, "stranger", Level.FAIL)],
)
def test_a_certificate_that_is_trusted_and_not_about_to_expire(
    tmp_path: Path, days: int, authority: str, level: Level
) -> None:
    Authority(tmp_path).issue("here", host="127.0.0.1", expires=timedelta(days=days))
    Authority(tmp_path, "stranger")
    broker = Broker(tmp_path, TLS_CONFIGURATION).start()
    findings = look(settings(broker, tls={"ca_file": tmp_path / f"{authority}.crt"}))
    broker.stop()
    assert findings[0].level is level
    if level is Level.FAIL:
        assert findings[0].remedy == "mend broker.tls, or the certificate of the broker"
    else:
        assert findings[0].said.startswith("TLSv1.3, with a certificate that is valid until ")
