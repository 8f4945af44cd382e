import base64
import hashlib
import hmac
import json
import shutil
import ssl
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from edge.errors import ConfigError
from edge.messages.alarm import Alarm
from service.alarms.messages import Incident, Member
from service.brokers.tls import TlsSettings
from service.pipeline.monitor import Monitor
from service.relays.outbox import OutboxRow
from service.relays.sinks import SinkSettings, WebhookSettings
from service.relays.webhook import WebhookSink, event_id, signed
from tests.conftest import START_MS
from tests.service.conftest import MakeMonitor
from tests.service.relays.conftest import Receiver, Reply, verdicts_of

KEY = b"0123456789abcdef01234567"
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"
INCIDENT = Incident("i", "plant", START_MS, None, START_MS + 1000, 3, 0)
MEMBER = Member("a", "main", "north/a", "flow", START_MS, None, "major", 2.5)


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text(f"{SECRET}\n")
    return path


def sink(
    url: str, secret_file: Path, timeout_s: float = 10, tls: TlsSettings | None = None, **settings: Any
) -> WebhookSink:
    webhook = WebhookSettings(url=url, secret_file=secret_file, **settings)
    return WebhookSink("pager", webhook, SinkSettings(webhook=webhook, timeout_s=timeout_s, tls=tls))


def alarm(**changed: Any) -> Alarm:
    known = Alarm("a", 1, "pump/1", "flow", START_MS, None, 2.5, 9, 1, 0, 2, 4.0, START_MS + 10, "flow")
    return known._replace(raised=START_MS + 5, severity="critical", **changed)


def row(body: bytes | None, kind: str = "alarm") -> OutboxRow:
    assert body is not None
    return OutboxRow(1, "north/a", body, kind)


@pytest.fixture
def monitor(make_monitor: MakeMonitor) -> Monitor:
    return make_monitor()


def test_the_signature_is_that_of_the_specification() -> None:
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signed(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_an_alarm_is_posted_as_a_signed_event(receiver: Receiver, secret_file: Path, monitor: Monitor) -> None:
    target = sink(f"{receiver.url}/hook?key=1", secret_file)
    answer = target.send([row(target.alarm(monitor, "north/a", alarm(), True))])
    target.close()

    assert answer.delivered
    (request,) = receiver.heard
    assert (request.path, request.headers["content-type"]) == ("/hook?key=1", "application/json")
    event = json.loads(request.body)
    assert (event["type"], event["timestamp"]) == ("alarm.opened", "2023-11-14T22:13:20.005Z")
    assert (event["data"]["id"], event["data"]["stream"], event["data"]["state"]) == ("a", "north/a", "opened")
    ident, at = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    assert abs(int(at) - time.time()) < 60
    expected = hmac.new(KEY, f"{ident}.{at}.".encode() + request.body, hashlib.sha256).digest()
    assert request.headers["webhook-signature"] == f"v1,{base64.b64encode(expected).decode()}"


def test_an_event_has_one_id_however_often_it_is_sent_and_another_for_what_follows(
    receiver: Receiver, secret_file: Path, monitor: Monitor
) -> None:
    target = sink(receiver.url, secret_file)
    receiver.script(Reply(500), Reply(200, body=b"thank you"))
    opened = row(target.alarm(monitor, "north/a", alarm(), True))
    assert str(target.send([opened])) == "500"
    assert target.send([opened]).delivered
    again = sink(receiver.url, secret_file)
    assert again.send([opened]).delivered
    target.close()
    again.close()
    assert len({request.headers["webhook-id"] for request in receiver.heard}) == 1

    closed = row(target.alarm(monitor, "north/a", alarm(end=START_MS + 99), True))
    grown = [INCIDENT, INCIDENT._replace(alarms=6), INCIDENT._replace(alarms=12)]
    others = [row(target.incident(each, "grown", 3, [MEMBER]), "incident") for each in grown]
    ids = {event_id(each.kind, each.body) for each in (opened, closed, *others)}
    assert len(ids) == 5
    assert not any("." in ident for ident in ids)


def test_it_is_told_of_what_it_wants_and_of_no_alarm_that_an_incident_tells_of(
    secret_file: Path, monitor: Monitor
) -> None:
    url = "https://plant.example"

    def told(**settings: Any) -> list[bool]:
        target = sink(url, secret_file, **settings)
        bodies = [
            target.alarm(monitor, "a", alarm(), True),
            target.alarm(monitor, "a", alarm(), False),
            target.incident(INCIDENT, "opened", 3, [MEMBER]),
        ]
        assert target.verdicts(monitor, verdicts_of([1])) == ()
        target.close()
        return [body is not None for body in bodies]

    assert told() == [True, False, True]
    assert told(events=["alarms"]) == [True, True, False]
    assert told(events=["incidents"]) == [False, False, True]
    assert told(least_severity="major") == [True, False, True]
    assert told(least_severity="critical") == [False, False, True]  # it opened as major


def test_an_event_says_when_it_happened(secret_file: Path, monitor: Monitor) -> None:
    target = sink("https://plant.example", secret_file)
    bodies = [
        target.alarm(monitor, "a", alarm(end=START_MS + 99), True),
        target.incident(INCIDENT, "opened", 3, [MEMBER]),
        target.incident(INCIDENT._replace(end=START_MS + 5000), "closed", 3, [MEMBER]),
    ]
    target.close()
    events = [json.loads(body) for body in bodies if body]
    assert [(event["type"], event["timestamp"][-7:]) for event in events] == [
        ("alarm.closed", "20.099Z"),
        ("incident.opened", "21.000Z"),
        ("incident.closed", "25.000Z"),
    ]
    assert events[1]["data"]["members"][0]["id"] == "a"


def test_a_redirection_is_not_followed_and_an_answer_read_only_in_part(receiver: Receiver, secret_file: Path) -> None:
    target = sink(receiver.url, secret_file, timeout_s=0.3)
    body = b'{"data": {"id": "a", "state": "opened"}}'
    receiver.script(Reply(307, {"Location": "/elsewhere"}), Reply(400, body=b"x" * 1_000_000), Reply(after_s=1))
    assert target.send([row(body)]).status == 307
    assert target.send([row(body)]).refused
    assert str(target.send([row(body)])) == "no answer within the time"
    assert len(receiver.heard) == 3
    assert target.split(row(body)) == [row(body)]
    target.close()


def test_the_server_must_be_vouched_for_by_the_authority_of_the_file(
    tmp_path: Path, receiver: Receiver, secret_file: Path
) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("apt-get install openssl")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=plant"]
    files = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*make, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    receiver.use(context)
    url, body = receiver.url.replace("http:", "https:"), b'{"data": {"id": "a", "state": "opened"}}'

    stranger = sink(url, secret_file)
    assert "CERTIFICATE_VERIFY_FAILED" in str(stranger.send([row(body)]))
    stranger.close()
    assert receiver.heard == []
    known = sink(url, secret_file, tls=TlsSettings(ca_file=certificate))
    assert known.send([row(body)]).delivered
    known.close()


@pytest.mark.parametrize("word", ["password", "whsec_", "whsec_!!!!", f"whsec_{'A' * 16}", SECRET[6:]])
def test_a_secret_that_is_none_is_told_and_not_shown(word: str, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(word)
    with pytest.raises(ConfigError, match="secret: expected 'whsec_' and the base64 of 24 to 64 random bytes") as told:
        sink("https://plant.example", path)
    assert word == "whsec_" or word not in str(told.value)


def test_it_says_what_it_is_without_what_may_be_secret(secret_file: Path) -> None:
    target = sink("https://plant.example/services/T0/hidden?key=hidden", secret_file)
    assert str(target) == "webhook at https://plant.example: alarms and incidents from minor"
    for text in (str(target), repr(target)):
        assert "hidden" not in text
        assert SECRET[6:] not in text
    target.close()
