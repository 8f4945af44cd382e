import pytest

from tests.service.api.conftest import SLOTS, STREAMS, Site
from tests.system.conftest import wait_until


def test_streams_are_told_with_the_newest_that_was_said_of_them(site: Site) -> None:
    wait_until(lambda: len(site.get("/v1/streams")["streams"][0]["sparkline"]) >= SLOTS - 5, "the board has all")
    told = site.get("/v1/streams")
    assert told["total"] == len(STREAMS)
    assert [each["name"] for each in told["streams"]] == sorted(STREAMS)
    first = told["streams"][0]
    assert (first["monitor"], first["site"], first["channel"], first["budget"]) == (
        "main", "plant", "value", "1 per month",
    )  # fmt: skip
    assert first["alarms"] == 1
    assert max(each for each in first["sparkline"] if each is not None) > 1
    assert not first["muted"]


@pytest.mark.parametrize(("sort", "order"), [("name", [0, 1, 2]), ("-name", [2, 1, 0])])
def test_streams_are_sorted_searched_and_told_by_pages(site: Site, sort: str, order: list[int]) -> None:
    wanted = [sorted(STREAMS)[at] for at in order]
    assert [each["name"] for each in site.get("/v1/streams", sort=sort)["streams"]] == wanted
    page = site.get("/v1/streams", sort=sort, offset=1, limit=1)
    assert [each["name"] for each in page["streams"]] == wanted[1:2]
    assert page["total"] == 3
    found = site.get("/v1/streams", search="PUMP-2")
    assert [each["name"] for each in found["streams"]] == ["north/pump-2"]
    assert site.get("/v1/streams", monitor="another") == {
        "total": 0, "states": dict.fromkeys(page["states"], 0), "streams": [],
    }  # fmt: skip


def test_streams_in_alarm_come_first_where_asked_for(site: Site) -> None:
    wait_until(lambda: site.get("/v1/streams")["states"]["alarm"] == 1, "one stream is in alarm")
    worst = site.get("/v1/streams", sort="-state")["streams"][0]
    assert (worst["name"], worst["state"]) == ("north/pump-2", "alarm")
    assert [each["name"] for each in site.get("/v1/streams", state="alarm")["streams"]] == ["north/pump-2"]


def test_what_is_known_already_is_not_sent_again(site: Site) -> None:
    one = site.stream("north/pump-1")
    first = site.client.get(f"/v1/streams/{one}")
    again = site.client.get(f"/v1/streams/{one}", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_stream_is_told_with_its_channels_and_bundle(site: Site) -> None:
    told = site.get(f"/v1/streams/{site.stream('north/pump-1')}")
    assert (told["bundle"], told["interval_ms"]) == ("pump/1", 10_000)
    assert told["channels"] == [{"channel": "value", "unit": "l/s"}]
    assert told["mutes"] == []


def test_a_stream_that_is_not_there_is_a_problem_that_says_so(site: Site) -> None:
    answer = site.client.get("/v1/streams/999")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"].startswith("expected the id of a stream, as /v1/streams lists them, got 999")
