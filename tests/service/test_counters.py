from service.counters import Counters
from service.rejects import Reason


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
