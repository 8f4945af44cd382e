from pathlib import Path

from service.homeassistant.announced import Announced, Known
from service.storage.store import Store


def test_what_is_noted_is_known_after_a_restart_until_it_is_forgotten(store: Store, database: Path) -> None:
    assert store is not None
    one, two = Known("ha/1", "own/1", {"score": "sensor"}), Known("ha/2", "own/2", {})
    announced = Announced(database, "north")
    announced.load()
    announced.note([one, two])
    announced.note([one._replace(components={}), two])
    announced.forget(["ha/2", "ha/3"])

    again, other = Announced(database, "north"), Announced(database, "south")
    again.load()
    other.load()
    assert again.known == {"ha/1": one._replace(components={})}
    assert (again.elsewhere, other.known, other.elsewhere) == (0, {}, 1)
