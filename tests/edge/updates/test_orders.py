"""Which orders a device takes: those to itself, each newer than the last, however often and late they come."""

from dataclasses import replace
from pathlib import Path

import pytest

from edge.updates.ledger import Ledger, State
from edge.updates.order import Order, message_id, order_message
from edge.updates.orders import Orders
from service.fleet.private_key import PrivateKey

SECOND = 1_700_000_000_000  # its number, UTC epoch ms
DEPLOY = Order(
    action="deploy", id="2" * 16, device="pi-1", bundle="pump", version="2", deployment="a" * 32, number=SECOND
)
ROLLBACK = replace(DEPLOY, action="rollback", id="3" * 16, deployment="", number=SECOND + 1000)
WITHDRAW = replace(DEPLOY, action="withdraw", id="4" * 16, number=SECOND + 1000)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> PrivateKey:
    return PrivateKey.make(tmp_path_factory.mktemp("keys") / "release.key", "")


@pytest.fixture
def orders(tmp_path: Path, key: PrivateKey) -> Orders:
    keyring = tmp_path / "keyring"
    keyring.write_text(f"{key.public.line}\n")
    return Orders("pi-1", "pump", keyring)


def message(order: Order, key: PrivateKey) -> bytes:
    return order_message(order, key.public.id, key.sign)


def ledger_after(order: Order) -> Ledger:
    return Ledger(order=order.id, number=order.number)


def test_an_order_is_carried_out_once(orders: Orders, key: PrivateKey) -> None:
    assert orders.take(message(DEPLOY, key), Ledger())
    assert orders.next(State.NONE) == DEPLOY
    assert orders.next(State.NONE) is None
    assert orders.take(message(DEPLOY, key), ledger_after(DEPLOY))  # as the broker has kept it
    assert orders.next(State.COMMITTED) is None
    assert orders.refusal.reason == ""


@pytest.mark.parametrize("later", [0, 1])
def test_an_order_that_is_not_newer_than_the_last_is_refused(later: int, orders: Orders, key: PrivateKey) -> None:
    again = message(DEPLOY, key)
    assert not orders.take(again, Ledger(order="f" * 16, number=DEPLOY.number + later))
    assert orders.next(State.COMMITTED) is None
    assert orders.refusal.message == message_id(again)
    assert orders.refusal.reason == (
        "order: expected one given after the last that was taken here (2023-11-14T22:13:20Z), "
        "got one given at 2023-11-14T22:13:20Z"
    )


def test_an_order_that_is_not_newer_than_one_that_waits_is_refused(orders: Orders, key: PrivateKey) -> None:
    assert orders.take(message(WITHDRAW, key), Ledger())
    assert not orders.take(message(DEPLOY, key), Ledger())
    assert orders.next(State.DOWNLOADING) == WITHDRAW


def test_the_order_that_waits_may_come_twice(orders: Orders, key: PrivateKey) -> None:
    for _ in range(2):
        assert orders.take(message(DEPLOY, key), Ledger())
    assert orders.next(State.NONE) == DEPLOY


@pytest.mark.parametrize("change", [{"device": "pi-2"}, {"bundle": "fan"}])
def test_an_order_to_another_device_or_about_another_bundle_is_refused(
    change: dict[str, str], orders: Orders, key: PrivateKey
) -> None:
    order = replace(DEPLOY, device=change.get("device", "pi-1"), bundle=change.get("bundle", "pump"))
    assert not orders.take(message(order, key), Ledger())
    assert f"expected one about pump on pi-1, got one about {order.bundle} on {order.device}" in orders.refusal.reason


def test_an_order_that_is_taken_ends_the_tale_of_one_that_was_refused(orders: Orders, key: PrivateKey) -> None:
    assert not orders.take(b"{}", Ledger())
    assert orders.refusal.reason != ""
    assert orders.take(message(DEPLOY, key), Ledger())
    assert orders.refusal.reason == ""


@pytest.mark.parametrize(("order", "waits"), [(DEPLOY, True), (ROLLBACK, False), (WITHDRAW, True)])
def test_a_bundle_on_trial_may_only_be_rolled_back(order: Order, waits: bool, orders: Orders, key: PrivateKey) -> None:
    orders.take(message(order, key), Ledger())
    assert (orders.next(State.ACTIVE) is None) == waits
    assert (orders.next(State.COMMITTED) is None) != waits
