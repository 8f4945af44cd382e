import json

import pytest

from service.alarms.messages import Incident, Member, incident_message


@pytest.mark.parametrize(
    ("streams", "of", "said"),
    [
        (3, ["a", "b", "c"], "a (flow), b (flow), c (flow)"),
        (3, ["a", "a", "b", "c"], "a (flow), b (flow) and others"),
        (4, ["a", "b", "c", "d"], "a (flow), b (flow), c (flow) and others"),
    ],
)
def test_the_sentence_of_an_incident_says_whether_there_are_others_than_it_names(
    streams: int, of: list[str], said: str
) -> None:
    members = [Member(str(at), "main", name, "flow", 0, None, "minor", 1.5) for at, name in enumerate(of)]
    incident = Incident("1", "plant", 0, None, 0, len(members), 0)
    told = json.loads(incident_message(incident, "opened", streams, members))
    start = "1970-01-01T00:00:00.000Z"
    assert told["explanation"] == f"{streams} streams of plant have raised alarms since {start}: {said}"
