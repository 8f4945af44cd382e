import pytest

from tests.service.api.conftest import SLOTS, STREAMS, Site
from tests.system.conftest import wait_until


def test_another_budget_is_previewed_by_what_it_leaves_of_the_past(site: Site) -> None:
    alarm = site.alarm("closed")
    same = site.get("/v1/budgets/main/preview", budget="1 per month")
    assert (same["alarms"], same["remain"]) == (2, 2)
    assert {each["alarm"]["id"]: each["score"] for each in same["listed"]}[alarm["id"]] == alarm["peak"]["score"]
    strict = site.get("/v1/budgets/main/preview", budget="0.000001 per year")
    assert strict["limit"] > same["limit"]
    by_score = [each["alarm"]["peak"]["score"] * same["limit"] / strict["limit"] >= 1 for each in strict["listed"]]
    assert [each["remains"] for each in strict["listed"]] == by_score
    assert strict["remain"] == sum(by_score) < 2
    assert site.get("/v1/budgets/main/preview", budget="1 per day", stream=alarm["stream"])["alarms"] == 1


def test_a_budget_is_in_force_for_the_next_slots_and_can_be_taken_back(site: Site) -> None:
    (before,) = site.get("/v1/budgets")["budgets"]
    assert (before["budget"], before["configured"], before["streams"]) == ("1 per month", "1 per month", 3)
    told = site.client.put("/v1/budgets/main", json={"budget": "5 per day"}).json()
    assert (told["budget"], told["configured"]) == ("5 per day", "1 per month")
    assert told["limit"] < before["limit"]

    one = site.stream(STREAMS[0])
    assert site.get(f"/v1/streams/{one}")["channels"]
    site.publish(STREAMS[0], range(SLOTS, SLOTS + 60), (SLOTS + 50,))
    wait_until(lambda: site.get("/v1/alarms", stream=one)["total"] == 2, "the service has raised another alarm")
    assert site.get("/v1/alarms", stream=one)["alarms"][0]["evidence"]["budget"] == "5 per day"

    assert site.client.put("/v1/budgets/main", json={"budget": None}).json() == before


@pytest.mark.parametrize("budget", ["", "often", "0 per week", "1 per century"])
def test_a_budget_that_is_none_is_refused(site: Site, budget: str) -> None:
    answers = [
        site.client.put("/v1/budgets/main", json={"budget": budget}),
        site.client.get("/v1/budgets/main/preview", params={"budget": budget}),
    ]
    for answer in answers:
        assert answer.status_code == 422
        assert "budget: expected a rate such as '2 per week'" in answer.json()["detail"]
    assert site.client.put("/v1/budgets/other", json={"budget": "1 per week"}).status_code == 404
