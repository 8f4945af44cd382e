"""What was announced: the devices that Home Assistant knows from us, kept so that they can be taken back."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from service.storage.access import Access


class Known(NamedTuple):
    """A device that Home Assistant was told of."""

    config: str  #: topic of its announcement
    base: str  #: beneath which its own topics are
    components: Mapping[str, str]  #: platform by name


class Announced:
    """Keeps the table `announced` of one broker, in short transactions; a device is noted before it is told of."""

    def __init__(self, database: Path, broker: str) -> None:
        self._access = Access(database)
        self._broker = broker
        self.known: dict[str, Known] = {}  #: by the topic of the announcement
        self.elsewhere = 0  #: devices that another broker was told of

    def load(self) -> None:
        """Read the table; ForesenseError if that fails."""
        with self._access.connection() as db:
            rows = db.execute("SELECT config, base, components, broker FROM announced").fetchall()
        mine = [Known(config, base, json.loads(told)) for config, base, told, broker in rows if broker == self._broker]
        self.known = {each.config: each for each in mine}
        self.elsewhere = len(rows) - len(mine)

    def note(self, devices: Iterable[Known]) -> None:
        """Note devices, in place of what is known of them; ForesenseError if that fails."""
        changed = [each for each in devices if self.known.get(each.config) != each]
        if not changed:
            return
        insert = "INSERT OR REPLACE INTO announced (config, base, components, broker) VALUES (?, ?, ?, ?)"
        rows = [(each.config, each.base, json.dumps(dict(each.components)), self._broker) for each in changed]
        with self._access.transaction() as db:
            db.executemany(insert, rows)
        self.known |= {each.config: each for each in changed}

    def forget(self, configs: Iterable[str]) -> None:
        """Note that devices are taken back; ForesenseError if that fails."""
        gone = [config for config in configs if config in self.known]
        if not gone:
            return
        with self._access.transaction() as db:
            db.executemany("DELETE FROM announced WHERE config = ?", [(config,) for config in gone])
        for config in gone:
            del self.known[config]
