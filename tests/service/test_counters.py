from edge.payloads.rejects import Reason
from service.counters import Counters


def test_every_message_is_accounted_for() -> None:
    counters = Counters(received=6, committed=2, retained=1)
    counters.rejects.update([Reason.SYNTAX, Reason.SYNTAX])
    assert counters.rejected == 2
    assert counters.balanced(in_flight=1)
    assert not counters.balanced(in_flight=0)


def test_the_summary_names_the_reasons() -> None:
    counters = Counters()
    counters.rejects.update([Reason.TOPIC, Reason.SYNTAX, Reason.TOPIC])
    assert "3 rejected, syntax 1, topic 2, 4 in flight" in counters.summary(4)


def test_the_summary_tells_what_became_of_the_readings() -> None:
    counters = Counters(readings=40, duplicates=1, conflicts=6, late=2, clock=3, invalid=4, early=5)
    told = "readings: 40 fed, 1 duplicate, 6 conflicting, 2 late, 3 of a wrong clock, 4 invalid, 5 used early;"
    assert told in counters.summary(0)


def test_the_summary_tells_of_sessions_only_when_something_happened_to_one() -> None:
    assert "session" not in Counters().summary(0)
    assert Counters(sessions_lost=2, takeovers=1).summary(0).endswith(", sessions lost 2, sessions taken over 1")
