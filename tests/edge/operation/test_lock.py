from pathlib import Path

import pytest

from edge.errors import ConfigError
from edge.operation.lock import InstanceLock, NameLock


def test_a_database_is_one_service_s_until_it_is_given_back(tmp_path: Path) -> None:
    first, second = (InstanceLock(tmp_path / "foresense.db") for _ in range(2))
    first.acquire()
    with pytest.raises(ConfigError, match="expected a database of this process alone"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_a_name_at_a_broker_is_one_service_s_until_it_is_given_back() -> None:
    first, second, elsewhere = (NameLock(f"mqtt://{host}:1883", "test-lock") for host in ("a", "a", "b"))
    first.acquire()
    elsewhere.acquire()
    with pytest.raises(ConfigError, match="client_id test-lock at mqtt://a:1883: expected a name of this process"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()
    elsewhere.release()
