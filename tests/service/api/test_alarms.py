from tests.service.api.conftest import Site
from tests.system.conftest import wait_until


def test_an_alarm_is_told_with_its_sentence_and_each_channels_share(site: Site) -> None:
    alarm = site.alarm("closed")
    assert (alarm["name"], alarm["monitor"], alarm["bundle"], alarm["channel"]) == (
        "north/pump-1", "main", "pump/1", "value",
    )  # fmt: skip
    assert alarm["explanation"].startswith("value 100")
    assert alarm["evidence"]["channels"][0]["share"] == 1
    assert alarm["peak"]["score"] >= alarm["score"] > 1
    assert site.get(f"/v1/alarms/{alarm['id']}") == alarm


def test_an_alarm_is_open_until_it_is_acknowledged(site: Site) -> None:
    alarm = site.alarm("open")
    answer = site.client.post(f"/v1/alarms/{alarm['id']}/acknowledge", json={"note": "on my way"})
    assert (answer.json()["state"], answer.json()["acknowledged"]["note"]) == ("acknowledged", "on my way")
    assert site.get("/v1/alarms", state="open")["total"] == 0
    assert [each["id"] for each in site.get("/v1/alarms", state="acknowledged")["alarms"]] == [alarm["id"]]


def test_alarms_are_chosen_by_state_stream_and_time(site: Site) -> None:
    alarm = site.alarm("closed")
    assert site.get("/v1/alarms")["total"] == 2
    assert [each["id"] for each in site.get("/v1/alarms", stream=alarm["stream"])["alarms"]] == [alarm["id"]]
    assert site.get("/v1/alarms", to=alarm["start"])["total"] == 0
    assert site.get("/v1/alarms", **{"from": alarm["start"]})["total"] == 2
    assert site.get("/v1/alarms", limit=1, offset=1)["alarms"] == [alarm]


def test_an_alarm_is_labelled_and_then_listed_so(site: Site) -> None:
    alarm = site.alarm("closed")
    assert site.get("/v1/labels", false=True)["total"] == 0
    for false in (False, True):
        answer = site.client.put(f"/v1/alarms/{alarm['id']}/label", json={"false": false, "note": "cleaning"})
        assert answer.json()["label"] | {"time": ""} == {"false": false, "note": "cleaning", "by": "local", "time": ""}
    assert [each["id"] for each in site.get("/v1/labels", false=True)["alarms"]] == [alarm["id"]]
    assert site.get("/v1/alarms", labelled=False)["total"] == 1


def test_what_is_done_to_an_alarm_that_is_not_there_is_a_problem(site: Site) -> None:
    for method, path in (("GET", ""), ("POST", "/acknowledge"), ("PUT", "/label")):
        answer = site.client.request(
            method, f"/v1/alarms/none{path}", json={"false": True} if method != "GET" else None
        )
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")


def test_there_is_no_incident_of_two_alarms(site: Site) -> None:
    assert site.get("/v1/incidents") == {"total": 0, "incidents": []}
    assert site.client.get("/v1/incidents/none").status_code == 404


def test_many_alarms_at_once_are_an_incident_with_its_members(site: Site) -> None:
    # three streams within five minutes: pump-2 is in alarm; two more are published that begin now
    from tests.service.api.conftest import SLOTS, STREAMS

    for stream in (STREAMS[0], STREAMS[2]):
        site.publish(stream, range(SLOTS, SLOTS + 3), (SLOTS, SLOTS + 1))
    wait_until(lambda: site.get("/v1/incidents", open=True)["total"] == 1, "an incident is told")
    (incident,) = site.get("/v1/incidents")["incidents"]
    assert (incident["site"], incident["end"]) == ("plant", None)
    told = site.get(f"/v1/incidents/{incident['id']}")
    assert {each["name"] for each in told["members"]} == set(STREAMS)
    assert site.get("/v1/alarms", incident=incident["id"])["total"] == incident["alarms"]
