from edge.limits import Budget
from service.alarms.budgets import Budgets
from service.storage.store import Store
from tests.service.conftest import MakeMonitor


def test_what_an_operator_has_set_is_in_force_until_it_is_taken_back(store: Store, make_monitor: MakeMonitor) -> None:
    monitor, other = (
        make_monitor(budget="2 per week"),
        make_monitor(name="other", budget="3 per week", bundle={"version": "2"}),
    )
    budgets, configured = Budgets(store, [monitor, other]), monitor.limit
    with store.transaction():
        store.db.execute("INSERT INTO budget VALUES ('main', '1 per year', 'me', 0)")
        budgets.load()
    assert (monitor.budget, other.budget) == (Budget.parse("1 per year"), Budget.parse("3 per week"))
    assert monitor.limit > configured
    with store.transaction():
        store.db.execute("DELETE FROM budget")
        budgets.load()
    assert monitor.budget == Budget.parse("2 per week")
    assert monitor.limit == configured
