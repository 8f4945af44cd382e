import json

from models.data.account import Account, Counts
from models.data.spacing import Spacing

COUNTS = Counts(rows=10, empty=2, readings=18, used=10, invalid=1, repeated=2, excluded=3, outside=1, other=1)


def test_the_account_is_told_in_a_few_lines() -> None:
    account = Account(COUNTS, 60_000, True, Spacing(50_000, 60_000, 71_500), 3, 40, 2, 5, {"pump": "no reading"})
    assert account.lines() == [
        "10 readings of 3 streams, from 10 rows; 2 empty cells, 1 invalid, 2 in a slot that had one, 3 excluded, "
        "1 outside the period, 1 of other streams",
        "a slot every 60 s (given), readings come every 50 s to 71.5 s; 40 slots, 2 gaps, the longest 300 s",
        "left out: pump: no reading",
    ]


def test_where_all_is_well_little_is_said() -> None:
    account = Account(Counts(rows=5, readings=5, used=5), 250, False, Spacing(250, 250, 250), 1, 5, 0, 0)
    assert account.lines() == [
        "5 readings of 1 streams, from 5 rows; nothing left out",
        "a slot every 0.25 s (the median spacing); 5 slots, no gaps",
    ]


def test_devices_that_are_not_told_apart_are_suspected() -> None:
    account = Account(Counts(rows=9, readings=9, used=3, repeated=6), 1000, False, None, 1, 3, 0, 0)
    assert "does a column tell devices apart (--device)?" in account.lines()[-1]


def test_the_facts_are_small_however_many_streams_are_left_out() -> None:
    left_out = {f"pump-{k}": "no reading" for k in range(500)}
    account = Account(COUNTS, 60_000, True, None, 3, 40, 2, 5, left_out)
    facts = json.loads(json.dumps(account.facts()))
    assert (facts["streams_left_out"], len(facts["left_out"]), facts["streams_read"]) == (500, 10, 3)
    assert facts["counts"]["excluded"] == 3
    assert account.lines()[-1] == "left out: 490 more"
