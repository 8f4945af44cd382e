from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from edge.brokers.loopback import is_loopback
from service.relays.sinks import SinkSettings


def test_paths_are_relative_to_the_folder_of_the_configuration() -> None:
    influx = {"url": "https://plant.example", "bucket": "b", "token_file": "token"}
    tls = {"ca_file": "/etc/ca.pem", "certificate_file": "own.pem"}
    known = SinkSettings.model_validate({"influx": influx, "tls": tls}).relative_to(Path("/etc/foresense"))
    assert known.influx is not None
    assert known.tls is not None
    assert known.influx.token_file == Path("/etc/foresense/token")
    assert (known.tls.ca_file, known.tls.certificate_file) == (Path("/etc/ca.pem"), Path("/etc/foresense/own.pem"))
    webhook = {"url": "https://plant.example", "secret_file": "secret"}
    known = SinkSettings.model_validate({"webhook": webhook, "most_mb": 2}).relative_to(Path("/etc/foresense"))
    assert known.webhook is not None
    assert (known.webhook.secret_file, known.tls) == (Path("/etc/foresense/secret"), None)
    assert known.most_bytes == 2 * 1024 * 1024


INFLUX = {"url": "http://localhost:8086", "database": "plant"}
FAR = "http://plant.example:8086"


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({}, "expected either influx or webhook, got both or neither"),
        ({"influx": {"url": "http://localhost"}}, "expected either database .InfluxDB 1. or bucket .2 and 3., got"),
        ({"influx": INFLUX | {"bucket": "b"}}, "expected either database .InfluxDB 1. or bucket .2 and 3., got"),
        ({"influx": INFLUX | {"org": "o"}}, "expected org and token_file only beside bucket"),
        ({"influx": INFLUX | {"user": "u"}}, "expected both user and password_file, or neither, got one"),
        (
            {"influx": {"url": "http://localhost", "bucket": "b", "user": "u", "password_file": "p"}},
            "expected user and password_file only beside database",
        ),
        ({"influx": INFLUX | {"url": "localhost:8086"}}, "expected a URL such as https://plant.example:8086"),
        ({"influx": INFLUX | {"url": "http://u:hidden@localhost"}}, "expected a URL without a user and a password"),
        (
            {"influx": INFLUX | {"url": FAR, "user": "u", "password_file": "p"}},
            "expected an https URL beside password_file, as the secret would cross the network unencrypted, got 'http:",
        ),
        (
            {"influx": {"url": FAR, "bucket": "b", "token_file": "t"}},
            "expected an https URL beside token_file, as the secret would cross",
        ),
        ({"webhook": {"url": "https://plant.example"}}, "secret_file\n  Field required"),
        ({"webhook": {"url": "https://plant.example", "secret_file": "s", "events": []}}, "at least 1 item"),
        ({"influx": INFLUX, "tls": {}}, "expected tls only beside an https URL, got it beside one of http"),
        ({"influx": INFLUX, "most_mb": 0}, "greater than or equal to 1"),
    ],
)
def test_what_does_not_fit_together_is_told(raw: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message) as told:
        SinkSettings.model_validate(raw)
    assert "hidden" not in str(told.value.errors(include_input=False, include_context=False))


@pytest.mark.parametrize(
    "influx",
    [
        {"url": FAR, "database": "d"},
        {"url": FAR, "database": "d", "user": "u", "password_file": "p", "insecure": True},
        {"url": "http://127.0.0.1", "bucket": "b", "token_file": "t"},
        {"url": "https://plant.example", "bucket": "b", "token_file": "t"},
    ],
)
def test_a_secret_may_go_where_nobody_listens_or_where_the_user_insists(influx: dict[str, Any]) -> None:
    assert SinkSettings.model_validate({"influx": influx}).influx is not None


@pytest.mark.parametrize(
    ("host", "is_own"),
    [("localhost", True), ("127.0.0.1", True), ("::1", True), ("10.0.0.1", False), ("localhost.example", False)],
)
def test_only_this_host_is_this_host(host: str, is_own: bool) -> None:
    assert is_loopback(host) is is_own
