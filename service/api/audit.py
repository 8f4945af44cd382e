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

MOST = 100_000  #: entries that are kept
_LONGEST = 500  # signs of a detail


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
    """List who changed what over HTTP, the newest first; the newest 100,000 are kept."""
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
            db.execute("DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?", (MOST,))
    except (ForesenseError, sqlite3.Error) as error:
        log.warning("the audit has no room for %s by %s: %s", action, who, error)
