"""Limits: how many files the system lets a process open."""

import resource
from collections.abc import Iterator

from service.doctor.finding import Finding, ok, warn

_FEW = 256


def look_at_limits() -> Iterator[Finding]:
    """Look at the limit of open files, which is that of the service if it is started in the same way."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= files < _FEW:
        yield warn("limits", f"a process may have {files} files open", "ulimit -n 1024, or LimitNOFILE=1024 of systemd")
    else:
        yield ok("limits", f"a process may have {files} files open")
