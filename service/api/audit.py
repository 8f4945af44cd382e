"""/v1/audit: who changed what, and when."""

import logging
import sqlite3
import time
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from edge.errors import ForesenseError
from edge.messages.stamp import iso
from service.api.answers import FromSource, Limit, Offset, answer
from service.storage.access import Access

log = logging.getLogger(__name__)
router = APIRouter(tags=["audit"])

MOST, MOST_STRANGERS = 100_000, 10_000  #: entries that are kept: of those who are known, and of nobody
_LONGEST = 500  # signs of a detail

#: the oldest of the same kind, so that nobody who knocks often enough has the others forgotten
_FORGET = """DELETE FROM audit WHERE (role = '') = :stranger AND id <= (
    SELECT id FROM audit WHERE (role = '') = :stranger ORDER BY id DESC LIMIT 1 OFFSET :most)"""


class Entry(BaseModel):
    """One request that changed something, or tried to."""

    id: int
    time: str
    who: str
    role: str
    address: str
    action: str
    detail: str
    status: int


class Audit(BaseModel):
    """A page of the audit, the newest first."""

    total: int
    entries: list[Entry]


@router.get("/v1/audit", response_model=Audit)
def audit(request: Request, source: FromSource, offset: Offset = 0, limit: Limit = 100) -> Response:
    """List who changed what over HTTP, the newest first; 100,000 are kept, and 10,000 of those who were nobody."""
    total = source.reader.row("SELECT count(*) FROM audit")
    select = "SELECT id, time, who, role, address, action, detail, status FROM audit ORDER BY id DESC LIMIT ? OFFSET ?"
    told: list[dict[str, Any]] = [
        dict(zip(Entry.model_fields, row, strict=True)) | {"time": iso(row[1])}
        for row in source.reader.rows(select, (limit, offset))
    ]
    return answer(request, {"total": total[0] if total else 0, "entries": told})


def note(access: Access, who: str, role: str, address: str, action: str, detail: str, status: int) -> None:
    """Write down what was asked; that it cannot be is logged, and does not undo what was done."""
    insert = "INSERT INTO audit (time, who, role, address, action, detail, status) VALUES (?, ?, ?, ?, ?, ?, ?)"
    values = (time.time_ns() // 1_000_000, who, role, address, action, detail[:_LONGEST], status)
    try:
        with access.transaction() as db:
            db.execute(insert, values)
            db.execute(_FORGET, {"stranger": not role, "most": MOST if role else MOST_STRANGERS})
    except (ForesenseError, sqlite3.Error) as error:
        log.warning("the audit has no room for %s by %s: %s", action, who, error)
