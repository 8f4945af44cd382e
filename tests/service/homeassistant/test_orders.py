from pathlib import Path

import pytest

from service.desk.desk import Desk
from service.homeassistant.device import FALSE_ALARM, MUTE, OFF, ON, PRESS, Key
from service.homeassistant.orders import BY, Orders
from service.storage.store import Store
from tests.service.homeassistant.test_facts import alarm

KEY = ("main", "hall [1]*")


@pytest.fixture
def orders(store: Store, database: Path) -> Orders:
    with store.transaction():
        store.add_streams("main", ["hall [1]*", "hall 1x"])
        store.open_alarm(alarm("one", 1, 1000, 1000))

    def newest(key: Key) -> str | None:
        return {KEY: "one", ("main", "gone"): "none"}.get(key)

    return Orders(Desk(database, BY), 60_000, newest)


def test_a_stream_is_muted_by_its_very_name_and_unmuted_again(orders: Orders, database: Path) -> None:
    orders.carry_out(KEY, MUTE, ON)
    (mute,) = Desk(database, "me").mutes()
    assert (mute.monitor, mute.stream, mute.by) == ("main", "hall [[]1][*]", "Home Assistant")
    assert mute.until - mute.created == 60_000
    orders.carry_out(KEY, MUTE, OFF)
    assert Desk(database, "me").mutes() == []


def test_the_newest_alarm_is_labelled_false(orders: Orders, store: Store) -> None:
    orders.carry_out(KEY, FALSE_ALARM, PRESS)
    assert store.db.execute('SELECT alarm, "false", "by" FROM label').fetchall() == [("one", 1, "Home Assistant")]


@pytest.mark.parametrize(
    ("key", "what", "payload", "said"),
    [
        (KEY, MUTE, OFF, "expected a mute of main/hall [[]1][*] in force"),
        (KEY, MUTE, PRESS, "sends b'PRESS' for mute of main/hall [1]*, which is ignored"),
        (KEY, FALSE_ALARM, ON, "sends b'ON' for false-alarm of main/hall [1]*, which is ignored"),
        (KEY, "else", b"x" * 1000, "sends b'" + "x" * 40 + "' for else"),
        (("main", "hall 1x"), FALSE_ALARM, PRESS, "calls an alarm of main/hall 1x false, but there was none"),
        (("main", "gone"), FALSE_ALARM, PRESS, "expected the id of an alarm, got 'none'"),
    ],
)
def test_what_cannot_be_done_is_logged_and_changes_nothing(
    orders: Orders, store: Store, caplog: pytest.LogCaptureFixture, key: Key, what: str, payload: bytes, said: str
) -> None:
    orders.carry_out(key, what, payload)
    assert said in caplog.text
    assert store.db.execute("SELECT (SELECT count(*) FROM mute) + (SELECT count(*) FROM label)").fetchone() == (0,)
