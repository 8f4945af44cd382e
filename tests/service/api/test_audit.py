from pathlib import Path

import pytest

from service.api import audit
from service.storage.access import Access
from service.storage.store import Store


def test_whoever_knocks_often_has_nothing_forgotten_of_those_who_are_known(
    database: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "MOST", 3)
    monkeypatch.setattr(audit, "MOST_STRANGERS", 2)
    access = Access(database)
    for number in range(5):
        audit.note(access, "ada", "admin", "::1", f"PUT /{number}", "", 200)
    for number in range(50):
        audit.note(access, "nobody", "", "203.0.113.7", f"POST /{number}", "", 401)
    kept = store.db.execute("SELECT who, action FROM audit ORDER BY id").fetchall()
    assert kept == [
        ("ada", "PUT /2"), ("ada", "PUT /3"), ("ada", "PUT /4"), ("nobody", "POST /48"), ("nobody", "POST /49"),
    ]  # fmt: skip
