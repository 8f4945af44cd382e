import pytest
from pydantic import ValidationError

from service.pipeline.source import CONVENTIONS, SourceSettings


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"topic": "plant/{device}"}, False),
        ({"topic": "plant/{device}/{channel}"}, True),
        ({"topic": "plant/{device}", "payload": "json", "fields": {"flow": "f"}}, True),
        ({"topic": "zigbee2mqtt/{device}", "payload": "zigbee2mqtt"}, True),
        ({"topic": "{node}/sensor/{device}/state", "payload": "esphome"}, False),
    ],
)
def test_a_source_knows_whether_its_messages_name_channels(given: dict[str, object], expected: bool) -> None:
    assert SourceSettings.model_validate(given).names_channels is expected


@pytest.mark.parametrize("topic", ["spBv1.0/{group}/DDATA/{node}/{device}", "spBv1.0", "spBv1.0/{a}/{b}/{c}"])
def test_sparkplug_needs_births_beside_data(topic: str) -> None:
    with pytest.raises(ValidationError, match=r"expected a topic such as spBv1.0/\{group\}/\{_type\}/\{node\}"):
        SourceSettings(topic=topic, payload="sparkplug")


def test_each_convention_can_be_chosen() -> None:
    for convention in CONVENTIONS:
        source = SourceSettings.model_validate({"topic": "a/b/{_type}/{node}/{device...}", "payload": convention})
        assert source.payload == convention
