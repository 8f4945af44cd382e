"""Budgets: what an operator has set in place of a monitor's configured budget, while the service runs."""

from collections.abc import Sequence

from edge.limits import Budget
from service.pipeline.monitor import Monitor
from service.storage.store import Store


class Budgets:
    """Brings the budgets that the database has into force; a monitor without one keeps to its configuration."""

    def __init__(self, store: Store, monitors: Sequence[Monitor]) -> None:
        self._store = store
        self._monitors = monitors

    def load(self) -> None:
        """Read the budgets anew, within a transaction."""
        wanted = dict(self._store.db.execute("SELECT monitor, budget FROM budget"))
        for monitor in self._monitors:
            monitor.allow(Budget.parse(wanted[monitor.name]) if monitor.name in wanted else monitor.configured)
