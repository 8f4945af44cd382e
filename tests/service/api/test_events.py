import time

from edge.messages.stamp import iso
from tests.conftest import INTERVAL_MS
from tests.service.api.conftest import FIRST, SLOTS, STREAMS, Site


def test_a_verdict_is_told_within_a_second_of_its_publishing(site: Site) -> None:
    one, waits = site.stream(STREAMS[0]), []
    with site.listen(streams=str(one), kinds="status") as events:
        for slot in range(SLOTS, SLOTS + 5):
            began = time.monotonic()
            site.publish(STREAMS[0], range(slot, slot + 1))
            told = next(content for kind, content in events if kind == "verdict")
            waits.append(time.monotonic() - began)
            assert (told["stream"], told["name"], told["time"]) == (one, STREAMS[0], iso(FIRST + slot * INTERVAL_MS))
    assert max(waits) < 1


def test_only_verdicts_of_chosen_streams_are_told(site: Site) -> None:
    other = site.stream(STREAMS[2])
    with site.listen(streams=str(other), kinds="alarm") as events:
        site.publish(STREAMS[0], range(SLOTS + 6, SLOTS + 8))
        site.publish(STREAMS[2], range(SLOTS, SLOTS + 2))
        assert next(events)[1]["stream"] == other


def test_an_alarm_is_told_when_it_opens_when_it_is_acknowledged_and_when_it_closes(site: Site) -> None:
    with site.listen(kinds="alarm") as events:
        site.publish(STREAMS[2], range(SLOTS + 2, SLOTS + 4), (SLOTS + 2, SLOTS + 3))
        opened = next(told for _, told in events if told["name"] == STREAMS[2])
        assert (opened["state"], opened["end"]) == ("open", None)
        site.client.post(f"/v1/alarms/{opened['id']}/acknowledge", json={})
        assert next(told["state"] for _, told in events if told["id"] == opened["id"] and told["acknowledged"]) == (
            "acknowledged"
        )
        site.publish(STREAMS[2], range(SLOTS + 4, SLOTS + 20))
        assert next(told["state"] for _, told in events if told["end"]) == "closed"


def test_states_and_status_are_told_to_those_who_want_them(site: Site) -> None:
    with site.listen(kinds=["status"]) as events:
        kind, told = next(events)
    assert kind == "status"
    assert set(told) >= {"per_second", "messages_in_flight", "brokers", "sinks", "monitors", "refused"}


def test_streams_that_are_no_ids_are_refused(site: Site) -> None:
    for streams in ("a", "1;2", "9" * 30):
        assert site.client.get("/v1/events", params={"streams": streams}).status_code == 422
