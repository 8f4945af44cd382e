import pytest

from service.sniff import survey
from tests.service.sniff.conftest import said, survey_of


def test_samples_of_a_topic_are_bounded_and_all_messages_counted() -> None:
    seen = survey_of(*(said("a", str(k)) for k in range(100)))
    assert (seen.messages, seen.topics["a"].messages, len(seen.topics["a"].samples)) == (100, 100, survey.MOST_SAMPLES)


def test_what_we_publish_and_what_brokers_say_of_themselves_is_left_out() -> None:
    seen = survey_of(said("foresense/a/verdict", "1"), said("$SYS/broker/uptime", "1"), said("foresense2", "1"))
    assert list(seen.topics) == ["foresense2"]


def test_topics_beyond_the_bound_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "MOST_TOPICS", 2)
    seen = survey_of(*(said(f"t{k % 5}", "1") for k in range(10)), said("", "1"))
    assert (len(seen.topics), seen.messages, seen.unseen) == (2, 11, 7)


def test_the_size_of_all_samples_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "MOST_BYTES", 250)
    seen = survey_of(*(said(f"t{k}", "x" * 100) for k in range(5)), said("t9", "x" * 300_000))
    assert [len(topic.samples) for topic in seen.topics.values()] == [1, 1, 0, 0, 0, 0]
