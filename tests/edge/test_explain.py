import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from edge.alarm import Severity
from edge.bundle import Bundle
from edge.engine import open_engine
from edge.explain import duration, explain
from edge.manifest import Channel, Manifest
from edge.reading import Change, Readings, Status, Verdicts

MakeBundle = Callable[..., Bundle]
AT_MS = 1_700_000_000_000 - 1_700_000_000_000 % 86_400_000 + (14 * 60 + 5) * 60_000  # 14:05 UTC
NAN = float("nan")
SLOTS_IN_40_DAYS = 40 * 8640


@pytest.fixture
def manifest(make_bundle: MakeBundle) -> Manifest:
    pressure = Channel("pressure", "bar")
    return replace(make_bundle().manifest, channels=(Channel("flow", "l/min"), pressure), interval_ms=10_000)


def verdict(
    value: tuple[float, ...] = (12.4, 2.6),
    expected: tuple[float, ...] = (3.1, 2.5),
    half: tuple[float, ...] = (0.7, 0.2),
    share: tuple[float, ...] = (0.83, 0.17),
    status: Status = Status.ANOMALY,
    score: float = 2.5,
    alarm: int = AT_MS,
    time: int = AT_MS + 600_000,
) -> Verdicts:
    middle, reach = np.array([expected]), np.array([half])
    return Verdicts(
        stream=np.zeros(1, np.int32),
        time=np.array([time]),
        status=np.array([status], np.uint8),
        score=np.array([score], np.float32),
        channel=np.zeros(1, np.int16),
        value=np.array([value]),
        expected=middle,
        lower=middle - reach,
        upper=middle + reach,
        alarm=np.array([alarm]),
        change=np.array([Change.NONE], np.uint8),
        share=np.array([share], np.float32),
        signal=np.zeros(1, np.int8),
        once_in=np.array([SLOTS_IN_40_DAYS], np.float32),
        achieved=np.ones(1, np.float32),
        coverage=np.ones(1, np.float32),
        quality=np.zeros((1, len(value)), np.uint8),
        ready_in=np.zeros(1, np.int32),
    )


def alone(manifest: Manifest, unit: str = "l/min") -> Manifest:
    return replace(manifest, channels=(Channel("flow", unit),))


def test_an_anomaly_is_told_in_one_sentence(manifest: Manifest) -> None:
    assert explain(verdict(), 0, manifest).sentence() == (
        "flow 12.4 l/min, expected 3.1 (2.4 to 3.8): above since 14:05 UTC, 83 % of the deviation; "
        "pressure 2.60 bar, expected 2.50 (2.30 to 2.70): 17 %; so unusual a value comes about once in 40 days."
    )


def test_an_only_channel_has_no_share_to_tell(manifest: Manifest) -> None:
    single = verdict(value=(1.0,), expected=(3.1,), half=(0.7,), share=(1.0,), alarm=0)
    assert explain(single, 0, alone(manifest)).sentence() == (
        "flow 1.0 l/min, expected 3.1 (2.4 to 3.8): below; so unusual a value comes about once in 40 days."
    )


def test_a_channel_without_a_unit_has_no_gap_for_it(manifest: Manifest) -> None:
    single = verdict(value=(12.4,), expected=(3.1,), half=(0.7,), share=(1.0,), alarm=0)
    assert explain(single, 0, alone(manifest, "")).sentence().startswith("flow 12.4, expected 3.1 (")


def test_a_normal_slot_is_told_without_fuss(manifest: Manifest) -> None:
    normal = verdict(value=(3.0, 2.6), status=Status.NORMAL, score=0.3, alarm=0)
    explanation = explain(normal, 0, manifest)
    assert explanation.sentence() == "flow 3.0 l/min, expected 3.1 (2.4 to 3.8)."
    assert explanation.severity is None


def test_a_recovering_stream_is_in_alarm_still(manifest: Manifest) -> None:
    recovering = verdict(value=(3.0, 2.6), status=Status.NORMAL, score=0.3)
    assert "(2.4 to 3.8): in alarm since 14:05 UTC." in explain(recovering, 0, manifest).sentence()


def test_a_missing_channel_is_told_as_missing(manifest: Manifest) -> None:
    explanation = explain(verdict(value=(12.4, NAN), share=(1.0, 0.0)), 0, manifest)
    assert "; pressure missing, expected 2.50 bar (2.30 to 2.70): 0 %; so" in explanation.sentence()
    missing = explanation.channels[1]
    assert (missing.actual, missing.normal, missing.direction) == (None, 2.5, "missing")


def test_a_small_share_within_its_band_is_left_out(manifest: Manifest) -> None:
    assert "pressure" not in explain(verdict(share=(0.95, 0.05)), 0, manifest).sentence()


def test_the_greatest_share_comes_first(manifest: Manifest) -> None:
    explanation = explain(verdict(value=(12.4, 9.0), share=(0.2, 0.8)), 0, manifest)
    assert [each.channel for each in explanation.channels] == ["pressure", "flow"]


def test_a_slot_says_what_a_normal_value_would_have_been(manifest: Manifest) -> None:
    flow, pressure = explain(verdict(), 0, manifest).channels
    assert flow.normal == pytest.approx(3.8)
    assert flow.direction == "above"
    assert (pressure.normal, pressure.direction) == (2.6, "within")


def test_flaws_of_the_data_are_told_beside_the_value(manifest: Manifest) -> None:
    explanation = explain(verdict(share=(1.0, 0.0)), 0, manifest, quality={"pressure": ["stuck"]})
    assert "pressure 2.60 bar [stuck], expected 2.50" in explanation.sentence()
    assert explanation.as_dict()["channels"][1]["quality"] == ["stuck"]


def test_tiny_numbers_are_told_apart(manifest: Manifest) -> None:
    tiny = verdict(value=(4.5e-12,), expected=(3.1e-12,), half=(0.7e-12,), share=(1.0,))
    sentence = explain(tiny, 0, alone(manifest)).sentence()
    assert sentence.startswith("flow 4.5e-12 l/min, expected 3.1e-12 (2.4e-12 to 3.8e-12)")


def test_huge_numbers_are_short(manifest: Manifest) -> None:
    huge = verdict(value=(1e99,), expected=(3.1,), half=(0.7,), share=(1.0,), score=1e30)
    sentence = explain(huge, 0, alone(manifest)).sentence()
    assert sentence.startswith("flow 1e+99 l/min, expected 3.1 (")
    assert explain(huge, 0, alone(manifest)).severity is Severity.CRITICAL


def test_a_tiny_band_shows_the_digits_that_matter(manifest: Manifest) -> None:
    tiny = verdict(value=(0.001234,), expected=(0.001,), half=(0.00002,), share=(1.0,))
    assert (
        explain(tiny, 0, alone(manifest)).sentence().startswith("flow 0.001234 l/min, expected 0.001000 (0.000980 to")
    )


def test_times_are_told_in_the_bundle_s_zone_with_the_date_if_it_is_another(manifest: Manifest) -> None:
    rome = replace(manifest, time_zone="Europe/Rome")
    assert "above since 15:05 CET" in explain(verdict(), 0, rome).sentence()
    later = explain(verdict(time=AT_MS + 86_400_000), 0, rome)
    assert "above since 2023-11-14 15:05 CET" in later.sentence()
    assert later.as_dict()["since"] == "2023-11-14T15:05:00+01:00"


def test_the_severity_is_that_of_the_peak(manifest: Manifest) -> None:
    assert explain(verdict(), 0, manifest).severity is Severity.MAJOR
    assert explain(verdict(), 0, manifest, peak=7.0).severity is Severity.CRITICAL


def test_the_rarest_is_not_told_in_ages_of_the_universe(manifest: Manifest) -> None:
    rare = replace(verdict(), once_in=np.array([1e30], np.float32))
    assert explain(rare, 0, manifest).once_in == "once in more than 1000 years"


def test_it_is_plain_json(manifest: Manifest) -> None:
    told = json.loads(json.dumps(explain(verdict(value=(12.4, NAN)), 0, manifest).as_dict(), allow_nan=False))
    assert told["severity"] == "major"
    assert told["once_in"] == "once in 40 days"
    assert told["channels"][0] == {
        "channel": "flow",
        "unit": "l/min",
        "actual": 12.4,
        "expected": 3.1,
        "lower": pytest.approx(2.4),
        "upper": pytest.approx(3.8),
        "normal": pytest.approx(3.8),
        "share": pytest.approx(0.83),
        "direction": "above",
        "quality": [],
    }


def test_a_learning_stream_says_when_it_is_ready(make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    engine = open_engine(bundle)
    engine.add(["plant/new"])
    readings = Readings(np.zeros(1, np.int32), np.zeros(1, np.int16), np.array([AT_MS]), np.ones(1))
    verdicts = engine.feed(readings)
    explanation = explain(verdicts, 0, bundle.manifest, ready_in=1080)
    assert explanation.sentence() == "learning, ready in about 3 h."
    assert explanation.channels[0].direction == "learning"
    assert json.dumps(explanation.as_dict(), allow_nan=False)
    assert explain(verdicts, 0, bundle.manifest).sentence() == "learning."


def test_every_verdict_of_an_engine_can_be_explained(make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    engine = open_engine(bundle)
    engine.add(["plant/pump-1"])
    slots = np.arange(60)
    values = np.where(slots > 40, 1e99, np.sin(slots))
    verdicts = engine.feed(Readings(np.zeros(60, np.int32), np.zeros(60, np.int16), AT_MS + slots * 10_000, values))
    told = [explain(verdicts, at, bundle.manifest) for at in range(len(verdicts))]
    assert {each.status for each in told} == set(Status)
    assert all(json.dumps(each.as_dict(), allow_nan=False) for each in told)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "2 h"),
        (3 * 3600, "3 h"),
        (47.4 * 3600, "47 h"),
        (3 * 86_400, "3 days"),
        (59 * 86_400, "59 days"),
        (70 * 86_400, "10 weeks"),
        (3 * 31_556_952, "3 years"),
    ],
)
def test_durations_are_told_in_the_unit_that_suits(seconds: float, words: str) -> None:
    assert duration(seconds) == words
