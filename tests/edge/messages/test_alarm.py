import json
from hashlib import sha256

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from edge.messages.alarm import Alarm, alarm_document, alarm_id
from edge.payloads.document import read_json

NAMES = st.text(st.characters(exclude_categories=["Cs"]))


@given(NAMES, NAMES, NAMES, st.integers(0, 2**53))
def test_an_alarm_has_the_id_that_services_have_always_given_it(
    monitor: str, stream: str, bundle: str, at: int
) -> None:
    before = sha256(msgspec.json.encode([monitor, stream, bundle, at])).hexdigest()[:32]
    assert alarm_id(monitor, stream, bundle, at) == before


def test_an_alarm_without_an_end_is_opened_and_one_with_an_end_is_closed() -> None:
    alarm = Alarm(
        "id", 1, "pump/1", "flow", 1_700_000_000_000, None, 2.5, 1.0, None, 0.0, 2.0, 3.0, 1_700_000_010_000, "flow"
    )
    opened = alarm_document("pumps", "plant/a", alarm)
    closed = alarm_document("pumps", "plant/a", alarm._replace(end=1_700_000_060_000))
    assert (opened["state"], opened["end"]) == ("opened", None)
    assert (closed["state"], closed["end"]) == ("closed", "2023-11-14T22:14:20.000Z")
    assert read_json(json.dumps(opened, allow_nan=False).encode()) == opened
