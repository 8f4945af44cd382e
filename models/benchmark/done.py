"""What is done: a score file, and beside it a mark that says what it was made from."""

import json
import os
from collections.abc import Iterable, Mapping
from errno import EACCES
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import edge
import models
from edge.errors import ConfigError

MADE_FROM, SCORES = "made_from", "scores"


def made_from(parameters: Mapping[str, Any], paths: Iterable[Path]) -> dict[str, Any]:
    """Return all that decides the scores of a series: parameters, data and code."""
    data = {path.name: _digest(path) for path in paths if path.is_file()}
    return {"parameters": json.loads(json.dumps(parameters)), "data": data, "code": _code()}


def is_done(path: Path, origin: Mapping[str, Any]) -> bool:
    """Tell whether a score file is whole and made from just that."""
    try:
        mark = json.loads(_mark(path).read_text())
        return bool(mark[MADE_FROM] == origin and mark[SCORES] == _digest(path))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def finish(path: Path, text: str, origin: Mapping[str, Any], told: Mapping[str, Any]) -> None:
    """Write a score file and then its mark, which also holds what is `told` of it."""
    write_whole(path, text)
    mark = {SCORES: _digest(path), MADE_FROM: origin, **told}
    write_whole(_mark(path), json.dumps(mark, indent=1) + "\n")


def told_of(path: Path) -> dict[str, Any]:
    """Return what the mark of a score file that is done tells beside what it was made from."""
    mark: dict[str, Any] = json.loads(_mark(path).read_text())
    return {name: value for name, value in mark.items() if name not in (MADE_FROM, SCORES)}


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is there as a whole or not at all; ConfigError if it cannot be."""
    make_folder(path.parent)
    draft = path.with_name(path.name + ".part")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise ConfigError(f"{path}: expected a file that can be written, got: {error.strerror}") from error


def make_folder(path: Path) -> None:
    """Make a folder if it is not there; ConfigError if nothing can be written to it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        if not os.access(path, os.W_OK):
            raise PermissionError(EACCES, os.strerror(EACCES))
    except OSError as error:
        raise ConfigError(f"{path}: expected a folder that can be written to, got: {error.strerror}") from error


def _mark(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


@cache
def _code() -> str:
    """Return what tells this version of the engine and the training from any other."""
    digest = sha256()
    for package in (edge, models):
        for path in sorted(Path(package.__path__[0]).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()
