import pytest

from edge.errors import ConfigError
from service.brokers.address import broker_at


@pytest.mark.parametrize(
    ("address", "reached"),
    [
        ("plant.example", "mqtt://plant.example:1883"),
        ("plant.example:1884", "mqtt://plant.example:1884"),
        ("192.0.2.1", "mqtt://192.0.2.1:1883"),
        ("2001:db8::1", "mqtt://[2001:db8::1]:1883"),
        ("[2001:db8::1]:1884", "mqtt://[2001:db8::1]:1884"),
        ("mqtts://plant.example", "mqtts://plant.example:8883"),
        ("mqtts://plant.example:8884/", "mqtts://plant.example:8884"),
        ("ws://plant.example", "ws://plant.example:80/mqtt"),
        ("wss://plant.example/sub", "wss://plant.example:443/sub"),
    ],
)
def test_an_address_is_a_host_or_a_url(address: str, reached: str) -> None:
    assert broker_at(address).address == reached


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "at least 1 character"),
        ("plant.example:99999", "Port out of range"),
        ("http://plant.example", "expected one of mqtt, mqtts, ws, wss, got http"),
        ("mqtt://me:hush@plant.example", "neither a user nor a password"),
        ("mqtt://plant.example/mqtt", "expected path only with transport: websockets"),
    ],
)
def test_what_is_wrong_with_one_is_told(address: str, said: str) -> None:
    with pytest.raises(ConfigError, match=f"--broker: expected HOST or HOST:PORT .*{said}"):
        broker_at(address)


def test_a_password_is_not_sent_in_plain_text_to_another_host() -> None:
    settings = {"username": "me", "password_file": "/secret"}
    assert broker_at("mqtts://plant.example", **settings).username == "me"
    with pytest.raises(ConfigError, match="would cross the network unencrypted"):
        broker_at("plant.example", **settings)
