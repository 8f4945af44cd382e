from service.alarms import alarm_id, iso


def test_the_same_alarm_has_the_same_id_and_no_other_has_it() -> None:
    known = alarm_id("main", "north/a", "pump/1", 1000)
    assert known == alarm_id("main", "north/a", "pump/1", 1000)
    others = [
        alarm_id("mai", "nnorth/a", "pump/1", 1000),
        alarm_id("main", "north/b", "pump/1", 1000),
        alarm_id("main", "north/a", "pump/2", 1000),
        alarm_id("main", "north/a", "pump/1", 1001),
    ]
    assert len({known, *others}) == 5


def test_an_id_never_changes_between_versions() -> None:
    # ids are in databases and in other systems: this literal may not be edited
    assert alarm_id("main", "north/a", "pump/1", 1_700_000_000_000) == "fc6ca80a1494fd6565b4687669f3041b"


def test_times_leave_as_iso_8601_in_utc() -> None:
    assert iso(1_700_000_000_000) == "2023-11-14T22:13:20.000Z"
