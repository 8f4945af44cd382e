"""The dashboard's own files: the page at `/`, and what it loads from `/assets/`."""

import hashlib
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Request, Response

from service.api.problems import ProblemError

router = APIRouter(include_in_schema=False)

FOLDER = "dashboard"  #: package data beside this package
_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "png": "image/png",
    "svg": "image/svg+xml",
    "webmanifest": "application/manifest+json",
    "woff2": "font/woff2",
}


@router.get("/")
def page(request: Request) -> Response:
    """Return the page."""
    return _file(request, "index.html")


@router.get("/assets/{name}")
def asset(request: Request, name: str) -> Response:
    """Return what the page loads."""
    return _file(request, f"assets/{name}")


def _file(request: Request, name: str) -> Response:
    found = _read().get(name)
    if found is None:
        raise ProblemError(404, f"expected a file of the dashboard, got {name!r}")
    body, tag = found
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if tag in request.headers.get("If-None-Match", ""):
        return Response(None, 304, headers)
    return Response(body, 200, headers | {"Content-Type": _TYPES[name.rpartition(".")[2]]})


@cache
def _read() -> dict[str, tuple[bytes, str]]:
    """Return the files by name, each with its ETag; only those whose kind is known, so that no name leads elsewhere."""
    root = files("service") / FOLDER
    folders = [("", root), ("assets/", root / "assets")]
    found = {}
    for prefix, folder in folders:
        for entry in folder.iterdir() if folder.is_dir() else ():
            if entry.is_file() and entry.name.rpartition(".")[2] in _TYPES:
                body = entry.read_bytes()
                found[prefix + entry.name] = body, f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    return found
